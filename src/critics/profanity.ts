/**
 * Swear words, slurs and vulgar words of English, also as `sh1t`, `f u c k`, `fuuuck` or with letters of other alphabets, by the
 * library obscenity. Words, not meanings: an insult without one passes, a quote with one does not. A message names the class.
 */
import {
  englishDataset,
  englishRecommendedTransformers,
  RegExpMatcher,
  resolveConfusablesTransformer,
  resolveLeetSpeakTransformer,
  skipNonAlphabeticTransformer,
  SyntaxKind,
  type MatchPayload,
  type ParsedPattern,
} from 'obscenity';
import { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { originalOf, plainText, plainWords, type PlainText } from './normalize.js';
import { judgeTexts, type Match } from './text.js';

/** Of the library's words; what stands in no class is `swearing`. */
const WORDS = {
  slur: 'abo|africoon|arabush|boonga|chingchong|chink|dyke|fag|kike|negro|nigger|retard|spastic|tranny',
  sexual:
    'bestiality|blowjob|buttplug|cock|cum|cunt|deepthroat|dildo|doggystyle|double penetration|felch|fellatio|finger bang|fisting|' +
    'gangbang|handjob|hentai|hooker|jerk off|jizz|lubejob|masturbate|orgy|porn|pussy|scat|slut|tit|whore',
  swearing: 'bitch|fuck|shit',
  mild: 'arse|ass|bastard|bollocks|boob|dick|piss|prick|turd|twat|wank',
  neutral: 'abeed|anal|anus|ejaculate|incest|orgasm|penis|rape|semen|sex|vagina',
} as const;
type WordClass = keyof typeof WORDS;
const CLASSES = Object.keys(WORDS) as [WordClass, ...WordClass[]];

const CLASS_OF: ReadonlyMap<string, WordClass> = new Map(
  CLASSES.flatMap((kind) => WORDS[kind].split('|').map((word) => [word, kind] as const)),
);

const SEVERITIES: Readonly<Record<WordClass, number>> = { slur: 0.8, sexual: 0.5, swearing: 0.4, mild: 0.2, neutral: 0.1 };

const NAMES: Readonly<Record<WordClass, string>> = {
  slur: 'a slur against a group of people',
  sexual: 'a vulgar sexual word',
  swearing: 'a swear word',
  mild: 'a mild swear word',
  neutral: 'a word of body, sex or violence that is also used soberly',
};

const wordField = z.string().trim().min(1).max(100);

const Options = strict({
  /** Which words are reported. Default: all but `neutral`. */
  classes: z.array(z.enum(CLASSES)).default(['slur', 'sexual', 'swearing', 'mild']),
  severities: z.partialRecord(z.enum(CLASSES), z.number().min(0).max(1)).default({}),
  /** Words of the list that are all right here, and texts in which it is mistaken, such as names. Case does not matter. */
  allow: z.array(wordField).max(200).default([]),
  /** Words and phrases of your own: whole words, whatever their case and accents. */
  words: z
    .array(strict({ word: wordField, severity: z.number().min(0).max(1).default(0.4) }))
    .max(200)
    .default([]),
});

export type ProfanityOptions = z.output<typeof Options>;

/** People and places that the library takes for swear words. */
const HARMLESS = [
  'moby dick',
  'dick van dyke',
  'tit for tat',
  'dick cheney',
  'dick clark',
  'dick tracy',
  'philip k. dick',
  'andy dick',
  "dick's sporting",
  'scatter',
  'scatological',
];

interface Word {
  readonly start: number;
  readonly end: number;
  readonly word: string;
}

type Finder = (plain: PlainText) => Match[];

/** Making a matcher takes a millisecond. */
const prepared = new WeakMap<ProfanityOptions, Finder>();

export const profanity = defineCritic<ProfanityOptions>({
  name: 'profanity',
  version: '1.0.0',
  options: Options,
  warm: (options) => void finderOf(options),
  evaluate({ content }, tools) {
    const finder = finderOf(tools.options);
    const find = (text: string): Match[] => {
      const plain = plainText(text);
      return finder(plain).map((match) => ({ ...match, ...originalOf(plain, match) }));
    };
    return judgeTexts(content, [{ find, pieceChars: PIECE_CHARS }], tools, { overlaps: 'drop' });
  },
});

/** The library takes about a millisecond for 3,000 characters, twice, on a slow machine. */
const PIECE_CHARS = 8_192;

function finderOf(options: ProfanityOptions): Finder {
  const known = prepared.get(options);
  if (known) return known;
  const allowed = options.allow.map((word) => plainWords(word.toLowerCase()));
  const listed = libraryFinder(allowed);
  const own = options.words.map(({ word, severity }) => ({ form: wordForm(word), severity }));
  const finder = ({ text }: PlainText): Match[] => [
    ...own.flatMap(({ form, severity }) =>
      Array.from(text.matchAll(form), ({ index, 0: word }) => {
        return { code: 'listed_word', message: 'contains a listed word', severity, start: index, end: index + word.length };
      }),
    ),
    ...listed(text).flatMap(({ word, start, end }) => {
      const kind = CLASS_OF.get(word) ?? 'swearing';
      if (!options.classes.includes(kind)) return [];
      return [
        { code: kind, message: `contains ${NAMES[kind]}`, severity: options.severities[kind] ?? SEVERITIES[kind], start, end, rank: 1 },
      ];
    }),
  ];
  prepared.set(options, finder);
  return finder;
}

/** Twice: as words, and with all that is no letter left out, for words whose letters are spread. */
function libraryFinder(allowed: readonly string[]): (text: string) => Word[] {
  const { blacklistedTerms, whitelistedTerms = [] } = englishDataset.build();
  const { blacklistMatcherTransformers: transformers = [], whitelistMatcherTransformers = [] } = englishRecommendedTransformers;
  const terms = { blacklistedTerms, whitelistedTerms: [...whitelistedTerms, ...HARMLESS, ...allowed], whitelistMatcherTransformers };
  const asWords = new RegExpMatcher({ ...terms, blacklistMatcherTransformers: [...transformers] });
  const asLetters = new RegExpMatcher({ ...terms, blacklistMatcherTransformers: [...transformers, skipNonAlphabeticTransformer()] });
  // Asking the library copies the match each time; a text may be full of them.
  const known = new Map<number, string>();
  const wordOf = (match: MatchPayload): string => {
    const word = known.get(match.termId) ?? englishDataset.getPayloadWithPhraseMetadata(match).phraseMetadata?.originalWord ?? '';
    known.set(match.termId, word);
    return word;
  };
  const found = (matcher: RegExpMatcher, text: string): Word[] =>
    matcher.getAllMatches(text).map((match) => ({
      start: match.startIndex,
      end: match.endIndex + 1,
      word: wordOf(match),
    }));
  const mayHoldWords = precheckOf(blacklistedTerms.map(({ pattern }) => pattern));
  return (text) => {
    if (text.length <= MAX_PRECHECK_CHARS && !mayHoldWords(text)) return [];
    return [...found(asWords, text), ...found(asLetters, text).filter(({ start, end }) => isSpread(text, start, end))].filter(
      ({ word }) => !allowed.includes(word),
    );
  };
}

/** The library tries some 200 expressions on each text, twice: a structure may have tens of thousands of short ones. */
const MAX_PRECHECK_CHARS = 64;

/** Whether the letters of a short text hold those of any pattern, one after the other: less strict than the library, and quick. */
function precheckOf(patterns: readonly ParsedPattern[]): (text: string) => boolean {
  const confusables = resolveConfusablesTransformer();
  const signs = resolveLeetSpeakTransformer();
  const form = new RegExp(patterns.map(lettersOf).join('|'));
  return (text) => {
    let letters = '';
    for (const character of text) {
      const plain = confusables.transform(character.codePointAt(0) ?? 0) ?? 0;
      letters += String.fromCodePoint(signs.transform(plain) ?? 0);
    }
    return form.test(letters.toLowerCase().replaceAll(/[^a-z]/g, ''));
  };
}

/** The pattern as an expression over letters alone: each may be repeated, and word boundaries are not looked at. */
function lettersOf({ nodes }: ParsedPattern): string {
  const any = `[a-z]{0,${MAX_PRECHECK_CHARS}}`;
  const literal = (codes: readonly number[]): string =>
    Array.from(
      String.fromCodePoint(...codes)
        .toLowerCase()
        .replaceAll(/[^a-z]/g, ''),
      (letter) => `${letter}{1,${MAX_PRECHECK_CHARS}}`,
    ).join('');
  const one = (node: ParsedPattern['nodes'][number]): string => {
    if (node.kind === SyntaxKind.Literal) return literal(node.chars);
    return node.kind === SyntaxKind.Optional && node.childNode.kind === SyntaxKind.Literal ? `(?:${literal(node.childNode.chars)})?` : any;
  };
  return nodes.map((node) => one(node)).join('');
}

const ONLY_LETTERS = /^[a-z0-9]*$/;

/** `f u c k`, `s.h.i.t` and `f.uck`, but not the end of one word and the beginning of the next: `push it`. */
function isSpread(text: string, start: number, end: number): boolean {
  const match = text.slice(start, end);
  if (ONLY_LETTERS.test(match)) return false;
  const alone = !/[\p{L}\p{N}]/u.test(text[start - 1] ?? '') && !/[\p{L}\p{N}]/u.test(text[end] ?? '');
  if (!alone) return false;
  const parts = match.split(/[^\p{L}\p{N}]+/u).filter((part) => part !== '');
  return parts.length > 1 && (!/\s/.test(match) || (parts.length > 2 && parts.every(({ length }) => length <= 2)));
}

function wordForm(word: string): RegExp {
  const literal = plainWords(word.toLowerCase())
    .replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
    .replace(/\s+/g, String.raw`\s{1,8}`);
  const inWord = String.raw`[\p{L}\p{N}\p{M}_]`;
  return new RegExp(`(?<!${inWord})${literal}(?!${inWord})`, 'gu');
}
