/**
 * A stated mix of strata, such as nine parts ordinary to one part risky, drawn with a seed. Pure.
 *
 * Inside a part its strata have equal shares, and inside a stratum every record comes before any comes twice.
 */
import { didYouMean } from '../domain/nearest.js';
import type { Mix, MixPart } from './figures.js';
import { gatingFigures, type Pair } from './gating.js';
import { seeded, shuffled } from './random.js';
import type { SetRecord } from './sets/record.js';
import { isWithin, prefixesOf } from './strata.js';
import { countDecisions } from './verdicts.js';

/** A part as it was asked for. */
export interface WantedPart {
  readonly part: string;
  /** All together 1. */
  readonly share: number;
  /** Absent: those of the part's name. */
  readonly strata?: readonly string[];
}

/** What the names of parts stand for with the public sets; a stratum that is really called so comes first. */
const STRATA_OF: Readonly<Record<string, readonly string[]>> = {
  ordinary: ['ordinary-chat'],
  looks_risky: ['harmless-security', 'moderation/harmless', 'pii/mention'],
  risky: ['injection', 'moderation/harmful', 'pii/high'],
};

/** Decimals do not add up to the last bit. */
const ROUNDING = 1e-9;

export class MixProblem extends Error {
  override readonly name = 'MixProblem';
}

/**
 * `name=share,…`, where a name is a part of the table above or strata joined by `+`.
 * @throws MixProblem
 */
export function parseMix(spec: string): WantedPart[] {
  return spec.split(',').map((entry) => {
    const [name = '', share = '', ...more] = entry.split('=').map((side) => side.trim());
    const value = Number(share);
    if (name === '' || share === '' || more.length > 0 || !Number.isFinite(value) || value <= 0)
      throw new MixProblem(
        `--mix: ${JSON.stringify(entry)} is not of the form name=share: write ordinary=0.85,looks_risky=0.05,risky=0.10`,
      );
    return name.includes('+') ? { part: name, share: value, strata: name.split('+') } : { part: name, share: value };
  });
}

/**
 * How often each record stands in the mix, by its number; records that it has none of are absent.
 * @param takes whether the plan takes the record's content.
 * @throws MixProblem when a part names a stratum that no set has.
 */
export function drawMix(
  wanted: readonly WantedPart[],
  records: readonly SetRecord[],
  size: number,
  seed: number,
): { readonly times: ReadonlyMap<number, number>; readonly parts: readonly MixPart[] } {
  const total = wanted.reduce((sum, { share }) => sum + share, 0);
  if (Math.abs(total - 1) > ROUNDING)
    throw new MixProblem(`--mix: the shares add up to ${Number(total.toFixed(6))}: they must be 1 together`);
  const random = seeded(seed);
  const times = new Map<number, number>();
  const parts = wanted.map(({ part, share, strata = usualStrata(part, records) }): MixPart => {
    const n = Math.round((size * share) / total);
    const decks = strataOf(part, strata, records).map((indexes) => shuffled(indexes, random));
    const drawn = new Set<number>();
    for (let i = 0; i < n; i += 1) {
      const deck = decks[i % decks.length] ?? [];
      const index = deck[Math.floor(i / decks.length) % deck.length];
      if (index === undefined) continue;
      times.set(index, (times.get(index) ?? 0) + 1);
      drawn.add(index);
    }
    return { part, share: share / total, strata, n, distinct: drawn.size };
  });
  return { times, parts };
}

function usualStrata(part: string, records: readonly SetRecord[]): readonly string[] {
  if (records.some(({ stratum }) => isWithin(stratum, part))) return [part];
  const usual = Object.hasOwn(STRATA_OF, part) ? (STRATA_OF[part] ?? []) : [];
  // Of the usual ones some sets may not be there: then the others make up the part.
  const there = usual.filter((name) => records.some(({ stratum }) => isWithin(stratum, name)));
  return there.length > 0 ? there : [part];
}

/** The numbers of the records of each stratum. */
function strataOf(part: string, strata: readonly string[], records: readonly SetRecord[]): number[][] {
  const found = strata.map((name) => [...records.keys()].filter((index) => isWithin(records[index]?.stratum ?? '', name)));
  const empty = strata.filter((_, index) => found[index]?.length === 0);
  if (empty.length === 0) return found;
  const known = [...new Set(records.flatMap(({ stratum }) => prefixesOf(stratum)))].toSorted();
  const [first = part] = empty;
  const usual = Object.keys(STRATA_OF).filter((name) => name !== first);
  const hint = didYouMean(first, [...known, ...usual]);
  throw new MixProblem(`--mix: no record is of the stratum ${JSON.stringify(first)}${hint}; there are ${known.slice(0, 30).join(', ')}`);
}

/** @param pairs by the number of the record; `undefined` where the plan does not take the content. */
export function mixFigures(drawn: ReturnType<typeof drawMix>, pairs: readonly (Pair | undefined)[], seed: number): Mix {
  const mixed = [...drawn.times].flatMap(([index, times]) => {
    const pair = pairs[index];
    return pair === undefined ? [] : [{ ...pair, times }];
  });
  const decisions = mixed.flatMap(({ gated, times }) => Array<typeof gated.decision>(times).fill(gated.decision));
  return { seed, parts: drawn.parts, gating: gatingFigures(mixed), decided: countDecisions(decisions) };
}
