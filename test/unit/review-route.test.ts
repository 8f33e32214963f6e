/** Whether an escalation opens a review, of which tier and in which queue: every cause, every rule, every error. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunFacts } from '../../src/domain/gate.js';
import type { CriticOutcome, CriticRecord } from '../../src/domain/outcomes.js';
import type { Plan } from '../../src/domain/plan.js';
import { REVIEW_TIERS, type PlanReview, type ReviewTier } from '../../src/domain/review/policy.js';
import { routeReview, type ReviewRoute } from '../../src/domain/review/route.js';
import { decideVerdict } from '../../src/domain/verdict.js';
import { critic, facts, onFailure, plan } from '../support/plans.js';
import { record, records, runs, run } from './verdict-fixture.js';

const FOUND = 'findings.exists(f, f.severity > 0.5)';
/** Passes the check, and errs with what `context.n` is here. */
const ERRS = 'has(context.n) && 1 / int(context.n) > 0';
const errs: RunFacts = { ...facts, context: { n: 0 } };
const RULE = { effect: 'escalate', when: FOUND, reason: 'found', decisive: false } as const;

function review(overrides: Partial<PlanReview> = {}): PlanReview {
  return {
    openOn: ['finding', 'failure'],
    maxOpen: 10,
    tiers: { default: 'acknowledgement', rules: [] },
    queues: { default: 'reviews', rules: [] },
    reviewers: { triage: ['mods'], acknowledgement: ['leads'], determination: ['board'] },
    leads: ['leads'],
    reasons: ['spam'],
    times: { claimByMs: 1_000, leaseMs: 1_000, decideByMs: 2_000, expiresMs: 3_000 },
    ladder: [],
    ...overrides,
  };
}

/** Two critics, of which the second may break and then escalates. */
const CRITICS = [critic('one'), critic('two', { onFailure: onFailure({ failed: 'escalate', timed_out: 'ignore' }) })] as const;

const planOf = (of: PlanReview | undefined, verdict: Partial<Plan['verdict']> = {}): Plan =>
  plan(CRITICS, { verdict: { rules: [RULE], otherwise: 'allow', ...verdict }, ...(of === undefined ? {} : { review: of }) });

function ended(severity: number, two: CriticOutcome = 'succeeded', one: CriticOutcome = 'succeeded'): ReadonlyMap<string, CriticRecord> {
  return records([record(CRITICS[0], one, severity), record(CRITICS[1], two)]);
}

function routed(of: Plan, ends: ReadonlyMap<string, CriticRecord>, given: RunFacts = facts): ReviewRoute | undefined {
  return routeReview(of, decideVerdict(of, ends, given), ends, given);
}

/** Of a finding that escalates. */
const tierOf = (tiers: PlanReview['tiers'], given: RunFacts = facts): ReviewTier | undefined => {
  const route = routed(planOf(review({ tiers })), ended(0.8), given);
  return route?.open === true ? route.tier : undefined;
};

describe('a review', () => {
  it('is not asked for by a plan without the block', () => {
    expect(routed(planOf(undefined), ended(0.8))).toBeUndefined();
  });

  it.each([
    ['allow', planOf(review()), ended(0)],
    ['not judged', planOf(review()), ended(0.8, 'succeeded', 'failed')],
    ['deny', planOf(review(), { otherwise: 'deny' }), ended(0)],
  ])('is not asked for by a decision of %s', (_, of, ends) => {
    expect(decideVerdict(of, ends, facts).decision).not.toBe('escalate');
    expect(routed(of, ends)).toBeUndefined();
  });

  it('opens in the tier and the queue where no rule holds', () => {
    expect(routed(planOf(review()), ended(0.8))).toEqual({ open: true, tier: 'acknowledgement', queue: 'reviews' });
  });
});

describe('the cause of an escalation', () => {
  const isOpen = (openOn: PlanReview['openOn'], of: Partial<Plan['verdict']>, ends: ReadonlyMap<string, CriticRecord>, given?: RunFacts) =>
    routed(planOf(review({ openOn }), of), ends, given)?.open;

  it.each<
    [what: string, cause: 'finding' | 'failure', of: Partial<Plan['verdict']>, ends: ReadonlyMap<string, CriticRecord>, given?: RunFacts]
  >([
    ['a rule that holds', 'finding', {}, ended(0.8)],
    ["the plan's otherwise", 'finding', { otherwise: 'escalate' }, ended(0)],
    ['a rule that errs', 'failure', { rules: [{ ...RULE, when: ERRS }] }, ended(0), errs],
    ['a critic that failed', 'failure', {}, ended(0, 'failed')],
    ['a critic whose output was none', 'failure', {}, ended(0, 'invalid_output')],
    ['a critic beyond the budget', 'failure', {}, ended(0, 'over_budget')],
    ['what allow needs of a critic', 'failure', { allowNeeds: { critics: ['two'] } }, ended(0, 'gated')],
    ['what allow needs of coverage', 'failure', { allowNeeds: { critics: [], coverage: 0.9 } }, ended(0, 'timed_out')],
    ['no success at all', 'failure', {}, ended(0, 'gated', 'gated')],
  ])('is, of %s, a %s', (_, cause, of, ends, given) => {
    expect(isOpen(['finding'], of, ends, given)).toBe(cause === 'finding');
    expect(isOpen(['failure'], of, ends, given)).toBe(cause === 'failure');
    expect(isOpen(['finding', 'failure'], of, ends, given)).toBe(true);
  });

  it('may be both, and either then opens a review', () => {
    expect(isOpen(['finding'], {}, ended(0.8, 'failed'))).toBe(true);
    expect(isOpen(['failure'], {}, ended(0.8, 'failed'))).toBe(true);
  });

  it('is said, with what the plan opens on, where no review opens', () => {
    expect(routed(planOf(review({ openOn: ['finding'] })), ended(0, 'failed'))).toEqual({
      open: false,
      code: 'REVIEW_NOT_OPENED',
      message: 'escalated by a failure, and the plan opens reviews on finding alone',
    });
    expect(routed(planOf(review({ openOn: ['failure'] })), ended(0.8))).toMatchObject({
      message: 'escalated by a finding, and the plan opens reviews on failure alone',
    });
  });

  it('is never taken from the code that a critic failed with', () => {
    const ends = new Map(ended(0, 'failed'));
    const two = ends.get('two');
    if (two !== undefined) ends.set('two', { ...two, code: 'RULE' });
    expect(routed(planOf(review({ openOn: ['finding'] })), ends)?.open).toBe(false);
  });

  it('is a failure where an escalation has no reason', () => {
    const verdict = { decision: 'escalate', reasons: [], degraded: false } as const;
    expect(routeReview(planOf(review({ openOn: ['finding'] })), verdict, ended(0), facts)?.open).toBe(false);
    expect(routeReview(planOf(review({ openOn: ['failure'] })), verdict, ended(0), facts)?.open).toBe(true);
  });
});

describe('the tier of a review', () => {
  const [yes, no] = ['findings.exists(f, f.severity > 0.7)', 'findings.exists(f, f.severity > 0.9)'];

  it('is the default when no rule holds, whichever that is', () => {
    for (const tier of REVIEW_TIERS) expect(tierOf({ default: tier, rules: [{ tier: 'acknowledgement', when: no }] })).toBe(tier);
  });

  it('is that of the rule that holds, also below the default', () => {
    for (const tier of REVIEW_TIERS) expect(tierOf({ default: 'determination', rules: [{ tier, when: yes }] })).toBe(tier);
  });

  it('is the highest of those that hold, in whatever order they stand', () => {
    const rules = REVIEW_TIERS.map((tier) => ({ tier, when: yes }));
    expect(tierOf({ default: 'triage', rules })).toBe('determination');
    expect(tierOf({ default: 'triage', rules: rules.toReversed() })).toBe('determination');
    expect(tierOf({ default: 'triage', rules: [...rules.slice(0, 2), { tier: 'determination', when: no }] })).toBe('acknowledgement');
  });

  it.each<[rule: ReviewTier, otherwise: ReviewTier, tier: ReviewTier]>([
    ['determination', 'triage', 'determination'],
    ['acknowledgement', 'triage', 'acknowledgement'],
    ['triage', 'acknowledgement', 'acknowledgement'],
    ['triage', 'determination', 'determination'],
  ])('by a rule of %s that errs, beside %s by default, is %s', (rule, otherwise, tier) => {
    expect(tierOf({ default: otherwise, rules: [{ tier: rule, when: ERRS }] }, errs)).toBe(tier);
  });

  it('is at least acknowledgement when nothing was found and something failed', () => {
    const triage = review({ tiers: { default: 'triage', rules: [{ tier: 'triage', when: 'findings.size() < 9' }] } });
    expect(routed(planOf(triage), ended(0, 'failed'))).toMatchObject({ tier: 'acknowledgement' });
    expect(routed(planOf(triage), ended(0.8, 'failed'))).toMatchObject({ tier: 'triage' });
    expect(routed(planOf(triage), ended(0.8))).toMatchObject({ tier: 'triage' });
    const determination = review({ tiers: { default: 'determination', rules: [] } });
    expect(routed(planOf(determination), ended(0, 'failed'))).toMatchObject({ tier: 'determination' });
  });
});

describe('the queue of a review', () => {
  const queueOf = (rules: PlanReview['queues']['rules'], given: RunFacts = facts): string | undefined => {
    const route = routed(planOf(review({ queues: { default: 'rest', rules } })), ended(0.8), given);
    return route?.open === true ? route.queue : undefined;
  };
  const german: RunFacts = { ...facts, context: { language: 'de', n: 0 } };
  const DE = { queue: 'german', when: "has(context.language) && context.language == 'de'" };

  it('is the first whose rule holds, else the default', () => {
    expect(queueOf([DE, { queue: 'all', when: 'true' }], german)).toBe('german');
    expect(queueOf([DE, { queue: 'all', when: 'true' }])).toBe('all');
    expect(queueOf([DE])).toBe('rest');
  });

  it('is never one whose rule errs', () => {
    expect(queueOf([{ queue: 'broken', when: ERRS }, DE], german)).toBe('german');
    expect(queueOf([{ queue: 'broken', when: ERRS }], errs)).toBe('rest');
  });
});

describe('the rules of a review', () => {
  it('see what verdict rules see: no shadow critic, and the finding of a fallback under both names', () => {
    const [judge, standIn, shadow] = [
      critic('judge', { onFailure: onFailure({ failed: 'escalate' }) }),
      critic('stand_in', { fallbackFor: 'judge' }),
      critic('quiet', { mode: 'shadow' }),
    ];
    const rules = [
      { tier: 'determination', when: 'findings.exists(f, f.severity > 0.9)' },
      { tier: 'triage', when: 'has(critics.judge.severity) && critics.judge.severity == 0.8' },
    ] as const;
    const of = plan([judge, standIn, shadow], {
      verdict: { rules: [RULE], otherwise: 'allow' },
      review: review({ tiers: { default: 'acknowledgement', rules } }),
    });
    const ends = records([record(judge, 'failed'), record(standIn, 'succeeded', 0.8), record(shadow, 'succeeded', 0.95)]);
    expect(routed(of, ends)).toMatchObject({ tier: 'triage' });
  });

  it('route every escalation the same way, whatever the order in which critics ended', () => {
    const of = review({
      tiers: { default: 'triage', rules: [{ tier: 'determination', when: 'findings.exists(f, f.severity >= 0.9)' }] },
      queues: { default: 'rest', rules: [{ queue: 'many', when: 'findings.size() > 2' }] },
    });
    fc.assert(
      fc.property(runs, ({ plan: drawn, ends, orders }) => {
        const given = { ...drawn, review: of };
        const other = ends.map((end, index) => ({ ...end, at: orders[index] ?? 0 }));
        const route = routed(given, run(given, ends));
        expect(routed(given, run(given, other))).toEqual(route);
        expect(route !== undefined).toBe(decideVerdict(given, run(given, ends), facts).decision === 'escalate');
        if (route?.open === true)
          expect(
            route.tier !== 'triage' ||
              decideVerdict(given, run(given, ends), facts).reasons.some(({ code }) => code === 'RULE' || code === 'OTHERWISE'),
          ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
