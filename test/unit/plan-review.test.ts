/** The `review:` block of a plan: what it compiles to, and what is refused, each with what people are told. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planProblems } from '../../src/domain/plan-checks.js';
import type { PlanReview } from '../../src/domain/review/policy.js';
import { formatProblem } from '../../src/plan-loader.js';
import { runCli, type CliRun } from '../support/cli-io.js';
import { compiled, GOOD, loadText } from './plan-fixture.js';

const WHOLE = `review:
  openOn: [failure, finding]
  maxOpen: 10
  tiers: { default: acknowledgement, rules: [{ triage: "findings.size() > 0 && findings.all(f, f.severity < 0.5)" }, { determination: "findings.exists(f, f.severity >= 0.9)" }] }
  queues: { default: safety, rules: [{ safety_de: "has(context.language) && context.language == 'de'" }] }
  reviewers: { triage: [moderators], acknowledgement: [leads], determination: [board] }
  leads: [leads]
  reasons: [false_positive, needs_legal]
  times: { claimBy: 2h, lease: 10m, decideBy: 12h, expires: 365d }
  ladder: [{ after: 4h, notify: leads }, { after: 24h, notify: on-call }]
`;
const LEAST = 'review: { reviewers: { acknowledgement: [leads], determination: [board, legal] } }\n';

const compiledReview = async (block: string): Promise<PlanReview | undefined> => (await compiled(GOOD + block)).review;

describe('a review block', () => {
  it('compiles to what it says, with times in milliseconds and causes in one order', async () => {
    expect(await compiledReview(WHOLE)).toEqual({
      openOn: ['finding', 'failure'],
      maxOpen: 10,
      tiers: {
        default: 'acknowledgement',
        rules: [
          { tier: 'triage', when: 'findings.size() > 0 && findings.all(f, f.severity < 0.5)' },
          { tier: 'determination', when: 'findings.exists(f, f.severity >= 0.9)' },
        ],
      },
      queues: { default: 'safety', rules: [{ queue: 'safety_de', when: "has(context.language) && context.language == 'de'" }] },
      reviewers: { triage: ['moderators'], acknowledgement: ['leads'], determination: ['board'] },
      leads: ['leads'],
      reasons: ['false_positive', 'needs_legal'],
      times: { claimByMs: 7_200_000, leaseMs: 600_000, decideByMs: 43_200_000, expiresMs: 31_536_000_000 },
      ladder: [
        { afterMs: 14_400_000, notify: 'leads' },
        { afterMs: 86_400_000, notify: 'on-call' },
      ],
    });
  });

  it('has a default for everything but who decides', async () => {
    expect(await compiledReview(LEAST)).toEqual({
      openOn: ['finding'],
      maxOpen: 5_000,
      tiers: { default: 'acknowledgement', rules: [] },
      queues: { default: 'reviews', rules: [] },
      reviewers: { triage: [], acknowledgement: ['leads'], determination: ['board', 'legal'] },
      leads: ['board', 'legal'],
      reasons: [],
      times: { claimByMs: 14_400_000, leaseMs: 1_800_000, decideByMs: 86_400_000, expiresMs: 604_800_000 },
      ladder: [],
    });
  });

  it('is no field of a plan that has none, and belongs to the hash of one that has', async () => {
    const [without, least, whole] = [await compiled(GOOD), await compiled(GOOD + LEAST), await compiled(GOOD + WHOLE)];
    expect(without).not.toHaveProperty('review');
    expect(new Set([without.hash, least.hash, whole.hash]).size).toBe(3);
    expect((await compiled(GOOD + WHOLE.replace('failure, finding', 'finding, failure'))).hash).toBe(whole.hash);
  });

  it('may need nobody for acknowledgement when every review begins in determination', async () => {
    const block = 'review: { tiers: { default: determination }, reviewers: { determination: [board] } }\n';
    expect((await compiledReview(block))?.reviewers).toEqual({ triage: [], acknowledgement: [], determination: ['board'] });
  });
});

interface Row {
  readonly what: string;
  /** Part of the whole block, and what stands there instead; `¦` stands where the problem is. */
  readonly from: string;
  readonly to: string;
  readonly path: string;
  readonly says: string;
}

const row = (what: string, from: string, to: string, path: string, says: string): Row => ({ what, from, to, path: `review.${path}`, says });
const REVIEWERS = 'reviewers: { triage: [moderators], acknowledgement: [leads], determination: [board] }';
const TIMES = 'times: { claimBy: 2h, lease: 10m, decideBy: 12h, expires: 365d }';
const LADDER = 'ladder: [{ after: 4h, notify: leads }, { after: 24h, notify: on-call }]';
const REASONS = 'reasons: [false_positive, needs_legal]';
const TRIAGE = '{ triage: "findings.size() > 0 && findings.all(f, f.severity < 0.5)" }';
const QUEUE = `{ safety_de: "has(context.language) && context.language == 'de'" }`;
const rungs = (count: number): string => Array.from({ length: count }, (_, index) => `{ after: ${index + 1}h, notify: leads }`).join(', ');
const codes = (count: number): string => Array.from({ length: count }, (_, index) => `c${index}`).join(', ');

const FORM: readonly Row[] = [
  row('a misspelt field', '  maxOpen: 10', '  ¦maxopen: 10', 'maxopen', 'unknown field "maxopen"; did you mean "maxOpen"?'),
  row('opening on nothing', 'openOn: [failure, finding]', 'openOn: ¦[]', 'openOn', 'must be at least 1 entry long'),
  row('opening on something else', '[failure, finding]', '[¦allow]', 'openOn.0', 'must be one of finding, failure, is "allow"'),
  row('no open review', 'maxOpen: 10', 'maxOpen: ¦0', 'maxOpen', 'must be at least 1, is 0'),
  row('endless open reviews', 'maxOpen: 10', 'maxOpen: ¦1000001', 'maxOpen', 'must be at most 1000000, is 1000001'),
  row(
    'an unknown tier',
    'default: acknowledgement',
    'default: ¦jury',
    'tiers.default',
    'must be one of triage, acknowledgement, determination',
  ),
  row('a rule of an unknown tier', '{ triage:', '{ ¦jury:', 'tiers.rules.0.jury', 'unknown field "jury"'),
  row('a condition that is no text', TRIAGE, '{ triage: ¦true }', 'tiers.rules.0.triage', 'must be a text, is true'),
  row('queues without a default', 'default: safety, ', '', 'queues.default', 'is missing: it must be a text'),
  row('no reviewers', `  ${REVIEWERS}\n`, '', 'reviewers', 'is missing: it must be a map'),
  row(
    'reviewers of an unknown tier',
    'determination: [board] }',
    'determination: [board], ¦jury: [all] }',
    'reviewers.jury',
    'unknown field',
  ),
  row('groups that are no list', 'triage: [moderators]', 'triage: ¦moderators', 'reviewers.triage', 'must be a list, is "moderators"'),
  row('a time without a unit', 'claimBy: 2h', 'claimBy: ¦2', 'times.claimBy', '2 is not a duration'),
  row('an end after a year', 'expires: 365d', 'expires: ¦366d', 'times.expires', 'is too long: a duration is at most 365d'),
  row('more reasons than people read', REASONS, `reasons: ¦[${codes(101)}]`, 'reasons', 'must be at most 100 entries long'),
  row('more rungs than people heed', LADDER, `ladder: ¦[${rungs(21)}]`, 'ladder', 'must be at most 20 entries long'),
  row('a rung for nobody', LADDER, 'ladder: [¦{ after: 4h }]', 'ladder.0.notify', 'is missing: it must be a text'),
];

const ROUTING: readonly Row[] = [
  row('a tier rule of none', TRIAGE, '¦{}', 'tiers.rules.0', 'a rule names exactly one of triage, acknowledgement, determination'),
  row('a tier rule of two', TRIAGE, '¦{ triage: "false", determination: "false" }', 'tiers.rules.0', 'a rule names exactly one of'),
  row('a queue rule of none', QUEUE, '¦{}', 'queues.rules.0', 'a rule names exactly one queue'),
  row('a queue rule of two', QUEUE, '¦{ one: "false", two: "false" }', 'queues.rules.0', 'a rule names exactly one queue'),
  row(
    'a queue with a hyphen',
    '{ safety_de:',
    '{ ¦safety-de:',
    'queues.rules.0.safety-de',
    '"safety-de" is not a queue: write [a-z][a-z0-9_]{0,63}',
  ),
  row('a queue called default', '{ safety_de:', '{ ¦default:', 'queues.rules.0.default', 'no queue may be called default'),
  row('a default queue in capitals', 'default: safety,', 'default: ¦Safety,', 'queues.default', '"Safety" is not a queue'),
  row('a default queue called default', 'default: safety,', 'default: ¦default,', 'queues.default', 'no queue may be called default'),
  row(
    'a tier condition of a critic that is not there',
    TRIAGE,
    `{ triage: "critics.¦four.outcome == 'failed'" }`,
    'tiers.rules.0.triage',
    'there is no critic "four"',
  ),
  row('a tier condition that is no truth', TRIAGE, '{ triage: "¦1" }', 'tiers.rules.0.triage', 'must be true or false, is int'),
  row('a queue condition that cannot be read', QUEUE, '{ safety_de: "context.a ==¦" }', 'queues.rules.0.safety_de', 'cannot be read'),
  row(
    'a queue condition that reads what may be absent',
    QUEUE,
    `{ safety_de: "¦context.language == 'de'" }`,
    'queues.rules.0.safety_de',
    'has(',
  ),
];

const PEOPLE: readonly Row[] = [
  row(
    'nobody for determination',
    ', determination: [board]',
    '',
    'reviewers.determination',
    'determination needs at least one group, since a rule of tiers names it',
  ),
  row('an empty list for determination', '[board]', '¦[]', 'reviewers.determination', 'determination needs at least one group'),
  row(
    'nobody for the default tier',
    'acknowledgement: [leads], ',
    '',
    'reviewers.acknowledgement',
    'since it is the tier where no rule holds',
  ),
  row(
    'nobody for the tier of a rule',
    'triage: [moderators], ',
    '',
    'reviewers.triage',
    'triage needs at least one group, since a rule of tiers names it',
  ),
  row(
    'a group in capitals',
    '[moderators]',
    '[¦Moderators]',
    'reviewers.triage.0',
    '"Moderators" is not a group: write [a-z][a-z0-9_-]{0,63}',
  ),
  row('a group twice', '[board]', '[board, ¦board]', 'reviewers.determination.1', 'board stands above already'),
  row('no leads', 'leads: [leads]\n', 'leads: ¦[]\n', 'leads', 'at least one group must lead'),
  row('a lead with blanks', 'leads: [leads]\n', 'leads: [¦team leads]\n', 'leads.0', '"team leads" is not a group'),
  row('triage without reasons', `  ${REASONS}\n`, '', 'reasons', 'triage needs at least one reason code to decide with'),
  row('triage with an empty list of reasons', REASONS, 'reasons: ¦[]', 'reasons', 'triage needs at least one reason code'),
  row(
    'a reason with a hyphen',
    'needs_legal',
    '¦needs-legal',
    'reasons.1',
    '"needs-legal" is not a reason code: write [a-z][a-z0-9_]{0,63}',
  ),
  row('a reason twice', 'needs_legal', '¦false_positive', 'reasons.1', 'false_positive stands above already'),
];

const CLOCKS: readonly Row[] = [
  row('a claim after the decision', 'claimBy: 2h', 'claimBy: ¦13h', 'times.claimBy', 'claimBy is 13h, but decideBy only 12h'),
  row(
    'a decision before the default claim',
    TIMES,
    'times: { decideBy: ¦1h }',
    'times.decideBy',
    'claimBy is 4h by default, but decideBy only 1h',
  ),
  row(
    'a decision after the default end',
    TIMES,
    'times: { decideBy: ¦8d }',
    'times.decideBy',
    'decideBy is 8d, but expires only 7d by default',
  ),
  row(
    'an end before the default decision',
    TIMES,
    'times: { expires: ¦1h }\n  #',
    'times.expires',
    'decideBy is 1d by default, but expires only 1h',
  ),
  row('a lease longer than all of it', 'lease: 10m', 'lease: ¦13h', 'times.lease', 'lease is 13h, but decideBy only 12h'),
  row('a time of next to nothing', 'lease: 10m', 'lease: ¦999ms', 'times.lease', 'must be at least 1s, is 999ms'),
  row('a rung of next to nothing', 'after: 4h', 'after: ¦5ms', 'ladder.0.after', 'must be at least 1s, is 5ms'),
  row(
    'rungs out of order',
    'after: 24h',
    'after: ¦3h',
    'ladder.1.after',
    'comes after 3h, and the rung above after 4h: write the earliest first',
  ),
  row('two rungs at once', 'after: 24h', 'after: ¦240m', 'ladder.1.after', 'comes after 4h, and the rung above after 4h'),
  row('a rung at the end', 'after: 24h', 'after: ¦365d', 'ladder.1.after', 'would come after 365d, and the review expires after 365d'),
  row(
    'a channel in capitals',
    'notify: on-call',
    'notify: ¦OnCall',
    'ladder.1.notify',
    '"OnCall" is not a channel: write [a-z][a-z0-9_-]{0,63}',
  ),
];

/** Where the mark stands, and the text without it. */
function marked(written: string): { readonly text: string; readonly place: string } {
  const [before = '', ...after] = written.split('¦');
  const lines = before.split('\n');
  const place = after.length === 0 ? String.raw`\d+:\d+` : `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
  return { text: before + after.join(''), place };
}

async function problemsOf(text: string): Promise<string[]> {
  const loaded = await loadText(text);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

describe.each([
  ['form', FORM],
  ['routing', ROUTING],
  ['people', PEOPLE],
  ['times', CLOCKS],
])('a review block with a problem of %s', (_, rows) => {
  it.each(rows)('$what is refused once, at its place', async ({ from, to, path, says }) => {
    expect(WHOLE).toContain(from);
    // A rung of the whole block may come after a shorter end.
    const block = to.includes('expires: ¦1h') ? WHOLE.replace(`  ${LADDER}\n`, '') : WHOLE;
    const { text, place } = marked(GOOD + block.replace(from, () => to));
    const problems = await problemsOf(text);
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^plan\\.yaml:${place} `))]);
    expect(problems[0]).toContain(` ${path} `);
    expect(problems[0]).toContain(says);
  });
});

describe('the checks of a review block', () => {
  it('ask for people of acknowledgement when all begins in triage, since what only failed does not stay there', async () => {
    const block = 'review: { tiers: { default: triage }, reasons: [spam], reviewers: { triage: [mods], determination: [board] } }\n';
    expect(await problemsOf(GOOD + block)).toEqual([
      expect.stringContaining('acknowledgement needs at least one group, since reviews of triage may come to it'),
    ]);
  });

  it('ask for people of determination when no rule names it, since people may raise a review', async () => {
    expect(await problemsOf(`${GOOD}review: { reviewers: { acknowledgement: [leads] } }\n`)).toEqual([
      expect.stringContaining('determination needs at least one group, since people may raise any review to it'),
    ]);
  });

  it('count the conditions towards what all expressions of a plan may cost', async () => {
    const dear = '"findings.all(a, findings.all(b, findings.all(c, a.severity + b.severity > c.severity)))"';
    const many = GOOD.replace(
      'verdict:',
      `${Array.from({ length: 60 }, (_, index) => `  c${index}: { uses: anything, stage: validation }\n`).join('')}verdict:`,
    );
    const problems = await problemsOf(many + WHOLE.replace(TRIAGE, `{ triage: ${dear} }`));
    expect(problems).toEqual([
      expect.stringMatching(/ review\.tiers\.rules\.0\.triage the expressions of a plan may take 1000000 steps together/),
    ]);
  });

  it('say nothing of the block that would only echo a mistake of form in it, and still judge the rest of the plan', async () => {
    const text = GOOD.replace('dependsOn: [one]', 'dependsOn: [gone]') + WHOLE.replace('[leads], determination', '7, determination');
    expect(await problemsOf(text)).toEqual([
      expect.stringContaining('unknown critic "gone"'),
      expect.stringContaining('review.reviewers.acknowledgement must be a list, is 7'),
    ]);
  });

  it('have none for a plan without a block', async () => {
    const plan = await compiled(GOOD);
    const source = { plan: 'p', version: 1, timeouts: { global: { ms: 1 } }, critics: {}, verdict: { otherwise: 'allow' as const } };
    expect(planProblems({ source, plan, setAside: new Set() }).filter(({ path }) => path[0] === 'review')).toEqual([]);
  });
});

describe('a plan that escalates and opens no review', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tribunal-review-'));
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  const real = (text: string): string => text.replaceAll('uses: anything', 'uses: scripted');
  async function run(text: string, ...args: readonly string[]): Promise<CliRun> {
    const file = join(dir, 'plan.yaml');
    await writeFile(file, real(text));
    return await runCli(['plan', ...args, file, ...(args[0] === 'explain' ? ['--content', 'x'] : [])]);
  }
  const ADVICE = 'escalates, and no review is opened: to have people decide such cases here, write a review: block';

  it('is told once by plan check, at its first rule that escalates, and is good', async () => {
    const two = GOOD.replace('  otherwise', '    - { escalate: "findings.size() > 5", reason: many }\n  otherwise');
    const { exit, stdout } = await run(two, 'check');
    expect({ exit, told: stdout.split(ADVICE).length - 1 }).toEqual({ exit: 0, told: 1 });
    expect(stdout).toMatch(/plan\.yaml:10:\d+ verdict\.rules\.0\.escalate warning: escalates/);
    expect(stdout).toContain('small@1 is good');
  });

  it('is told where it says otherwise: escalate', async () => {
    const { stdout } = await run(GOOD.replace(/ {2}rules:\n.*\n {2}otherwise: allow/, '  otherwise: escalate'), 'check');
    expect(stdout).toMatch(/verdict\.otherwise warning: escalates/);
  });

  it('is told to programs as other warnings are', async () => {
    const { stdout } = await run(GOOD, 'check', '--json');
    const [first] = stdout.split('\n');
    expect(JSON.parse(first ?? '')).toMatchObject({ line: 10, path: 'verdict.rules.0.escalate', severity: 'warning', message: ADVICE });
  });

  it('is not told by commands that only use it', async () => {
    for (const args of [['show'], ['graph'], ['test'], ['explain']]) {
      const { stdout, stderr } = await run(GOOD, ...args);
      expect(stdout + stderr, args.join(' ')).not.toContain('no review is opened');
    }
  });

  it('is told of a block that nothing can open', async () => {
    const never = GOOD.replace('escalate: "', 'deny: "') + LEAST;
    const { exit, stdout } = await run(never, 'check');
    expect(exit).toBe(0);
    expect(stdout).toMatch(/plan\.yaml:\d+:\d+ review warning: opens no review: no rule of the verdict escalates, nor does otherwise/);
    expect((await run(never.replace('review: {', 'review: { openOn: [failure],'), 'check')).stdout).toMatch(/^small@1 is good/);
  });

  it.each([
    ['has a block', GOOD + LEAST],
    ['escalates only by what fails', GOOD.replace('escalate: "', 'deny: "')],
  ])('is not told when it %s', async (_, text) => {
    expect((await run(text, 'check')).stdout).toMatch(/^small@1 is good: 3 critics\n$/);
  });
});
