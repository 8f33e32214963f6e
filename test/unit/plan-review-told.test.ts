/** How the `review:` block of a plan is shown, explained and compared. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diffPlans } from '../../src/domain/plan-diff.js';
import { reviewChanges } from '../../src/domain/plan-diff-review.js';
import type { Plan } from '../../src/domain/plan.js';
import { durationText } from '../../src/domain/review/duration-text.js';
import { REVIEW_TIERS, type PlanReview, type ReviewTier } from '../../src/domain/review/policy.js';
import { routeReview } from '../../src/domain/review/route.js';
import { showPlan } from '../../src/report/plan-show.js';
import { parseDuration } from '../../src/schemas/duration.js';
import { runCli, type CliRun } from '../support/cli-io.js';
import { critic, facts, plan } from '../support/plans.js';
import { compiled, GOOD } from './plan-fixture.js';
import { record, records } from './verdict-fixture.js';

const BLOCK = `review:
  openOn: [finding]
  maxOpen: 50
  tiers: { default: acknowledgement, rules: [{ triage: "findings.all(f, f.severity < 0.7)" }, { determination: "findings.exists(f, f.severity >= 0.9)" }] }
  queues: { default: safety, rules: [{ safety_de: "has(context.language) && context.language == 'de'" }] }
  reviewers: { triage: [moderators], acknowledgement: [leads], determination: [board, legal] }
  leads: [leads]
  reasons: [false_positive, needs_legal]
  times: { claimBy: 90m, lease: 30m, decideBy: 24h, expires: 7d }
  ladder: [{ after: 4h, notify: leads }]
`;

describe('a duration as text', () => {
  it.each([
    [0, '0ms'],
    [1, '1ms'],
    [1_500, '1500ms'],
    [90_000, '90s'],
    [5_400_000, '90m'],
    [14_400_000, '4h'],
    [86_400_000, '1d'],
    [31_536_000_000, '365d'],
  ])('of %d ms is %s', (ms, text) => {
    expect(durationText(ms)).toBe(text);
  });

  it('is read back as the same time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31_536_000_000 }), (ms) => {
        expect(parseDuration(durationText(ms), '365d')).toEqual({ ok: true, ms });
      }),
    );
  });
});

describe('plan show', () => {
  it('tells the block line by line behind the rules', async () => {
    const shown = showPlan('tribunal', await compiled(GOOD + BLOCK));
    expect(shown.slice(shown.indexOf('otherwise allow'))).toBe(`otherwise allow
a review is opened on finding, at most 50 at once
its tier is triage if findings.all(f, f.severity < 0.7)
its tier is determination if findings.exists(f, f.severity >= 0.9)
otherwise its tier is acknowledgement
its queue is safety_de if has(context.language) && context.language == 'de'
otherwise its queue is safety
triage is of moderators
acknowledgement is of leads
determination is of board, legal
assigned and withdrawn by leads
reasons of triage are false_positive, needs_legal
to be claimed in 90m and decided in 1d; held for 30m; expires after 7d
after 4h it is told to leads`);
  });

  it('says nothing of reviews where there is no block', async () => {
    expect(showPlan('tribunal', await compiled(GOOD))).toMatch(/otherwise allow$/);
  });
});

describe('plan explain', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tribunal-review-told-'));
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });
  async function explain(text: string, ...args: readonly string[]): Promise<CliRun> {
    const file = join(dir, 'plan.yaml');
    await writeFile(file, text.replaceAll('uses: anything', 'uses: scripted'));
    // A rung tells a channel, and channels are of a deployment.
    const deployment = join(dir, 'tribunal.yaml');
    await writeFile(deployment, 'plans: [plan.yaml]\nnotify: { leads: { log: true } }\n');
    return await runCli(['plan', 'explain', file, '--file', deployment, '--content', 'x', ...args]);
  }

  it('tells which review an escalation would open, for whom and for how long', async () => {
    const { stdout } = await explain(GOOD + BLOCK, '--findings', 'three=0.95', '--context', 'language=de');
    expect(stdout).toContain(
      'A review would be opened: determination, in the queue safety_de, for board, legal\n  to be claimed in 90m and decided in 1d; held for 30m; expires after 7d',
    );
  });

  it('tells why an escalation would open none', async () => {
    const { stdout } = await explain(GOOD + BLOCK, '--outcomes', 'three=invalid_output');
    expect(stdout).toContain('No review would be opened: escalated by a failure, and the plan opens reviews on finding alone');
  });

  it.each([
    ['what is allowed', GOOD + BLOCK, []],
    ['an escalation of a plan without the block', GOOD, ['--findings', 'three=0.95']],
  ])('says nothing of reviews of %s', async (_, text, args) => {
    expect((await explain(text, ...args)).stdout).not.toMatch(/review/i);
    const { stdout } = await explain(text, ...args, '--json');
    expect(JSON.parse(stdout)).not.toHaveProperty('review');
  });

  it('tells programs the same', async () => {
    const { stdout } = await explain(GOOD + BLOCK, '--findings', 'three=0.6', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ decision: 'escalate', review: { open: true, tier: 'triage', queue: 'safety' } });
  });
});

async function changes(from: string, to: string): Promise<string[]> {
  const diff = diffPlans(await compiled(GOOD + from), await compiled(GOOD + to));
  return diff.changes.map(({ text, direction }) => `${text} [${direction}]`);
}

describe('plan diff', () => {
  const ROWS: readonly (readonly [from: string, to: string, ...said: string[]])[] = [
    ['openOn: [finding]', 'openOn: [finding, failure]', 'review.openOn: finding → finding, failure [stricter]'],
    ['openOn: [finding]', 'openOn: [failure]', 'review.openOn: finding → failure [unranked]'],
    ['maxOpen: 50', 'maxOpen: 60', 'review.maxOpen: 50 → 60 [stricter]'],
    ['maxOpen: 50', 'maxOpen: 40', 'review.maxOpen: 50 → 40 [looser]'],
    ['default: acknowledgement', 'default: determination', 'review.tiers.default: acknowledgement → determination [stricter]'],
    ['default: acknowledgement', 'default: triage', 'review.tiers.default: acknowledgement → triage [looser]'],
    [
      '{ triage: "findings.all(f, f.severity < 0.7)" }, ',
      '',
      'review.tiers: no longer triage if findings.all(f, f.severity < 0.7) [stricter]',
    ],
    [
      ', { determination: "findings.exists(f, f.severity >= 0.9)" }',
      '',
      'review.tiers: no longer determination if findings.exists(f, f.severity >= 0.9) [looser]',
    ],
    [
      '{ determination: "findings',
      '{ acknowledgement: "findings',
      'review tier if findings.exists(f, f.severity >= 0.9): determination → acknowledgement [looser]',
    ],
    [
      '< 0.7)',
      '< 0.8)',
      'review.tiers: no longer triage if findings.all(f, f.severity < 0.7) [stricter]',
      'review.tiers: now triage if findings.all(f, f.severity < 0.8) [looser]',
    ],
    ['default: safety', 'default: other', 'review.queues.default: safety → other [neither]'],
    [
      '{ safety_de:',
      '{ german:',
      "review.queues: safety_de if has(context.language) && context.language == 'de' removed [neither]",
      "review.queues: german if has(context.language) && context.language == 'de' added [neither]",
    ],
    ['triage: [moderators]', 'triage: [moderators, interns]', 'review.reviewers.triage: interns added [looser]'],
    ['[board, legal]', '[board]', 'review.reviewers.determination: legal removed [stricter]'],
    ['leads: [leads]\n', 'leads: [board]\n', 'review.leads: leads removed [stricter]', 'review.leads: board added [looser]'],
    ['needs_legal', 'spam', 'review.reasons: needs_legal removed [neither]', 'review.reasons: spam added [neither]'],
    ['claimBy: 90m', 'claimBy: 1h', 'review.times.claimBy: 90m → 1h [neither]'],
    ['lease: 30m', 'lease: 1h', 'review.times.lease: 30m → 1h [neither]'],
    ['decideBy: 24h', 'decideBy: 36h', 'review.times.decideBy: 1d → 36h [neither]'],
    ['expires: 7d', 'expires: 8d', 'review.times.expires: 7d → 8d [looser]'],
    ['expires: 7d', 'expires: 6d', 'review.times.expires: 7d → 6d [stricter]'],
    ['after: 4h', 'after: 5h', 'review.ladder: leads after 4h removed [neither]', 'review.ladder: leads after 5h added [neither]'],
  ];

  it.each(ROWS)('tells %s → %s', async (from, to, ...said) => {
    expect(BLOCK).toContain(from);
    expect(
      await changes(
        BLOCK,
        BLOCK.replace(from, () => to),
      ),
    ).toEqual(said);
  });

  it('tells a block that is dropped as looser, one that comes as stricter', async () => {
    expect(await changes(BLOCK, '')).toEqual(['review: removed: what escalates opens no review [looser]']);
    expect(await changes('', BLOCK)).toEqual(['review: added: what escalates by a finding opens a review [stricter]']);
  });

  it('tells rules that only stand otherwise, of tiers and of queues', async () => {
    const rules = /\[(\{ triage.*?\}), (\{ determination.*?\})\]/;
    expect(await changes(BLOCK, BLOCK.replace(rules, '[$2, $1]'))).toEqual([
      'review.tiers: only the order or a repetition of rules changed, which means nothing [neither]',
    ]);
    const queues = (order: string): string => BLOCK.replace(/rules: \[\{ safety_de.*?\}\]/, () => `rules: [${order}]`);
    expect(await changes(queues('{ a: "true" }, { b: "false" }'), queues('{ b: "false" }, { a: "true" }'))).toEqual([
      'review.queues: the order of the rules changed, of which the first that holds is taken [neither]',
    ]);
  });

  it('says nothing of a default that is written down', async () => {
    expect(await changes(BLOCK, BLOCK.replace('lease: 30m, ', ''))).toEqual([]);
  });

  it('keeps the direction also where otherwise is deny, which reviews do not touch', () => {
    const of = (review?: PlanReview): Plan =>
      plan([critic('one')], { hash: String(review?.maxOpen), verdict: { rules: [], otherwise: 'deny' }, ...(review && { review }) });
    expect(diffPlans(of(withTiers({ default: 'triage', rules: [] })), of()).changes.map(({ direction }) => direction)).toEqual(['looser']);
  });
});

const withTiers = (tiers: PlanReview['tiers']): PlanReview => ({
  openOn: ['finding'],
  maxOpen: 1,
  tiers,
  queues: { default: 'reviews', rules: [] },
  reviewers: { triage: [], acknowledgement: [], determination: [] },
  leads: [],
  reasons: [],
  times: { claimByMs: 1, leaseMs: 1, decideByMs: 1, expiresMs: 1 },
  ladder: [],
});

/** Each holds, errs or does neither as the context says. */
const whens = ['a', 'b', 'c'].map((name) => `has(context.${name}) && 1 / int(context.${name}) > 0`);
const tiers: fc.Arbitrary<PlanReview['tiers']> = fc.record({
  default: fc.constantFrom(...REVIEW_TIERS),
  rules: fc.array(fc.record({ tier: fc.constantFrom(...REVIEW_TIERS), when: fc.constantFrom(...whens) }), { maxLength: 4 }),
});
const contexts = fc.record({ a: fc.constantFrom(0, 1), b: fc.constantFrom(0, 1), c: fc.constantFrom(0, 1) }, { requiredKeys: [] });

it('a change of tiers that is only stricter lets no review fall, and one that is only looser lets none rise', () => {
  const ends = records([record(critic('one'), 'succeeded')]);
  const verdict = { decision: 'escalate', reasons: [{ code: 'RULE', message: 'm', effect: 'escalate' }], degraded: false } as const;
  const rankOf = (of: Plan, context: Readonly<Record<string, number>>): number => {
    const route = routeReview(of, verdict, ends, { ...facts, context });
    return route?.open === true ? REVIEW_TIERS.indexOf(route.tier satisfies ReviewTier) : -1;
  };
  const moved = { up: 0, down: 0 };
  fc.assert(
    fc.property(tiers, tiers, fc.boolean(), fc.array(contexts, { minLength: 10, maxLength: 10 }), (one, other, isSameDefault, cases) => {
      const [a, b] = [one, isSameDefault ? { ...other, default: one.default } : other].map((each) =>
        plan([critic('one')], { review: withTiers(each) }),
      );
      if (a === undefined || b === undefined) return;
      const directions = new Set(reviewChanges(a, b).map(({ direction }) => direction));
      if (directions.has('unranked') || (directions.has('stricter') && directions.has('looser'))) return;
      for (const context of cases) {
        const [before, after] = [rankOf(a, context), rankOf(b, context)];
        if (!directions.has('stricter')) expect(after).toBeLessThanOrEqual(before);
        if (!directions.has('looser')) expect(after).toBeGreaterThanOrEqual(before);
        if (after > before) moved.up += 1;
        if (after < before) moved.down += 1;
      }
    }),
    { numRuns: 3_000 },
  );
  expect(Math.min(moved.up, moved.down)).toBeGreaterThan(20);
});
