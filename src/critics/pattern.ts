/** Words and patterns that a plan lists. Patterns are RE2, so that no content can make them slow. */
import { z } from 'zod';
import type { JsonObject } from '../domain/request.js';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { compilePattern, patternProblem, stretchesOf } from './linear-pattern.js';
import type { Cut, Judge } from './pieces.js';
import { judgeTexts, type Match, type Stretch } from './text.js';

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
interface Search extends Required<Omit<Judge, 'findNamed'>> {
  /** Whether a match may have any length. */
  readonly isOpen: boolean;
}

/** Compiling takes longer than judging a short text. */
const prepared = new WeakMap<PatternOptions, readonly Search[]>();

export const pattern = defineCritic<PatternOptions>({
  name: 'pattern',
  version: '1.1.0',
  options: Options,
  warm: (options) => void searchesOf(options),
  evaluate({ content }, tools) {
    const searches = searchesOf(tools.options);
    return judgeTexts(content, searches, tools, { details: (longestChars) => ceilingOf(longestChars, searches) });
  },
});

function searchesOf(options: PatternOptions): readonly Search[] {
  const known = prepared.get(options);
  if (known) return known;
  const { words, patterns, caseSensitive } = options;
  const searches = [
    ...words.map(({ word, code, severity }): Search => {
      const what = { code, severity, message: 'contains a listed word' };
      const form = wordForm(word, caseSensitive);
      return {
        find: (text) => matchesFor(what, stretchesOfWord(form, text)),
        isOpen: false,
        pieceChars: MAX_PIECE_CHARS,
        reach: MIN_REACH,
      };
    }),
    ...patterns.map(({ re, code, severity, message = `matches the listed pattern ${code}` }): Search => {
      const what = { code, severity, message };
      const form = compilePattern(re, caseSensitive);
      return { find: (text) => matchesFor(what, stretchesOf(form, text)), isOpen: true, ...cutFor(form.programSize()) };
    }),
  ];
  prepared.set(options, searches);
  return searches;
}

const matchesFor = (what: Omit<Match, keyof Stretch>, stretches: readonly Stretch[]): Match[] =>
  stretches.map((stretch) => ({ ...what, ...stretch }));

/** The engine takes up to 27 ns for each character and instruction, so that a piece takes 33 ms where it knows no short cut. */
const STEPS_PER_PIECE = 1_200_000;
const MAX_PIECE_CHARS = 65_536;
/** Matches of up to 1,024 characters are found whatever the pattern; patterns of more than 460 instructions pay for that with longer blocks. */
const MIN_PIECE_CHARS = 2_560;
const MIN_REACH = 1_024;

/** The bigger the pattern, the smaller the pieces; a quarter on both sides is surroundings. */
function cutFor(instructions: number): Required<Cut> {
  const chars = Math.min(MAX_PIECE_CHARS, Math.max(MIN_PIECE_CHARS, Math.ceil(STEPS_PER_PIECE / instructions)));
  const reach = Math.max(MIN_REACH, Math.floor(chars / 4));
  return { pieceChars: chars - 2 * reach, reach };
}

/** The longest match that all searches can have met, when a text was judged in pieces: said, since a longer one may be missing. */
function ceilingOf(longestChars: number, searches: readonly Search[]): JsonObject | undefined {
  const reaches = searches.flatMap(({ isOpen, reach, pieceChars }) => (isOpen && longestChars > pieceChars + reach ? [reach] : []));
  return reaches.length === 0 ? undefined : { longestMatchChars: Math.min(...reaches) };
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
