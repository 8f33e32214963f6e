/** Words of instructions, written so that a rule would miss them and a model would not: `ignroe`, `prevous`, `1n5truct10ns`. */
import { rewritten, type PlainText } from './normalize.js';

/** The words that most rules hang on; long enough that a slip rarely makes another word of them. */
const KEYWORDS = [
  'ignore',
  'disregard',
  'forget',
  'override',
  'bypass',
  'previous',
  'instruction',
  'instructions',
  'directives',
  'guidelines',
  'system',
  'prompt',
  'password',
  'passphrase',
  'credentials',
  'reveal',
  'secret',
  'everything',
  'restrictions',
  'unrestricted',
  'developer',
  'jailbreak',
  'assistant',
];
/** Slips that are words themselves. */
const WORDS = new Set([
  'forge',
  'revel',
  'systems',
  'prompts',
  'secrets',
  'passwords',
  'assistants',
  'developers',
  'forgets',
  'reveals',
  'ignores',
  'ignored',
  'pervious',
]);

/** What each slip of one keyword was meant to be: a letter left out, or doubled, or two in the wrong order. */
const MEANT = new Map(KEYWORDS.flatMap((word) => slipsOf(word).map((slip): [string, string] => [slip, word])));
/** The same first and last letter and the same letters between them, in any order. */
const SHUFFLED = new Map(KEYWORDS.map((word) => [shuffleKey(word), word]));
/** What is quickly seen of a shuffled keyword: hardly any other word has it. */
const FRAMES = new Set(KEYWORDS.map(frameOf));

function slipsOf(word: string): string[] {
  const slips: string[] = [];
  for (let at = 1; at < word.length; at += 1) {
    slips.push(word.slice(0, at) + word.slice(at + 1), word.slice(0, at) + word.slice(at - 1));
    slips.push(word.slice(0, at - 1) + word[at] + word[at - 1] + word.slice(at + 1));
  }
  return slips.filter((slip) => slip !== word && !WORDS.has(slip) && !KEYWORDS.includes(slip));
}

function shuffleKey(word: string): string {
  return `${word[0]}${Array.from(word.slice(1, -1)).toSorted().join('')}${word.at(-1)}`;
}

function frameOf(word: string): string {
  return `${word[0]}${word.length}${word.at(-1)}`;
}

function shuffledFrom(word: string): string | undefined {
  return FRAMES.has(frameOf(word)) && !WORDS.has(word) ? SHUFFLED.get(shuffleKey(word)) : undefined;
}

const LETTER_OF: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'l',
};
const LONGEST_KEYWORD = Math.max(...KEYWORDS.map(({ length }) => length)) + 1;

/** A word and what is written for letters in it. */
const WRITTEN_WORD = /(?<![a-z0-9@$!|])[a-z0-9@$!|]{5,14}(?![a-z0-9@$|])/g;

/** Puts the keyword in the place of each of its misspellings. */
export function spelled(plain: PlainText): PlainText {
  return rewritten(plain, WRITTEN_WORD, (word) => {
    if (word.length > LONGEST_KEYWORD) return word;
    const letters = /[0-9@$!|]/.test(word) ? word.replace(/[0-9@$!|]/g, (sign) => LETTER_OF[sign] ?? sign) : word;
    if (letters !== word && KEYWORDS.includes(letters)) return letters;
    return MEANT.get(letters) ?? shuffledFrom(letters) ?? word;
  });
}
