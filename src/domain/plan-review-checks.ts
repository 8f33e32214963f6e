/** What the `review:` block of a plan means together. Pure; its expressions are checked by `plan-expression-checks.ts`. */
import { error, errorAtKey, warning, type PlanPath, type PlanProblem, type PlanUnderCheck } from './plan-problem.js';
import { CHANNEL_FORM } from './review/channels.js';
import { durationText } from './review/duration-text.js';
import { GROUP_FORM } from './review/people.js';
import { REVIEW_TIERS, WORD_FORM, type PlanReview, type ReviewTier } from './review/policy.js';

type WrittenReview = NonNullable<PlanUnderCheck['source']['review']>;

/** Nothing may be called so anywhere in a plan: the one is a field, every object has the other. */
const TAKEN: ReadonlySet<string> = new Set(['default', 'constructor']);
/** A shorter time is over before anybody sees it: it was meant in another unit. */
const LEAST_TIME_MS = 1_000;

export function reviewProblems({ source, plan }: PlanUnderCheck): PlanProblem[] {
  if (source.review === undefined || plan.review === undefined) return [];
  return [
    ...routingProblems(source.review),
    ...reviewerProblems(source.review, plan.review),
    ...reasonProblems(source.review, plan.review),
    ...timeProblems(source.review, plan.review),
    ...ladderProblems(source.review, plan.review),
  ];
}

/**
 * Where people are asked and nobody is told to answer. Not among the problems, since it is right for whoever brings escalated
 * cases before people by other means: told by who looks at a plan, not by everybody who uses it.
 */
export function reviewAdvice({ source }: PlanUnderCheck): PlanProblem[] {
  if (source.review !== undefined) return unopened(source);
  const rule = (source.verdict.rules ?? []).findIndex(({ escalate }) => escalate !== undefined);
  if (rule === -1 && source.verdict.otherwise !== 'escalate') return [];
  const path: PlanPath = rule === -1 ? ['verdict', 'otherwise'] : ['verdict', 'rules', rule, 'escalate'];
  return [warning(path, 'escalates, and no review is opened: to have people decide such cases here, write a review: block')];
}

/** Told beside it: a block that is kept for later is no mistake. */
function unopened({ review, verdict }: PlanUnderCheck['source']): PlanProblem[] {
  const escalates = verdict.otherwise === 'escalate' || (verdict.rules ?? []).some(({ escalate }) => escalate !== undefined);
  if (escalates || (review?.openOn ?? ['finding']).includes('failure')) return [];
  const message = 'opens no review: no rule of the verdict escalates, nor does otherwise, and openOn does not name failure';
  return [warning(['review'], message)];
}

/** Tiers that a review may come to: where it opens, and what people may raise it to. */
function reachable({ tiers }: PlanReview): ReadonlySet<ReviewTier> {
  const opened = [tiers.default, ...tiers.rules.map(({ tier }) => tier)];
  // An escalation without a finding, too, is never left to triage.
  return new Set<ReviewTier>([...opened, ...(opened.includes('triage') ? (['acknowledgement'] as const) : []), 'determination']);
}

function routingProblems({ tiers, queues }: WrittenReview): PlanProblem[] {
  const tierRules = (tiers?.rules ?? []).flatMap((rule, index) =>
    Object.keys(rule).length === 1
      ? []
      : [error(['review', 'tiers', 'rules', index], `a rule names exactly one of ${REVIEW_TIERS.join(', ')}`)],
  );
  const queueRules = (queues?.rules ?? []).flatMap((rule, index) => {
    const path = ['review', 'queues', 'rules', index];
    const names = Object.keys(rule);
    if (names.length !== 1) return [error(path, 'a rule names exactly one queue')];
    return names.flatMap((name) => {
      const problem = queueProblem(name);
      return problem === undefined ? [] : [errorAtKey([...path, name], problem)];
    });
  });
  const ofDefault = queues === undefined ? undefined : queueProblem(queues.default);
  return [...tierRules, ...(ofDefault === undefined ? [] : [error(['review', 'queues', 'default'], ofDefault)]), ...queueRules];
}

function queueProblem(name: string): string | undefined {
  if (TAKEN.has(name)) return `no queue may be called ${name}`;
  return WORD_FORM.test(name) ? undefined : notOfForm(name, 'a queue', '[a-z][a-z0-9_]{0,63}, such as safety');
}

function reviewerProblems({ reviewers, leads }: WrittenReview, review: PlanReview): PlanProblem[] {
  const reached = reachable(review);
  const lists = REVIEW_TIERS.flatMap((tier) => listProblems(['review', 'reviewers', tier], reviewers[tier] ?? [], groupProblem));
  const missing = REVIEW_TIERS.filter((tier) => reached.has(tier) && review.reviewers[tier].length === 0).map((tier) =>
    error(['review', 'reviewers', tier], `nobody would decide: ${tier} needs at least one group, since ${whyReached(tier, review)}`),
  );
  const noLeads =
    leads?.length === 0 ? [error(['review', 'leads'], 'at least one group must lead; leave it out for those of determination')] : [];
  return [...lists, ...missing, ...listProblems(['review', 'leads'], leads ?? [], groupProblem), ...noLeads];
}

function whyReached(tier: ReviewTier, { tiers }: PlanReview): string {
  if (tiers.default === tier) return 'it is the tier where no rule holds';
  if (tiers.rules.some((rule) => rule.tier === tier)) return 'a rule of tiers names it';
  return tier === 'determination' ? 'people may raise any review to it' : 'reviews of triage may come to it';
}

const groupProblem = (name: string): string | undefined =>
  GROUP_FORM.test(name) ? undefined : notOfForm(name, 'a group', '[a-z][a-z0-9_-]{0,63}, such as moderators');

function reasonProblems({ reasons = [] }: WrittenReview, review: PlanReview): PlanProblem[] {
  const isCode = (code: string): string | undefined =>
    WORD_FORM.test(code) ? undefined : notOfForm(code, 'a reason code', '[a-z][a-z0-9_]{0,63}, such as false_positive');
  const needed = reachable(review).has('triage') && reasons.length === 0;
  return [
    ...listProblems(['review', 'reasons'], reasons, isCode),
    ...(needed ? [error(['review', 'reasons'], 'triage needs at least one reason code to decide with')] : []),
  ];
}

function listProblems(path: PlanPath, list: readonly string[], problemOf: (entry: string) => string | undefined): PlanProblem[] {
  return list.flatMap((entry, index) => {
    const problem = problemOf(entry) ?? (list.indexOf(entry) < index ? `${entry} stands above already` : undefined);
    return problem === undefined ? [] : [error([...path, index], problem)];
  });
}

const notOfForm = (name: string, what: string, form: string): string =>
  `${JSON.stringify(name.slice(0, 80))} is not ${what}: write ${form}`;

const TIMES = ['claimBy', 'lease', 'decideBy', 'expires'] as const;
type TimeName = (typeof TIMES)[number];
/** The first may not be longer than the second. */
const WITHIN: readonly (readonly [TimeName, TimeName])[] = [
  ['claimBy', 'decideBy'],
  ['lease', 'decideBy'],
  ['decideBy', 'expires'],
];

function timeProblems({ times = {} }: WrittenReview, review: PlanReview): PlanProblem[] {
  const msOf = (name: TimeName): number => review.times[`${name}Ms`];
  const said = (name: TimeName): string => `${durationText(msOf(name))}${times[name] === undefined ? ' by default' : ''}`;
  const short = TIMES.filter((name) => msOf(name) < LEAST_TIME_MS).map((name) => tooShort(['review', 'times', name], msOf(name)));
  const wide = WITHIN.filter(([inner, outer]) => msOf(inner) > msOf(outer)).map(([inner, outer]) =>
    // Of what was written: a default stands nowhere in the file.
    error(['review', 'times', times[inner] === undefined ? outer : inner], `${inner} is ${said(inner)}, but ${outer} only ${said(outer)}`),
  );
  return [...short, ...wide];
}

const tooShort = (path: PlanPath, ms: number): PlanProblem =>
  error(path, `must be at least ${durationText(LEAST_TIME_MS)}, is ${durationText(ms)}`);

/** Rungs at one time would be one: who is to be told of it at once shares a channel. */
function ladderProblems({ ladder = [] }: WrittenReview, { times }: PlanReview): PlanProblem[] {
  return ladder.flatMap(({ after, notify }, index) => {
    const path = ['review', 'ladder', index];
    const before = ladder[index - 1]?.after.ms ?? 0;
    const problems = CHANNEL_FORM.test(notify)
      ? []
      : [error([...path, 'notify'], notOfForm(notify, 'a channel', '[a-z][a-z0-9_-]{0,63}, such as oncall'))];
    if (after.ms < LEAST_TIME_MS) return [...problems, tooShort([...path, 'after'], after.ms)];
    if (after.ms <= before) {
      const message = `comes after ${durationText(after.ms)}, and the rung above after ${durationText(before)}: write the earliest first`;
      return [...problems, error([...path, 'after'], message)];
    }
    if (after.ms < times.expiresMs) return problems;
    const message = `would come after ${durationText(after.ms)}, and the review expires after ${durationText(times.expiresMs)}`;
    return [...problems, error([...path, 'after'], message)];
  });
}
