/** What has happened to a review, entry by entry, for people. Pure. */
import type { HashedEntry } from '../domain/review/chain.js';
import type { ReviewTier } from '../domain/review/policy.js';
import { isOpenStatus, type ReviewStatus } from '../domain/review/review.js';
import type { JsonObject } from '../domain/request.js';
import { words } from './format.js';
import { safeText } from './safe.js';
import { wrap } from './table.js';

export interface Happened extends HashedEntry {
  readonly payload?: JsonObject;
}

/**
 * What may be shown of it. Whoever is to be the second person of a determination must come to a word of their own, so what
 * others have voted and why stays hidden while it is open.
 */
export function shownTimeline(
  entries: readonly Happened[],
  of: { readonly status: ReviewStatus; readonly tier: ReviewTier },
): readonly Happened[] {
  const isHidden = of.tier === 'determination' && isOpenStatus(of.status);
  return isHidden ? entries.map(withoutVote) : entries;
}

function withoutVote(happened: Happened): Happened {
  if (happened.entry.type !== 'decide') return happened;
  const { payload: _payload, entry, hash } = happened;
  // The digest of a payload with few possible values would tell it.
  const { facts: _facts, payloadDigest: _digest, ...rest } = entry;
  return { entry: rest, hash };
}

export function timelineLines(entries: readonly Happened[], width?: number): string[] {
  return entries.flatMap(({ entry, payload }) => [
    ['  ' + entry.at, words(entry.type), ...(entry.by !== undefined ? [`by ${safeText(entry.by)}`] : []), ...factsOf(entry.facts)].join(
      '  ',
    ),
    ...wordsOf(payload).flatMap((line) => wrap(safeText(line), width, '      ')),
  ]);
}

/** Names of facts that people can make use of. */
const TOLD: readonly string[] = ['disposition', 'code', 'outcome', 'why', 'tier', 'queue', 'epoch', 'holder', 'whose', 'rung', 'insecure'];

function factsOf(facts: JsonObject | undefined): string[] {
  const told = Object.entries(facts ?? {}).filter(([name]) => TOLD.includes(name));
  return told.length === 0
    ? []
    : [told.map(([name, value]) => safeText(`${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)).join(', ')];
}

/** The texts of a command. */
function wordsOf(payload: JsonObject | undefined): string[] {
  const { text, reason, rationale, signals } = payload ?? {};
  const answers = Array.isArray(signals) ? (signals as readonly unknown[]) : [];
  return [
    ...[text, reason].filter((one) => typeof one === 'string'),
    ...answers.flatMap((answer) =>
      typeof answer === 'object' && answer !== null && 'id' in answer && 'reason' in answer
        ? [`${String(answer.id)}: ${String(answer.reason)}`]
        : [],
    ),
    ...(typeof rationale === 'string' ? [`in all: ${rationale}`] : []),
  ];
}
