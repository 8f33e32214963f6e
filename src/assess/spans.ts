/**
 * Marked stretches against those that a critic gave. Pure.
 *
 * A marked and a given stretch are the same when they are of one type, stand in the same text, and share at least half of the
 * longer one. Each counts once: the pair that shares most is taken first.
 */
import type { Finding } from '../domain/finding.js';
import { plain, spanTypeOf } from './families.js';
import type { SpanFigures, SpanQuality } from './figures.js';
import type { LabelledSpan, SetRecord } from './sets/record.js';
import { f1, wilson } from './statistics.js';

const LEAST_SHARE = 0.5;

type Place = Omit<LabelledSpan, 'type'>;

interface Tally {
  labelled: number;
  given: number;
  matched: number;
}

/** `undefined` when no record has marked stretches, or no finding gives one. */
export function spanFigures(records: readonly SetRecord[], findings: readonly (Finding | undefined)[]): SpanFigures | undefined {
  const tallies = new Map<string, Tally>();
  const names = new Map<string, string>();
  let count = 0;
  for (const [index, { spans }] of records.entries()) {
    const finding = findings[index];
    if (spans === undefined || finding === undefined) continue;
    count += 1;
    for (const { type } of spans) names.set(plain(type), type);
    tally(spans, finding, tallies);
  }
  // A code speaks of a type wherever the critic gave it, so that an alarm in a clean text makes the type one it looks for.
  const looked = new Set(findings.flatMap((finding) => finding?.violations.filter(({ span }) => span !== undefined).map(spanTypeOf) ?? []));
  const types = [...tallies].filter(([type]) => looked.has(type) && names.has(type));
  if (count === 0 || types.length === 0) return undefined;
  return {
    records: count,
    types: types.map(([type, counts]) => spanQuality(names.get(type) ?? type, counts)).toSorted((a, b) => b.labelled - a.labelled),
    notLookedFor: [...tallies]
      .filter(([type, { labelled }]) => !looked.has(type) && labelled > 0)
      .map(([type, { labelled }]) => ({ type: names.get(type) ?? type, labelled }))
      .toSorted((a, b) => b.labelled - a.labelled),
  };
}

function spanQuality(type: string, { labelled, given, matched }: Tally): SpanQuality {
  return {
    type,
    labelled,
    found: matched,
    precision: wilson(matched, given),
    recall: wilson(matched, labelled),
    f1: f1(matched, given - matched, labelled - matched),
  };
}

function tally(labelled: readonly LabelledSpan[], { violations }: Finding, tallies: Map<string, Tally>): void {
  const given = violations.flatMap((violation) => {
    const { span } = violation;
    return span === undefined ? [] : [{ type: spanTypeOf(violation), start: span.start, end: span.end, path: span.path ?? '' }];
  });
  const typed = labelled.map((span) => ({ ...span, type: plain(span.type) }));
  for (const type of new Set([...typed, ...given].map((span) => span.type))) {
    const counts = tallies.get(type) ?? { labelled: 0, given: 0, matched: 0 };
    tallies.set(type, counts);
    const [mine, theirs] = [typed, given].map((spans) => spans.filter((span) => span.type === type));
    counts.labelled += mine?.length ?? 0;
    counts.given += theirs?.length ?? 0;
    counts.matched += matches(mine ?? [], theirs ?? []);
  }
}

/** How many pairs there are, the best first. */
export function matches(labelled: readonly Place[], given: readonly Place[]): number {
  const pairs = labelled
    .flatMap((a, i) => given.map((b, j) => ({ i, j, share: sharedOf(a, b) })))
    .filter(({ share }) => share >= LEAST_SHARE);
  const [takenI, takenJ] = [new Set<number>(), new Set<number>()];
  for (const { i, j } of pairs.toSorted((a, b) => b.share - a.share)) {
    if (takenI.has(i) || takenJ.has(j)) continue;
    takenI.add(i);
    takenJ.add(j);
  }
  return takenI.size;
}

/** What both have, as a share of the longer one. */
function sharedOf(a: Place, b: Place): number {
  if (a.path !== b.path) return 0;
  const shared = Math.min(a.end, b.end) - Math.max(a.start, b.start);
  return Math.max(0, shared) / Math.max(a.end - a.start, b.end - b.start, 1);
}
