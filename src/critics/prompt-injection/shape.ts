/** Injections that show by their shape rather than by their words: made-up dialogues, repetition, texts in parts, spelled-out letters. */
import type { Signal } from './rule.js';

/** How far the parts of one shape may lie apart: within the reach of a piece. */
const WITHIN = 1_200;

const TURN =
  /(?:^|[\s"'([>*])(?:(q|question|human|user|customer|student)|(a|answer|assistant|ai|bot|chatbot|chatgpt|model|response))(?: ?\d{1,2})?\*{0,2} ?:/g;

/** Question, answer, question: turns of a talk that never was, which set an example or end with the real request. */
function dialogues(text: string): Signal[] {
  const turns = Array.from(text.matchAll(TURN), ({ index, 0: match, 1: asks }) => ({
    asks: asks !== undefined,
    start: index,
    end: index + match.length,
  }));
  const signals: Signal[] = [];
  for (let at = 2; at < turns.length; at += 1) {
    const [first, second, third] = [turns[at - 2], turns[at - 1], turns[at]];
    if (!first?.asks || second?.asks !== false || !third?.asks || third.end - first.start > WITHIN) continue;
    signals.push({ technique: 'forged_dialogue', weight: 0.5, start: first.start, end: third.end });
  }
  return signals;
}

/** The longest phrase whose repetition is looked for, in words; how many words must repeat, and how often at least. */
const MAX_PERIOD = 12;
const MIN_WORDS = 12;
const MIN_TIMES = 5;
const ASKED_TO_REPEAT =
  /\b(?:repeat|say|write|print|output|type)\b[^.!?\n]{0,80}?\b(?:\d{1,6} times|forever|infinitely|over and over|endlessly|indefinitely|again and again)\b/g;

function repetitions(text: string): Signal[] {
  const asked = Array.from(text.matchAll(ASKED_TO_REPEAT), ({ index, 0: match }) => ({ start: index, end: index + match.length }));
  const runs = runsOf(text);
  const weight = asked.length > 0 && runs.length > 0 ? 0.6 : 0.35;
  return [...asked, ...runs].map(({ start, end }) => ({ technique: 'repeated_text', weight, start, end: Math.min(end, start + WITHIN) }));
}

function runsOf(text: string): { start: number; end: number }[] {
  const words = numberedWords(text);
  const runs: { start: number; end: number }[] = [];
  for (let period = 1; period <= MAX_PERIOD; period += 1) {
    let same = 0;
    for (let at = period; at <= words.length; at += 1) {
      if (at < words.length && words[at]?.number === words[at - period]?.number) {
        same += 1;
        continue;
      }
      const length = same + period;
      const first = words[at - length];
      const last = words[at - 1];
      if (length >= Math.max(MIN_WORDS, MIN_TIMES * period) && first && last && hasLetters(words.slice(at - period, at))) {
        runs.push({ start: first.start, end: last.end });
      }
      same = 0;
    }
    if (runs.length > 0) return runs;
  }
  return runs;
}

interface NumberedWord {
  readonly word: string;
  /** The same for the same word: quicker to compare, and every word is compared a dozen times. */
  readonly number: number;
  readonly start: number;
  readonly end: number;
}

function numberedWords(text: string): NumberedWord[] {
  const numbers = new Map<string, number>();
  return Array.from(text.matchAll(/[\p{L}\p{N}]{1,40}/gu), ({ index, 0: word }) => {
    const number = numbers.get(word) ?? numbers.size;
    numbers.set(word, number);
    return { word, number, start: index, end: index + word.length };
  });
}

/** Numbers of a table repeat honestly. */
const hasLetters = (words: readonly { readonly word: string }[]): boolean => words.every(({ word }) => /\p{L}/u.test(word));

const ASSIGNED = /(?<![\w.])[a-z]\w{0,7} ?[=:] ?["'“‘]([^"'“”‘’\n]{2,300})["'”’]/g;
const SUM = /(?<![\w.])[a-z]\w{0,7} ?\+ ?[a-z]\w{0,7}(?!\w)/g;
const ABOUT_STRINGS =
  /\b(?:strings?|variables?|write down|then (?:give|answer|do|say|execute|follow)|what (?:would|does|is)|respond to|answer)\b/;

/** Texts given to names and added up again: a program does that with few words, a person to a model with many. */
function splitTexts(text: string): Signal[] {
  const assigned = Array.from(text.matchAll(ASSIGNED), ({ index, 1: value = '' }) => ({ start: index, prose: value.trim().includes(' ') }));
  if (assigned.length < 2) return [];
  const signals: Signal[] = [];
  for (const { index, 0: sum } of text.matchAll(SUM)) {
    const parts = assigned.filter(({ start }) => start < index && start > index - WITHIN);
    const first = parts[0];
    if (first === undefined || parts.length < 2) continue;
    const told = ABOUT_STRINGS.test(text.slice(Math.max(0, first.start - 80), index + 80)) && parts.some(({ prose }) => prose);
    signals.push({ technique: 'payload_splitting', weight: told ? 0.65 : 0.3, start: first.start, end: index + sum.length });
  }
  return signals;
}

const PARTS =
  /\b(?:part|piece|fragment|segment|half|string|chunk) ?(?:1|one|a|i)\b[^\n]{3,300}?\b(?:part|piece|fragment|segment|half|string|chunk) ?(?:2|two|b|ii)\b/g;
const PUT_TOGETHER =
  /\b(?:interlace|interleave|combine|concatenate|join|merge|assemble|put (?:them |it |these )?together|following parts|append)\b/;

/** Named parts with the order to put them together; parts alone have every manual. */
function namedParts(text: string): Signal[] {
  return Array.from(text.matchAll(PARTS), ({ index, 0: match }) => {
    const end = index + match.length;
    const quoted = /["'“]/.test(match);
    const together = PUT_TOGETHER.test(text.slice(Math.max(0, index - 120), end + 200));
    return { technique: 'payload_splitting', weight: together && quoted ? 0.65 : together || quoted ? 0.35 : 0.1, start: index, end };
  });
}

/** `i g n o r e   a l l`, `p.a.s.s.w.o.r.d` */
const SPELLED = /(?<![a-z0-9])[a-z](?:[ .\-_*|]{1,3}[a-z]){6,200}(?![a-z0-9])/g;
const MEANT = /ignore|disregard|previous|instructions|systemprompt|password|passphrase|jailbreak|override|bypass|reveal/;

function spelledOut(text: string): Signal[] {
  return Array.from(text.matchAll(SPELLED))
    .filter(({ 0: match }) => MEANT.test(match.replace(/[^a-z]/g, '')))
    .map(({ index, 0: match }) => ({ technique: 'encoded_text', weight: 0.75, start: index, end: index + match.length }));
}

/** `ignoreallpreviousinstructions` */
const TOGETHER =
  /(?<![a-z])[a-z]{0,12}(?:(?:ignore|disregard|forget|bypass|override)(?:all|any|every|the|of|my|these|those){0,4}(?:previous|prior|above|earlier|preceding|your|system|existing|original){1,3}(?:instructions?|prompts?|rules|guidelines|directives|messages|context|programming)|(?:reveal|show|print|output|repeat|tell|give)(?:me|us)?(?:your|the){1,2}(?:system|hidden|secret|initial|original|developer){1,2}(?:prompt|instructions?|password|message))/g;

function runTogether(text: string): Signal[] {
  return Array.from(text.matchAll(TOGETHER), ({ index, 0: match }) => ({
    technique: 'encoded_text',
    weight: 0.75,
    start: index,
    end: index + match.length,
  }));
}

/** `erewhay oesday ethay userway`: words that all end so, days of the week apart. */
const PIG_LATIN = /(?<![a-z])(?:[a-z]{1,14}ay[\s,.?!"']{1,3}){4,80}/g;

function pigLatin(text: string): Signal[] {
  return Array.from(text.matchAll(PIG_LATIN))
    .filter(({ 0: match }) => match.split(/\s+/).filter((word) => /[^ds]ay\W*$/.test(word)).length >= 3)
    .map(({ index, 0: match }) => ({ technique: 'encoded_text', weight: 0.55, start: index, end: index + match.length }));
}

const PICTURE = /!\[[^\]\n]{0,120}\]\((https?:\/\/[^)\n]{1,400})\)/g;
/** A place to fill in, or a name of what is to be carried away. */
const CARRIES = /[{<[]|%7b|\$\w|summary|conversation|history|secret|password|prompt/;

/** A picture whose address carries something: shown by a client, it sends that away. */
function pictures(text: string): Signal[] {
  return Array.from(text.matchAll(PICTURE)).flatMap(({ index, 0: match, 1: address = '' }): Signal[] => {
    const query = /[?&][^=&?]{1,40}=/.test(address);
    const carries = CARRIES.test(address.slice(address.search(/[/?]\w|$/)));
    if (!query && !carries) return [];
    return [{ technique: 'data_exfiltration', weight: carries ? 0.8 : 0.5, start: index, end: index + match.length }];
  });
}

/** @param text as `plainText` makes it. */
export function shapeSignals(text: string): Signal[] {
  return [
    ...dialogues(text),
    ...repetitions(text),
    ...splitTexts(text),
    ...namedParts(text),
    ...spelledOut(text),
    ...runTogether(text),
    ...pigLatin(text),
    ...pictures(text),
  ];
}
