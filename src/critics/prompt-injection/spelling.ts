/**
 * Words of instructions, written so that a rule would miss them and a model would not: `ignroe`, `1n5truct10ns`, `**ig**nore`,
 * `&#105;gnore`.
 */
import { plainWords, rewritten, type PlainText } from '../normalize.js';

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

/** Shorter words of instructions, of which only whole ones are put together again. */
const JOINED = new Set(
  KEYWORDS.concat(
    'all',
    'any',
    'your',
    'prior',
    'above',
    'earlier',
    'rules',
    'prompts',
    'orders',
    'show',
    'tell',
    'print',
    'repeat',
    'output',
  ),
);
/** Signs of Markdown and marks of HTML. */
const MARKUP = String.raw`(?:[*_~\x60]{1,3}|<\/?[a-z][a-z0-9]{0,10}(?:\s[^<>]{0,60})?\/?>|<!--[^<>]{0,40}-->)`;
const ANY_MARKUP = new RegExp(MARKUP, 'g');
const DIVIDED_WORD = new RegExp(`(?<![a-z])[a-z]{0,14}(?:${MARKUP}{1,3}[a-z]{1,14}){1,8}(?:${MARKUP})?(?![a-z])`, 'g');

/** Puts together words that markup divides; what is no word of instructions then stays as it was. */
export function undivided(plain: PlainText): PlainText {
  if (!/[*_~`<]/.test(plain.text)) return plain;
  return rewritten(plain, DIVIDED_WORD, (divided) => {
    const parts = divided.split(ANY_MARKUP).filter((part) => part !== '');
    return parts.length > 1 && JOINED.has(parts.join('')) ? parts.join('') : divided;
  });
}

/** A character of HTML by its number, some by name, and a byte of ASCII as it stands in addresses. */
const ESCAPED = /&(?:#\d{2,7}|#x[0-9a-f]{2,6}|nbsp|shy|zwnj|zwj|lt|gt|quot|apos);|%[2-7][0-9a-f]/g;
const NAMES: Readonly<Record<string, string>> = { nbsp: ' ', lt: '<', gt: '>', quot: '"', apos: "'" };
const LAST_CODE = 0x10ffff;

export const hasEscapes = (text: string): boolean => /&[#a-z]|%[2-7]/i.test(text);

/** The characters that are meant in the place of their numbers; `plain` in lower case. */
export function unescaped(plain: PlainText): PlainText {
  return hasEscapes(plain.text) ? rewritten(plain, ESCAPED, characterOf) : plain;
}

function characterOf(escaped: string): string {
  if (escaped.startsWith('%')) return String.fromCodePoint(Number.parseInt(escaped.slice(1), 16)).toLowerCase();
  const name = escaped.slice(1, -1);
  if (!name.startsWith('#')) return NAMES[name] ?? '';
  const code = Number.parseInt(name.replace(/^#x?/, ''), name.startsWith('#x') ? 16 : 10);
  return code > LAST_CODE ? escaped : plainWords(String.fromCodePoint(code).toLowerCase());
}
