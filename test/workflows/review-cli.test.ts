/** `tribunal review` in this process against a real server and worker: what people see, type and get. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { run } from '../../src/cli/program.js';
import { keyFileOf, makeKeyPair, writeKey } from '../../src/review/keys.js';
import { fakeIo, runCli, type CliRun } from '../support/cli-io.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { REVIEW_BLOCK, writePeople, type TestPerson } from '../support/reviews.js';

const HOSTILE = 'fine\u001b[2J\u001b]0;owned\u0007 \u202Egnihton\u202C\r\n  Signals\nlast line';

/** What a terminal would obey. */
const OBEYED = /[\p{Cc}\p{Bidi_Control}]/u;

const planOf = (
  plan: string,
  review: object,
  finding: object = { severity: 0.5, violations: [{ code: 'insult', message: 'an \u001b[31minsult', span: { start: 0, end: 4 } }] },
) => ({
  plan,
  version: 1,
  timeouts: { global: '30s' },
  critics: {
    judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding } },
    mild: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: { finding: { severity: 0, violations: [] } } },
  },
  verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' }], otherwise: 'allow' },
  review: { ...REVIEW_BLOCK, ...review },
});

const REASON = 'the quote is taken from a public speech, and nobody is named in it';

interface Person extends TestPerson {
  readonly env: NodeJS.ProcessEnv;
}

let harness: Harness;
let insecure: Harness;
let dir: string;
let ann: Person;
let bob: Person;
let cem: Person;
let mod: Person;
let max: Person;

async function person(id: string, groups: readonly string[]): Promise<Person> {
  const pair = makeKeyPair();
  const env = { XDG_CONFIG_HOME: join(dir, id) };
  await writeKey(keyFileOf(env), id, pair);
  return { id, groups, env, publicKey: pair.publicKey, entry: { id, groups, key: pair.publicKey }, sign: () => new Uint8Array() };
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tribunal-review-cli-'));
  [ann, bob, cem, mod, max] = await Promise.all([
    person('ann', ['leads']),
    person('bob', ['board', 'leads']),
    person('cem', ['board']),
    person('mod', ['moderators']),
    person('max', ['moderators']),
  ]);
  const people = (at: string) => ({ reviewers: writePeople(at, [ann, bob, cem, mod, max]) });
  const queue = (name: string) => ({ tiers: { default: 'triage' }, queues: { default: name } });
  harness = await makeHarness({
    plans: [
      planOf('ack', {}),
      planOf('triage', queue('moderation')),
      planOf('keys', queue('keys')),
      planOf('held', queue('held')),
      planOf('bulk', queue('bulk')),
      planOf('shared', queue('shared')),
      planOf('board', { tiers: { default: 'determination' }, queues: { default: 'board' } }),
    ],
    reviews: people,
  });
  insecure = await makeHarness({ plans: [planOf('ack', {})], reviews: people, insecureReviews: true });
});
afterAll(async () => {
  await harness.close();
  await insecure.close();
  await rm(dir, { recursive: true, force: true });
});

const where = (of: Harness): string[] => [
  '--address',
  inject('server').address,
  '--namespace',
  inject('server').namespace,
  '--deployment',
  of.deployment,
];

const as = (who: Person | undefined, ...args: string[]): Promise<CliRun> =>
  runCli(['review', ...args, ...where(harness)], { env: who?.env ?? { XDG_CONFIG_HOME: join(dir, 'nobody') } });

async function open(plan: string, content = 'text', of: Harness = harness): Promise<string> {
  const { review } = await of.client.evaluate({ plan, content });
  if (review === undefined) throw new Error('no review was opened');
  return review.id;
}

/** What the index says, once it does. */
const listed = (queue: string, count: number) =>
  expect
    .poll(() => harness.client.reviews.list({ queue, states: ['OPEN'] }).then((found) => found.length), { timeout: 20_000 })
    .toBe(count);

describe('review show', () => {
  it('shows hostile content inert, every line of it marked, and what was asked before what was made of it', async () => {
    const id = await open('ack', HOSTILE);
    await expect.poll(() => harness.client.reviews.timeline(id), { timeout: 20_000 }).toHaveLength(1);
    const { exit, stdout } = await as(undefined, 'show', id);
    expect(exit).toBe(0);
    expect(stdout.replaceAll('\n', '')).not.toMatch(OBEYED);
    expect(stdout).toContain('  | fine\\u001b[2J\\u001b]0;owned\\u0007 \\u202egnihton\\u202c\n  |   Signals\n  | last line');
    const order = [
      'Let a text of',
      'Signals',
      'looks bad',
      'What critics said',
      'insult: an \\u001b[31minsult  at 0-4 "fine"',
      'Did not object',
      'mild',
      'What was made of it',
      'ESCALATE',
      'Content',
      '  | fine',
      'So far',
      'opened',
    ];
    expect(order.map((part) => stdout.indexOf(part))).toEqual(order.map((part) => stdout.indexOf(part)).toSorted((a, b) => a - b));
    expect(order.filter((part) => !stdout.includes(part))).toEqual([]);
    const json = await as(undefined, 'show', id, '--json');
    expect(json.stdout.trimEnd()).not.toMatch(OBEYED);
    expect(JSON.parse(json.stdout)).toMatchObject({ reviewId: id, status: 'OPEN', packet: { content: HOSTILE }, signals: [{ id: 'r1' }] });
  });

  it('cuts long content and says how much is left, and shows all when asked', async () => {
    const id = await open('ack', 'word '.repeat(2_000));
    expect((await as(undefined, 'show', id)).stdout).toContain(`8,000 more characters: tribunal review show ${id} --content`);
    const whole = (await as(undefined, 'show', id, '--content')).stdout;
    expect(whole).not.toContain('more characters');
    expect(whole).toContain('word '.repeat(2_000).trimEnd());
  });

  it('does not tell the second person what the first has voted and why, until it is over', async () => {
    const id = await open('board');
    const vote = ['--proceed', '--reason', `r1=${REASON}`, '--rationale', `${REASON}: in all`];
    await as(bob, 'claim', id);
    expect(await as(bob, 'decide', id, ...vote)).toMatchObject({ exit: 0, stdout: expect.stringContaining('AWAITING_SECOND') });
    for (const more of [[], ['--json']]) {
      const { stdout } = await as(cem, 'show', id, ...more);
      expect(stdout).toContain('decide');
      expect(stdout).not.toMatch(/PROCEED|public speech/);
    }
    await as(cem, 'claim', id);
    expect(await as(cem, 'decide', id, ...vote)).toMatchObject({ exit: 0 });
    await harness.temporal.workflow.getHandle(id).result();
    const { stdout } = await as(undefined, 'show', id);
    expect(stdout).toContain('PROCEEDED: Let');
    expect(stdout).toContain(`r1: ${REASON}`);
    expect(stdout).toMatch(/decide {2}by bob {2}disposition PROCEED/);
  });
});

describe('a review by commands', () => {
  it('is claimed, decided by flags, and over; what is refused exits 2 with its code', async () => {
    const id = await open('ack');
    expect(await as(mod, 'claim', id)).toMatchObject({ exit: 2, stderr: expect.stringContaining('NOT_CANDIDATE') });
    const claim = await as(ann, 'claim', id);
    expect(claim).toMatchObject({ exit: 0, stdout: expect.stringMatching(/is CLAIMED, held until 20.*\(epoch 1\)/) });
    const taken = await as(bob, 'claim', id, '--json');
    expect({ exit: taken.exit, stdout: taken.stdout }).toEqual({ exit: 2, stdout: '' });
    expect(JSON.parse(taken.stderr)).toMatchObject({ error: { code: 'REVIEW_REFUSED', reason: 'CLAIM_TAKEN' } });
    expect(await as(ann, 'decide', id, '--proceed')).toMatchObject({ exit: 2, stderr: expect.stringContaining('--reason r1=…') });
    expect(await as(ann, 'decide', id, '--proceed', '--reason', 'r1=short')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('r1: the reason has 5 characters, an acknowledgement needs at least 20'),
    });
    const decided = await as(ann, 'decide', id, '--proceed', '--reason', `r1=${REASON}`, '--json');
    expect(decided.exit).toBe(0);
    expect(JSON.parse(decided.stdout)).toMatchObject({ reviewId: id, status: 'COMMITTING', endStatus: 'PROCEEDED' });
    expect(await harness.temporal.workflow.getHandle(id).result()).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'ann' }] });
    expect(await as(ann, 'comment', id, 'too late')).toMatchObject({
      exit: 2,
      stderr: expect.stringMatching(/NOT_OPEN.*it is PROCEEDED since 20/),
    });
  });

  it('is decided by a file, and a file that is no decision is refused before anything is sent', async () => {
    const id = await open('ack');
    await as(ann, 'claim', id);
    const file = join(dir, 'decision.json');
    for (const wrong of ['{', '[]', '{"disposition":"MAYBE"}', '{"disposition":"HALT","epoch":1}', '{"disposition":"HALT","more":1}']) {
      await writeFile(file, wrong);
      expect(await as(ann, 'decide', id, '--file', file)).toMatchObject({ exit: 2, stderr: expect.stringContaining('is no decision') });
    }
    await writeFile(file, JSON.stringify({ disposition: 'HALT', signals: [{ id: 'r1', reason: REASON }] }));
    expect(await as(ann, 'decide', id, '--file', file, '--halt')).toMatchObject({ exit: 2 });
    expect(await as(ann, 'decide', id, '--file', file)).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining(`${id} has ended: HALTED`),
    });
    expect(await harness.temporal.workflow.getHandle(id).result()).toMatchObject({ outcome: 'HALTED' });
  });

  it('is given back, commented, assigned, escalated, and stepped back from', async () => {
    const id = await open('ack');
    expect(await as(ann, 'unclaim', id)).toMatchObject({ exit: 2, stderr: expect.stringContaining('does not hold') });
    await as(ann, 'claim', id);
    expect(await as(ann, 'unclaim', id)).toMatchObject({ exit: 0, stdout: expect.stringContaining('is OPEN') });
    expect(await as(mod, 'comment', id, 'seen before')).toMatchObject({ exit: 0 });
    expect(await as(bob, 'assign', id, '--to', 'ann')).toMatchObject({ exit: 0, stdout: expect.stringContaining('CLAIMED') });
    expect(await as(ann, 'assign', id, '--to', 'bob')).toMatchObject({ exit: 2, stderr: expect.stringContaining('NOT_LEAD') });
    expect(await as(ann, 'escalate', id, '--to', 'determination', '--reason', 'two should look')).toMatchObject({ exit: 0 });
    expect(await as(bob, 'recuse', id, '--code', 'CONFLICT')).toMatchObject({ exit: 0 });
    expect(await as(bob, 'claim', id)).toMatchObject({ exit: 2, stderr: expect.stringContaining('SEPARATION_OF_DUTIES') });
    const { stdout } = await as(undefined, 'show', id);
    expect(stdout).toContain('seen before');
    expect(stdout).toContain('open, determination');
  });

  it('of triage is undone before it takes effect, and then decided anew', async () => {
    const id = await open('triage');
    await as(mod, 'claim', id);
    expect(await as(mod, 'decide', id, '--halt', '--code', 'unheard_of')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('REASON_UNKNOWN'),
    });
    expect(await as(mod, 'decide', id, '--halt', '--code', 'policy_violation')).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('takes effect at'),
      stderr: expect.stringContaining(`until then: tribunal review undo ${id}`),
    });
    const undone = await as(mod, 'undo', id, '--json');
    expect(JSON.parse(undone.stdout)).toMatchObject({ status: 'CLAIMED', epoch: 2 });
    expect(await as(mod, 'undo', id)).toMatchObject({ exit: 2, stderr: expect.stringMatching(/NOT_OPEN.*nothing of yours to undo/) });
  });

  it('needs a key, or a worker that takes commands without one', async () => {
    const id = await open('ack');
    expect(await as(undefined, 'claim', id)).toMatchObject({ exit: 1, stderr: expect.stringContaining('tribunal reviewer init') });
    expect(await as(undefined, 'claim', id, '--as', 'ann')).toMatchObject({ exit: 2, stderr: expect.stringContaining('UNSIGNED') });
    const lax = await open('ack', 'text', insecure);
    const claimed = await runCli(['review', 'claim', lax, '--as', 'ann', ...where(insecure)]);
    expect(claimed).toMatchObject({ exit: 0, stdout: expect.stringContaining('CLAIMED') });
  });

  it('that nobody has, or that is no id, is an error', async () => {
    expect(await as(ann, 'claim', 'review/default/none/000000000000')).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('there is no review'),
    });
    expect(await as(ann, 'show', 'nonsense')).toMatchObject({ exit: 2, stderr: expect.stringContaining('not the id of a review') });
  });
});

describe('review list and stats', () => {
  it('show what waits, as a table or as lines of JSON, and count it', async () => {
    const id = await open('held');
    await listed('held', 1);
    const { exit, stdout } = await as(undefined, 'list', '--queue', 'held');
    expect(exit).toBe(0);
    expect(stdout).toMatch(/in 3 h 59 min +open +triage +held .* +- +review\//);
    expect(JSON.parse((await as(undefined, 'list', '--queue', 'held', '--json')).stdout)).toMatchObject({
      reviewId: id,
      status: 'OPEN',
      queue: 'held',
    });
    await as(mod, 'claim', id);
    await expect.poll(() => as(mod, 'list', '--mine', '--state', 'claimed').then((one) => one.stdout), { timeout: 20_000 }).toContain(id);
    expect(await as(undefined, 'list', '--queue', "x' OR 1=1")).toMatchObject({ exit: 2 });
    expect(await as(undefined, 'list', '--state', 'odd')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('--state must be one of'),
    });
    expect(JSON.parse((await as(undefined, 'stats', '--queue', 'held', '--json')).stdout)).toMatchObject({
      open: 1,
      byTier: { triage: 1 },
    });
    expect((await as(undefined, 'stats', '--queue', 'held')).stdout).toMatch(/open +1 \(/);
  });
});

describe('review withdraw', () => {
  it('of a queue needs --yes where nobody can be asked, and tells of each', async () => {
    for (let count = 0; count < 3; count += 1) await open('bulk');
    await listed('bulk', 3);
    expect(await as(bob, 'withdraw', '--queue', 'bulk', '--reason', 'a wrong plan')).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('--yes'),
    });
    expect(await as(mod, 'withdraw', '--queue', 'bulk', '--reason', 'a wrong plan', '--yes')).toMatchObject({
      exit: 2,
      stdout: expect.stringContaining('NOT_LEAD'),
    });
    const done = await as(bob, 'withdraw', '--queue', 'bulk', '--reason', 'a wrong plan', '--yes', '--json');
    expect(done.exit).toBe(0);
    expect(
      done.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ status: 'WITHDRAWN' }, { status: 'WITHDRAWN' }, { status: 'WITHDRAWN' }]);
    await listed('bulk', 0);
  });
});

describe('review next', () => {
  const next = (queue: string, stdin: string, who = mod) =>
    runCli(['review', 'next', '--queue', queue, ...where(harness)], { env: who.env, stdin });

  it('takes keys from lines: proceeds, undoes, halts, skips, escalates, and ends where there is nothing left', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 4; count += 1) ids.push(await open('keys', `case ${count}`));
    await listed('keys', 4);
    const begun = performance.now();
    // The first proceeds, is undone and halts; the second is skipped, the third goes up, the fourth halts.
    const { exit, stdout, stderr } = await next('keys', 'p\n1\nu\nh\n2\ns\ne\ntwo should look\nh\n2\n');
    const tookMs = performance.now() - begun;
    expect({ exit, errors: stderr.split('\n').filter((line) => line.startsWith('tribunal:')) }).toEqual({ exit: 0, errors: [] });
    expect(tookMs / 4).toBeLessThan(1_000);
    const views = await Promise.all(ids.map((id) => harness.client.reviews.view(id)));
    expect(views.map(({ status, tier, claims }) => [status, tier, claims.length])).toEqual([
      ['COMMITTING', 'triage', 0],
      ['OPEN', 'triage', 0],
      ['OPEN', 'acknowledgement', 0],
      ['COMMITTING', 'triage', 0],
    ]);
    expect(stdout.match(/\| case 0/g)).toHaveLength(2);
    expect(stdout).toContain('takes effect at');
    expect(stderr).toContain('u undoes it until then');
    expect(stderr).toContain('there is nothing to claim');
  });

  it('asks for reasons in other tiers, and gives back what it holds when the input ends', async () => {
    const id = await open('board', 'for the board');
    await listed('board', 1);
    const refused = await next('board', `p\nshort\n${REASON}\n`, cem);
    expect(refused.stderr).toContain('r1: the reason has 5 characters, a determination needs at least 40');
    expect(await harness.client.reviews.view(id)).toMatchObject({ status: 'OPEN', claims: [] });
    const { exit } = await next('board', `h\n${REASON}\n${REASON}, in all\n`, cem);
    expect(exit).toBe(0);
    expect(await harness.temporal.workflow.getHandle(id).result()).toMatchObject({ outcome: 'HALTED', deciders: [{ by: 'cem' }] });
  });

  it('passes over what others hold and what one must not decide, and with --json speaks lines of JSON alone', async () => {
    const own = await harness.client.evaluate({ plan: 'shared', content: 'asked for by mod', requester: 'mod' });
    const held = await open('shared', 'held by max');
    const free = await open('shared', 'free');
    await listed('shared', 3);
    await as(max, 'claim', held);
    const { exit, stdout, stderr } = await runCli(['review', 'next', '--queue', 'shared', '--json', ...where(harness)], {
      env: mod.env,
      stdin: 'h\n1\n',
    });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const lines: unknown[] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { case: { reviewId: free, status: 'CLAIMED', packet: { content: 'free' }, reasons: ['false_positive', 'policy_violation'] } },
      { action: 'decide', reviewId: free, status: 'COMMITTING' },
    ]);
    expect(await harness.client.reviews.view(own.review?.id ?? '')).toMatchObject({ status: 'OPEN', seq: 1 });
  });

  it('at a terminal takes single keys, gives the terminal back, and gives back what it holds at Ctrl-C', async () => {
    const ids = [await open('triage', 'one'), await open('triage', 'two')];
    await expect
      .poll(() => harness.client.reviews.list({ queue: 'moderation', states: ['OPEN'] }).then((found) => found.length), { timeout: 20_000 })
      .toBe(2);
    const modes: boolean[] = [];
    const io = fakeIo({ env: mod.env });
    const keys = (async function* () {
      yield 'h2';
      // The second case is on the screen by then.
      await expect.poll(() => io.written.stdout, { timeout: 20_000 }).toContain('| two');
      yield '\u0003';
    })();
    const stdin = Object.assign(keys, { isTTY: true, setRawMode: (on: boolean) => modes.push(on) });
    expect(await run(['review', 'next', '--queue', 'moderation', ...where(harness)], { ...io, stdin })).toBe(0);
    expect(modes).toEqual([true, false]);
    const views = await Promise.all(ids.map((id) => harness.client.reviews.view(id)));
    expect(views.map(({ status, claims }) => [status, claims.length])).toEqual([
      ['COMMITTING', 0],
      ['OPEN', 0],
    ]);
  });
});
