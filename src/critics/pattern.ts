/** Words and patterns that a plan lists. Patterns are RE2, so that no content can make them slow. */
import { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { compilePattern, patternProblem, stretchesOf } from './linear-pattern.js';
import { judgeTexts, type Match } from './text.js';

const severity = z.number().min(0).max(1);
const code = z.string().regex(/^[a-zA-Z0-9_.:-]{1,64}$/, { error: 'must be a code of the form [a-zA-Z0-9_.:-]{1,64}' });

const re = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((text, context) => {
    const problem = patternProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${problem}` });
  });

const Options = strict({
  words: z.array(strict({ word: z.string().trim().min(1).max(200), severity, code: code.default('word') })).default([]),
  patterns: z.array(strict({ re, severity, code, message: z.string().min(1).max(500).optional() })).default([]),
  caseSensitive: z.boolean().default(false),
});

export type PatternOptions = z.output<typeof Options>;
type ListedWord = PatternOptions['words'][number];
type ListedPattern = PatternOptions['patterns'][number];

export const pattern = defineCritic<PatternOptions>({
  name: 'pattern',
  version: '1.0.0',
  options: Options,
  warm({ patterns, caseSensitive }) {
    for (const listed of patterns) compilePattern(listed.re, caseSensitive);
  },
  evaluate({ content }, { options: { words, patterns, caseSensitive } }) {
    const wordForms = words.map((listed) => ({ listed, form: wordForm(listed.word, caseSensitive) }));
    return judgeTexts(content, (text) => [
      ...wordForms.flatMap(({ listed, form }) => wordMatches(text, listed, form)),
      ...patterns.flatMap((listed) => patternMatches(text, listed, caseSensitive)),
    ]);
  },
});

/** A word is not part of a longer one, in any script. It is literal text, so that matching takes linear time. */
function wordForm(word: string, caseSensitive: boolean): RegExp {
  const spellings = [...new Set([word.normalize('NFC'), word.normalize('NFD')])];
  const literal = spellings.map((spelling) => spelling.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)).join('|');
  const inWord = String.raw`[\p{L}\p{N}\p{M}_]`;
  return new RegExp(`(?<!${inWord})(?:${literal})(?!${inWord})`, caseSensitive ? 'gu' : 'giu');
}

function wordMatches(text: string, listed: ListedWord, form: RegExp): Match[] {
  return Array.from(text.matchAll(form), (found) => ({
    code: listed.code,
    message: 'contains a listed word',
    severity: listed.severity,
    start: found.index,
    end: found.index + found[0].length,
  }));
}

function patternMatches(text: string, listed: ListedPattern, caseSensitive: boolean): Match[] {
  const message = listed.message ?? `matches the listed pattern ${listed.code}`;
  return stretchesOf(compilePattern(listed.re, caseSensitive), text).map((stretch) => ({
    code: listed.code,
    message,
    severity: listed.severity,
    ...stretch,
  }));
}
