/**
 * How rules about injections are written: phrases with bounded gaps, compiled to regular expressions that take linear time.
 * Words and what stands between them share no character, and every repeat is bounded, so that each place of a text is looked
 * at a bounded number of times.
 */
import { plainWords } from '../normalize.js';
import type { Stretch } from '../text.js';

/** What the critic can meet: the codes of its violations. */
export const TECHNIQUES = {
  instruction_override: 'tells the reader to leave its instructions',
  role_switch: 'gives the reader another role or mode',
  prompt_extraction: 'asks for the instructions that the reader was given',
  credential_request: 'asks the reader for a password or a secret',
  personal_data_request: "asks the reader for somebody's personal data",
  authority_claim: 'claims to be somebody whom the reader must obey',
  false_pretext: 'gives a test, an audit or a custom as the reason for a request',
  persuasion: 'offers, begs or flatters to be obeyed',
  fictional_frame: 'puts a request into a made-up world',
  output_disguise: 'asks for an answer in disguise',
  encoded_text: 'carries instructions or a request in an encoding',
  hidden_characters: 'carries characters that people do not see',
  chat_markup: 'carries the markup of a model or of a conversation',
  payload_splitting: 'has the reader put a text together from parts',
  repeated_text: 'repeats one thing over and over',
  forged_dialogue: 'carries turns of a made-up conversation',
  judge_manipulation: 'speaks to whoever judges the content',
  embedded_instruction: 'speaks to a model that reads the document',
  data_exfiltration: 'has data sent to an address',
} as const;

export type Technique = keyof typeof TECHNIQUES;

/** Something met in a text. */
export interface Signal extends Stretch {
  readonly technique: Technique;
  /** How likely it alone makes a text an attack, 0 to 1. */
  readonly weight: number;
}

export interface PhraseRule {
  readonly technique: Technique;
  readonly weight: number;
  readonly form: RegExp;
}

/** A word of a Latin script without accents, and what may stand between two of them inside a sentence. */
const WORD = '[a-z0-9]{1,24}';
const GAP = '(?:[^a-z0-9.!?]{1,6})';
/** The same for any script: what is neither white space nor one of these signs is a letter. Far cheaper than Unicode's classes. */
const SIGNS = String.raw`\s"'«»“”„‚‘’()\[\]{},;:*_<>|/¿¡،؛\u2013\u2014\-`;
const ANY_LETTER = `[^${SIGNS}.!?]`;
const ANY_WORD = `${ANY_LETTER}{1,24}`;
const ANY_GAP = `(?:[${SIGNS}]{1,6})`;

/**
 * A rule over words of English. A space stands for what separates words, ` ~3 ` for that and up to three words more.
 * An apostrophe separates words, too: `don t`. ` ?` stands for what may separate words or not.
 */
export function phrase(technique: Technique, weight: number, words: string): PhraseRule {
  return { technique, weight, form: new RegExp(`(?<![a-z0-9])(?:${spread(words, WORD, GAP)})(?![a-z0-9])`, 'g') };
}

/** The same over words of any script that writes spaces between them; accents may be written or not. `@` stands for a letter. */
export function phraseOf(technique: Technique, weight: number, words: string): PhraseRule {
  const source = spread(plainWords(words).replaceAll('@', ANY_LETTER), ANY_WORD, ANY_GAP);
  return { technique, weight, form: new RegExp(`(?<!${ANY_LETTER})(?:${source})(?!${ANY_LETTER})`, 'g') };
}

/** For scripts without spaces: ` ~9 ` stands for up to nine characters of the same sentence, a space for nothing or white space. */
export function phraseWithoutSpaces(technique: Technique, weight: number, words: string): PhraseRule {
  const source = plainWords(words)
    .replaceAll(/ ~(\d{1,2}) /g, String.raw`[^.!?\u3002]{0,$1}`)
    .replaceAll(' ', String.raw`\s{0,2}`);
  return { technique, weight, form: new RegExp(source, 'g') };
}

/** A regular expression as it is, over the changed text; repeats must be bounded. */
export const form = (technique: Technique, weight: number, expression: RegExp): PhraseRule => ({ technique, weight, form: expression });

function spread(words: string, word: string, gap: string): string {
  return words.replaceAll(/ ~(\d) /g, (_all, most: string) => ` (?:${word} ){0,${most}}`).replaceAll(' ', gap);
}

export function signalsOf(rules: readonly PhraseRule[], text: string): Signal[] {
  const signals: Signal[] = [];
  for (const { technique, weight, form: expression } of rules) {
    for (const { index, 0: match } of text.matchAll(expression)) {
      signals.push({ technique, weight, start: index, end: index + match.length });
    }
  }
  return signals;
}

/** Alternatives, written one beside the other. */
export const anyOf = (...words: readonly string[]): string => `(?:${words.join('|')})`;
