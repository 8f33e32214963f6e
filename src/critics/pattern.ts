/** Words and patterns that a plan lists. Patterns are RE2, so that no content can make them slow. */
import { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { compilePattern, patternProblem, stretchesOf } from './linear-pattern.js';
import { judgeTexts, type Stretch } from './text.js';

const severityField = z.number().min(0).max(1);
const codeField = z.string().regex(/^[a-zA-Z0-9_.:-]{1,64}$/, { error: 'must be a code of the form [a-zA-Z0-9_.:-]{1,64}' });

const reField = z
  .string()
  .min(1)
  .max(1_000)
  .superRefine((text, context) => {
    const problem = patternProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${problem}` });
  });

const Options = strict({
  words: z.array(strict({ word: z.string().trim().min(1).max(200), severity: severityField, code: codeField.default('word') })).default([]),
  patterns: z
    .array(strict({ re: reField, severity: severityField, code: codeField, message: z.string().min(1).max(500).exactOptional() }))
    .default([]),
  caseSensitive: z.boolean().default(false),
});

export type PatternOptions = z.output<typeof Options>;

/** A word or pattern of the plan, ready to be looked for. */
interface Search {
  readonly code: string;
  readonly message: string;
  readonly severity: number;
  readonly stretchesIn: (text: string) => readonly Stretch[];
}

/** Compiling takes longer than judging a short text. */
const prepared = new WeakMap<PatternOptions, readonly Search[]>();

export const pattern = defineCritic<PatternOptions>({
  name: 'pattern',
  version: '1.0.0',
  options: Options,
  warm: (options) => void searchesOf(options),
  evaluate({ content }, { options }) {
    const searches = searchesOf(options);
    return judgeTexts(content, (text) =>
      searches.flatMap(({ code, message, severity, stretchesIn }) =>
        stretchesIn(text).map((stretch) => ({ code, message, severity, ...stretch })),
      ),
    );
  },
});

function searchesOf(options: PatternOptions): readonly Search[] {
  const known = prepared.get(options);
  if (known) return known;
  const { words, patterns, caseSensitive } = options;
  const searches = [
    ...words.map(({ word, code, severity }): Search => {
      const form = wordForm(word, caseSensitive);
      return { code, severity, message: 'contains a listed word', stretchesIn: (text) => stretchesOfWord(form, text) };
    }),
    ...patterns.map(({ re, code, severity, message = `matches the listed pattern ${code}` }): Search => {
      const form = compilePattern(re, caseSensitive);
      return { code, severity, message, stretchesIn: (text) => stretchesOf(form, text) };
    }),
  ];
  prepared.set(options, searches);
  return searches;
}

/** A word is not part of a longer one, in any script. It is literal text, so that matching takes linear time. */
function wordForm(word: string, caseSensitive: boolean): RegExp {
  const spellings = [...new Set([word.normalize('NFC'), word.normalize('NFD')])];
  const literal = spellings.map((spelling) => spelling.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)).join('|');
  const inWord = String.raw`[\p{L}\p{N}\p{M}_]`;
  return new RegExp(`(?<!${inWord})(?:${literal})(?!${inWord})`, caseSensitive ? 'gu' : 'giu');
}

function stretchesOfWord(form: RegExp, text: string): Stretch[] {
  return Array.from(text.matchAll(form), ({ index, 0: word }) => ({ start: index, end: index + word.length }));
}
