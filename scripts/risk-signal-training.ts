/**
 * Training of the two models of `risk_signal` on a folder of labelled sets: logistic regression by AdaGrad (Duchi, Hazan,
 * Singer, JMLR 2011), classes weighted to count alike. The same folder gives the same models.
 *
 * Tried on held-out records and left out, since at the false alarms that a gate can bear they found a few records more or a
 * few less: parts of two and of five letters with twice as many places, signs as words, pairs with a word between them,
 * features scaled as by Wang and Manning (ACL 2012), averaged weights.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WrittenModel } from '../src/critics/risk-signal.js';
import { HASH_BITS, makeWindows, type Features } from '../src/critics/risk-signal/features.js';

export const ABOUT = ['harm', 'injection'] as const;
export type About = (typeof ABOUT)[number];

interface Row {
  readonly prompt: string;
  readonly response: string | null;
  readonly id: string;
  readonly labels: { readonly positive?: readonly string[] };
  readonly expected: { readonly verdict: string | null };
}

export interface Sample {
  readonly set: string;
  /** 0 to 4, by the id. */
  readonly fold: number;
  readonly prompt: string;
  readonly response: string | null;
  /** Windows by what they teach: harm stands in prompts and answers, attacks are looked for in what a user wrote. */
  readonly windows: Readonly<Record<About, readonly Features[]>>;
  /** A label that nobody gave is absent. */
  readonly is: Readonly<Partial<Record<About, boolean>>>;
}

export interface Model {
  readonly weights: Float64Array;
  readonly bias: number;
}

const PASSES = 20;
const RATE = 0.3;
/** Of 214 held-out harmful records a gate that opens for a fourth of ordinary chat missed 7 with a tenth of it, and 3 with this. */
const SHRINK = 1e-3;
/** A window of a record of n counts n^-0.5: not all of a harmful text is harmful. Finds as many, with fewer false alarms. */
const LENGTH_POWER = 0.5;
export const FOLDS = 5;

export const SETS = [
  { set: 'moderation', file: 'openai-moderation/data.jsonl', is: harmOf },
  { set: 'attacks', file: 'purplellama-injection/attacks.jsonl', is: () => ({ harm: false, injection: true }) },
  { set: 'harmless', file: 'purplellama-injection/harmless.jsonl', is: () => ({ harm: false, injection: false }) },
  { set: 'chat', file: 'arena-hard-chat/data.jsonl', is: () => ({ harm: false, injection: false }) },
  { set: 'personal data', file: 'presidio-synthetic-pii/data.jsonl', is: () => ({ harm: false, injection: false }) },
] as const;

function harmOf({ labels, expected }: Row): Sample['is'] {
  if ((labels.positive ?? []).length > 0) return { harm: true, injection: false };
  return expected.verdict === 'allow' ? { harm: false, injection: false } : { injection: false };
}

export function readSamples(folder: string): Sample[] {
  const windowsOf = makeWindows();
  return SETS.flatMap(({ set, file, is }) =>
    readFileSync(join(folder, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row)
      .map((row) => ({ row, ofPrompt: [...windowsOf(row.prompt)] }))
      .map(({ row, ofPrompt }) => ({
        set,
        fold: (createHash('sha256').update(row.id).digest()[0] ?? 0) % FOLDS,
        prompt: row.prompt,
        response: row.response,
        windows: { harm: [...ofPrompt, ...(row.response === null ? [] : windowsOf(row.response))], injection: ofPrompt },
        is: is(row),
      })),
  );
}

export function train(samples: readonly Sample[], about: About): Model {
  const known = samples
    .flatMap(({ is, windows: { [about]: windows } }) =>
      windows.map((window) => ({ window, yes: is[about], counts: windows.length ** -LENGTH_POWER })),
    )
    .filter(({ yes }) => yes !== undefined);
  const weigh = (of: boolean): number => known.reduce((sum, { yes, counts }) => sum + (yes === of ? counts : 0), 0);
  const weightOfYes = weigh(false) / weigh(true);
  const weights = new Float64Array(2 ** HASH_BITS);
  const squares = new Float64Array(2 ** HASH_BITS).fill(1e-2);
  let bias = 0;
  let biasSquares = 1e-2;
  const random = randomNumbers();
  for (let pass = 0; pass < PASSES; pass += 1) {
    for (const { window, yes, counts } of shuffled(known, random)) {
      const slope = (chance(weights, bias, window) - Number(yes)) * counts * (yes === true ? weightOfYes : 1);
      for (const [index, place] of window.places.entries()) {
        const step = slope * (window.values[index] ?? 0) + SHRINK * (weights[place] ?? 0);
        squares[place] = (squares[place] ?? 0) + step * step;
        weights[place] = (weights[place] ?? 0) - (RATE * step) / Math.sqrt(squares[place] ?? 1);
      }
      biasSquares += slope * slope;
      bias -= (RATE * slope) / Math.sqrt(biasSquares);
    }
  }
  return { weights, bias };
}

function chance(weights: ArrayLike<number>, bias: number, { places, values }: Features): number {
  let sum = bias;
  for (const [index, place] of places.entries()) sum += (weights[place] ?? 0) * (values[index] ?? 0);
  return 1 / (1 + Math.exp(-sum));
}

export const worst = ({ weights, bias }: Model, { windows }: Sample, about: About): number =>
  Math.max(0, ...windows[about].map((window) => chance(weights, bias, window)));

/** Numerical Recipes' linear congruential generator: the same order each time. */
function randomNumbers(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** As the critic reads it. */
export function written({ weights, bias }: Model): WrittenModel {
  const scale = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0) / 127;
  return { scale, bias, weights: Buffer.from(Int8Array.from(weights, (weight) => Math.round(weight / scale)).buffer).toString('base64') };
}
