/**
 * Texts that give orders to a model which reads them, by their techniques: phrases, roles, markup, hidden characters,
 * encodings, made-up dialogues. It knows what careless attacks have in common, not every attack: odd languages, stories and
 * plain requests for what is not allowed pass it.
 *
 * Every signal has a weight. Signals of different techniques close to each other add up as if each were an independent
 * witness: 1 - (1 - a)(1 - b)…; of one technique the strongest counts. From `threshold` on they are violations, and the
 * severity is that score. `score` is the highest of the content, below the threshold as well; `uncertainty` is
 * 1 - |2·score - 1|: 1 at a score of 0.5, above 0.7 between 0.35 and 0.65, so that a plan can ask a judge about the middle.
 */
import { z } from 'zod';
import type { Finding } from '../domain/finding.js';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { originalOf, plainText } from './normalize.js';
import { decodedIn, hiddenSignals, isProse, MAX_DECODED, undisguisedIn, type Decoded } from './prompt-injection/hidden.js';
import { ALL_LANGUAGE_RULES, languageRulesFor } from './prompt-injection/languages.js';
import { PRETEXT_RULES } from './prompt-injection/pretexts.js';
import { signalsOf, TECHNIQUES, type PhraseRule, type Signal, type Technique } from './prompt-injection/rule.js';
import { REQUEST_RULES } from './prompt-injection/rules.js';
import { shapeSignals } from './prompt-injection/shape.js';
import { hasEscapes, spelled, undivided, unescaped } from './prompt-injection/spelling.js';
import { judgeTexts, type Match } from './text.js';

const TECHNIQUE_NAMES = Object.keys(TECHNIQUES) as [Technique, ...Technique[]];

const Options = strict({
  /** Score from which a text is reported, 0.1 to 1. */
  threshold: z.number().min(0.1).max(1).default(0.5),
  /** Techniques that do not count here, for example `encoded_text` where people work with encodings. */
  without: z.array(z.enum(TECHNIQUE_NAMES)).default([]),
});

export type PromptInjectionOptions = z.output<typeof Options>;

/** Signals further apart than this do not add up: a long document says something of everything. UTF-16 units. */
const NEAR = 800;
/** Two windows of signals, and the longest of them. */
const REACH = 2_560;
/** What an encoding hides is meant to be hidden: orders in it are hardly an accident, plain sentences may be a riddle. */
const HIDDEN_ORDER = 0.85;
const HIDDEN_PROSE = 0.5;
/** From this weight on a phrase inside an encoding is an order. */
const ORDER = 0.4;

const ENGLISH: readonly PhraseRule[] = [...REQUEST_RULES, ...PRETEXT_RULES];

/** An expression is compiled at its second use, and apart for texts with characters beyond Latin 1. */
const WARMING = ['ignore nothing: 1', 'ignore nothing: 2', 'ignore nothing: \u263a', 'ignore nothing: \u263b'];

export const promptInjection = defineCritic<PromptInjectionOptions>({
  name: 'prompt_injection',
  version: '1.1.0',
  options: Options,
  // Compiles the expressions, which takes longer than a hundred texts.
  warm: () => {
    for (const text of WARMING) {
      signalsOf([...ENGLISH, ...ALL_LANGUAGE_RULES], plainText(text).text);
      signalsIn(text);
    }
  },
  async evaluate({ content }, tools) {
    const { options } = tools;
    let best = 0;
    const find = (text: string): Match[] => {
      const scored = scoredSignals(signalsIn(text).filter(({ technique }) => !options.without.includes(technique)));
      for (const { score } of scored) best = Math.max(best, score);
      return matchesOf(scored.filter(({ score }) => score >= options.threshold));
    };
    const finding = await judgeTexts(content, [{ find, reach: REACH, pieceChars: PIECE_CHARS }], tools);
    return { ...finding, ...sureness(best) };
  },
});

function sureness(score: number): Pick<Finding, 'score' | 'uncertainty'> {
  return { score: rounded(score), uncertainty: rounded(1 - Math.abs(2 * score - 1)) };
}

const rounded = (share: number): number => Math.round(share * 100) / 100;

/** Says nothing to anybody; structures may have thousands of them. Encodings begin at 16 characters. */
const ONE_WORD = /^(?:[a-z0-9]{0,15}|-?[0-9.]{1,24}e[+-][0-9]{1,3})$/i;
/** Numbers and signs alone say something only in an encoding. */
const NO_LETTERS = /^[\0-@[-`{-\u007f]*$/;

/** Everything that any rule meets, with its places in the original text. */
function signalsIn(text: string): Signal[] {
  if (ONE_WORD.test(text)) return [];
  if (NO_LETTERS.test(text) && !hasEscapes(text)) return hiddenRequests(decodedIn(text));
  const plain = unescaped(plainText(text));
  const words = spelled(undivided(plain));
  const back = (signals: readonly Signal[], of: typeof plain): Signal[] => signals.map((one) => ({ ...one, ...originalOf(of, one) }));
  return [
    ...hiddenSignals(text),
    ...hiddenRequests(decodedIn(text)),
    ...back(hiddenRequests(undisguisedIn(plain.text)), plain),
    ...back(shapeSignals(plain.text), plain),
    ...back(
      signalsOf(ENGLISH, words.text).map((one) => unlessMentioned(one, words.text)),
      words,
    ),
    ...back(signalsOf(languageRulesFor(plain.text), plain.text), plain),
  ];
}

/** `the phrase "…"`, `what does "…" mean`: words before a quote that speak about what is quoted. */
const SPEAKS_ABOUT =
  /\b(?:phrases?|words?|sentences?|expressions?|terms?|strings?|prompts? (?:like|such as)|such as|examples?(?: of|:| is)?|attacks? (?:like|such as)|meaning of|what (?:does|is|are)|means?|called|contain(?:s|ing)?|detects?|messages? like|e\.g\.,?|like) {0,2}["'“‘`]$/;
const QUOTE = /^[^"'”’`\n]{0,60}["'”’`]/;
const MENTIONED = 0.4;

/** Who asks about an attack quotes it; that is no attack, though it may hide one. */
function unlessMentioned(one: Signal, text: string): Signal {
  const quoted = SPEAKS_ABOUT.test(text.slice(Math.max(0, one.start - 40), one.start)) && QUOTE.test(text.slice(one.end, one.end + 64));
  return quoted ? { ...one, weight: one.weight * MENTIONED } : one;
}

function hiddenRequests(decoded: readonly Decoded[]): Signal[] {
  const beyond = decoded[MAX_DECODED];
  const unread: Signal[] = beyond ? [{ technique: 'encoded_text', weight: HIDDEN_PROSE, start: beyond.start, end: beyond.end }] : [];
  return [...decoded.slice(0, MAX_DECODED).flatMap(hiddenRequest), ...unread];
}

/** What a decoded text says; encodings inside encodings are not opened. */
function hiddenRequest({ text, start, end }: Decoded): Signal[] {
  const plain = plainText(text).text;
  const inside = [...signalsOf(ENGLISH, plain), ...signalsOf(languageRulesFor(plain), plain)];
  const worst = inside.reduce((most, { weight }) => Math.max(most, weight), 0);
  if (worst >= ORDER) return [{ technique: 'encoded_text', weight: HIDDEN_ORDER, start, end }];
  return isProse(text) ? [{ technique: 'encoded_text', weight: HIDDEN_PROSE, start, end }] : [];
}

interface Scored extends Signal {
  /** Of this signal with those near it. */
  readonly score: number;
}

/** Signals of one technique and weight that begin so close together are one: a text may be full of them. */
const CLOSE = 80;

function together(sorted: readonly Signal[]): Signal[] {
  const last = new Map<string, number>();
  const joined: Signal[] = [];
  for (const one of sorted) {
    const key = `${one.technique} ${one.weight}`;
    const at = last.get(key);
    const before = at === undefined ? undefined : joined[at];
    if (at !== undefined && before !== undefined && one.start - before.start < CLOSE) {
      joined[at] = { ...before, end: Math.max(before.end, one.end) };
    } else last.set(key, joined.push(one) - 1);
  }
  return joined;
}

function scoredSignals(signals: readonly Signal[]): Scored[] {
  const sorted = together(signals.toSorted((a, b) => a.start - b.start));
  let from = 0;
  return sorted.map((one) => {
    while ((sorted[from]?.start ?? 0) < one.start - NEAR) from += 1;
    const strongest = new Map<Technique, number>();
    for (let at = from; at < sorted.length; at += 1) {
      const other = sorted[at];
      if (other === undefined || other.start > one.start + NEAR) break;
      strongest.set(other.technique, Math.max(other.weight, strongest.get(other.technique) ?? 0));
    }
    const innocent = Array.from(strongest.values()).reduce((share, weight) => share * (1 - weight), 1);
    return { ...one, score: 1 - innocent };
  });
}

/** One violation for what overlaps in one technique. */
function matchesOf(scored: readonly Scored[]): Match[] {
  const last = new Map<Technique, { start: number; end: number; severity: number }>();
  const matches: { technique: Technique; start: number; end: number; severity: number }[] = [];
  for (const { technique, start, end, score } of scored) {
    const severity = rounded(score);
    const before = last.get(technique);
    if (before !== undefined && start < before.end) {
      before.end = Math.max(before.end, end);
      before.severity = Math.max(before.severity, severity);
      continue;
    }
    const match = { technique, start, end, severity };
    last.set(technique, match);
    matches.push(match);
  }
  return matches.map(({ technique, ...rest }) => ({ code: technique, message: TECHNIQUES[technique], ...rest }));
}

/** A hundred and more expressions over each: a smaller piece than others take. */
const PIECE_CHARS = 8_192;
