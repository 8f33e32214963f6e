/**
 * What differs between the `review:` blocks of two plans. Pure.
 *
 * Here `looser` also means: fewer escalations come before people, a lower tier or more people may let one proceed, or there
 * is longer time to do so. `stricter`: the reverse. Who is told, and when, lets nothing pass.
 */
import { byRank, changed, type Change, type ChangeDirection } from './plan-diff-words.js';
import type { Plan } from './plan.js';
import { durationText } from './review/duration-text.js';
import { REVIEW_TIERS, type PlanReview, type ReviewTier } from './review/policy.js';

export function reviewChanges({ review: a }: Plan, { review: b }: Plan): Change[] {
  if (a === undefined && b === undefined) return [];
  if (b === undefined) return [said('review', 'removed: what escalates opens no review', 'looser')];
  if (a === undefined) return [said('review', `added: what escalates by a ${b.openOn.join(' or a ')} opens a review`, 'stricter')];
  return [
    ...openingChanges(a, b),
    ...tierChanges(a, b),
    ...queueChanges(a, b),
    ...peopleChanges(a, b),
    ...listChanges('review.reasons', a.reasons, b.reasons, { come: 'neither', gone: 'neither' }),
    ...timeChanges(a, b),
    ...ladderChanges(a, b),
  ];
}

const said = (about: string, text: string, direction: ChangeDirection): Change => ({ about, text: `${about}: ${text}`, direction });

function openingChanges(a: PlanReview, b: PlanReview): Change[] {
  const narrower = a.openOn.every((cause) => b.openOn.includes(cause));
  const wider = b.openOn.every((cause) => a.openOn.includes(cause));
  const direction: ChangeDirection = narrower ? 'stricter' : wider ? 'looser' : 'unranked';
  return [
    ...(narrower && wider ? [] : [changed('review.openOn', a.openOn.join(', '), b.openOn.join(', '), direction)]),
    ...(a.maxOpen === b.maxOpen
      ? []
      : [changed('review.maxOpen', String(a.maxOpen), String(b.maxOpen), b.maxOpen > a.maxOpen ? 'stricter' : 'looser')]),
  ];
}

type TierRule = PlanReview['tiers']['rules'][number];

/** The highest tier that holds is taken: a rule is the same wherever it stands. */
function tierChanges({ tiers: a }: PlanReview, { tiers: b }: PlanReview): Change[] {
  const isIn = (rules: readonly TierRule[], rule: TierRule): boolean =>
    rules.some(({ tier, when }) => tier === rule.tier && when === rule.when);
  const left = a.rules.filter((rule) => !isIn(b.rules, rule));
  const right = b.rules.filter((rule) => !isIn(a.rules, rule));
  const isMoved = (rule: TierRule, others: readonly TierRule[]): boolean =>
    others.filter(({ when }) => when === rule.when).length === 1 &&
    [left, right].every((rules) => rules.filter(({ when }) => when === rule.when).length === 1);
  const moved = left.filter((rule) => isMoved(rule, right));
  const gone = left.filter((rule) => !isMoved(rule, right));
  const come = right.filter((rule) => !isMoved(rule, left));
  // Beside another default it cannot be told what a rule that is gone has left behind.
  const defaultTier = a.default === b.default ? a.default : undefined;
  const changes = [
    ...(a.default === b.default ? [] : [changed('review.tiers.default', a.default, b.default, byRank(REVIEW_TIERS, a.default, b.default))]),
    ...moved.flatMap((one) =>
      right
        .filter(({ when }) => when === one.when)
        .map((other) => changed(`review tier if ${one.when}:`, one.tier, other.tier, movedDirection(one.tier, other.tier, defaultTier))),
    ),
    ...gone.map(({ tier, when }) => said('review.tiers', `no longer ${tier} if ${when}`, goneDirection(tier, defaultTier))),
    ...come.map(({ tier, when }) => said('review.tiers', `now ${tier} if ${when}`, opposite(goneDirection(tier, defaultTier)))),
  ];
  if (changes.length > 0 || JSON.stringify(a) === JSON.stringify(b)) return changes;
  return [said('review.tiers', 'only the order or a repetition of rules changed, which means nothing', 'neither')];
}

/** One that errs holds as `acknowledgement` and not as `triage`, and then hides a default of `determination`. */
function movedDirection(from: ReviewTier, to: ReviewTier, defaultTier: ReviewTier | undefined): ChangeDirection {
  const mayHide = defaultTier === undefined || defaultTier === 'determination';
  return mayHide && from !== 'determination' && to !== 'determination' ? 'unranked' : byRank(REVIEW_TIERS, from, to);
}

/** What a rule took falls to lower rules or to the default. */
function goneDirection(tier: ReviewTier, defaultTier: ReviewTier | undefined): ChangeDirection {
  if (defaultTier === undefined) return 'unranked';
  if (tier === 'triage') return defaultTier === 'triage' ? 'neither' : 'stricter';
  return REVIEW_TIERS.indexOf(tier) >= REVIEW_TIERS.indexOf(defaultTier) ? 'looser' : 'unranked';
}

const OPPOSITE: Readonly<Record<ChangeDirection, ChangeDirection>> = {
  looser: 'stricter',
  stricter: 'looser',
  neither: 'neither',
  unranked: 'unranked',
};
const opposite = (direction: ChangeDirection): ChangeDirection => OPPOSITE[direction];

/** Where reviews wait says nothing about who may decide them. */
function queueChanges({ queues: a }: PlanReview, { queues: b }: PlanReview): Change[] {
  const text = ({ queue, when }: PlanReview['queues']['rules'][number]): string => `${queue} if ${when}`;
  const [before, after] = [a.rules.map(text), b.rules.map(text)];
  const changes = [
    ...(a.default === b.default ? [] : [changed('review.queues.default', a.default, b.default, 'neither')]),
    ...listChanges('review.queues', before, after, { come: 'neither', gone: 'neither' }),
  ];
  if (changes.length > 0 || before.join('\n') === after.join('\n')) return changes;
  return [said('review.queues', 'the order of the rules changed, of which the first that holds is taken', 'neither')];
}

/** Leads decide nothing, but what they withdraw is not looked at, and whom they assign may be whoever says yes. */
function peopleChanges(a: PlanReview, b: PlanReview): Change[] {
  return [
    ...REVIEW_TIERS.flatMap((tier) =>
      listChanges(`review.reviewers.${tier}`, a.reviewers[tier], b.reviewers[tier], { come: 'looser', gone: 'stricter' }),
    ),
    ...listChanges('review.leads', a.leads, b.leads, { come: 'looser', gone: 'stricter' }),
  ];
}

function listChanges(
  about: string,
  a: readonly string[],
  b: readonly string[],
  { come, gone }: Readonly<Record<'come' | 'gone', ChangeDirection>>,
): Change[] {
  return [
    ...a.filter((one) => !b.includes(one)).map((one) => said(about, `${one} removed`, gone)),
    ...b.filter((one) => !a.includes(one)).map((one) => said(about, `${one} added`, come)),
  ];
}

const TIMES = ['claimBy', 'lease', 'decideBy', 'expires'] as const;

/** Only the end of a review shuts the gate for good; the other times remind people, or let somebody else have it. */
function timeChanges({ times: a }: PlanReview, { times: b }: PlanReview): Change[] {
  return TIMES.flatMap((name) => {
    const [from, to] = [a[`${name}Ms`], b[`${name}Ms`]];
    if (from === to) return [];
    const direction = name !== 'expires' ? 'neither' : to > from ? 'looser' : 'stricter';
    return [changed(`review.times.${name}`, durationText(from), durationText(to), direction)];
  });
}

function ladderChanges({ ladder: a }: PlanReview, { ladder: b }: PlanReview): Change[] {
  const text = (ladder: PlanReview['ladder']): string[] => ladder.map(({ afterMs, notify }) => `${notify} after ${durationText(afterMs)}`);
  return listChanges('review.ladder', text(a), text(b), { come: 'neither', gone: 'neither' });
}
