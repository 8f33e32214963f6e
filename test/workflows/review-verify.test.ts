/** The account of a review on the real server: read whole, verified, exported, and refused as soon as anything in it is another. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Host } from '../../src/client-calls.js';
import { readSets } from '../../src/assess/sets/read-sets.js';
import { encryption } from '../../src/codec/index.js';
import { REFRESH_SIGNAL } from '../../src/contract.js';
import { hashed, type HashedEntry } from '../../src/domain/review/chain.js';
import { exportReview, verifyExport, type ReviewExport } from '../../src/review/export.js';
import { readEvaluation } from '../../src/review/read-evaluation.js';
import { readReview } from '../../src/review/read-review.js';
import type { ReviewRecord } from '../../src/review/review-record.js';
import { verifyReview } from '../../src/review/verify.js';
import { decide, decided, openReview, resetToStart, reviewedPlan } from '../support/decide.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { runCli, type CliRun } from '../support/cli-io.js';
import { until } from '../support/history.js';
import { REASON } from '../support/review-plans.js';
import { makePerson, REVIEW_BLOCK, TestReview, writePeople, type TestPerson } from '../support/reviews.js';

const { address, namespace } = inject('server');
const ann = makePerson('ann', ['leads']);
const bob = makePerson('bob', ['board', 'leads']);
const cem = makePerson('cem', ['board']);
const PEOPLE = [ann, bob, cem, makePerson('mod', ['moderators'])];
const FOUND = { finding: { severity: 0.5, violations: [] } };
const BOARD = { ...REVIEW_BLOCK, tiers: { default: 'determination' } };
const PLANS = [reviewedPlan('ack', FOUND, REVIEW_BLOCK), reviewedPlan('board', FOUND, BOARD)];

/** How many positions of an export are tried. */
const FLIPS = 400;

const problemOf = (given: unknown): string => {
  const verified = verifyExport(given);
  return verified.sound ? 'sound' : `${verified.problem.record}: ${verified.problem.message}`;
};

/** The same words in other places: what somebody does who knows the form. */
const changed = (exported: ReviewExport, change: (copy: Record<string, never>) => void): unknown => {
  const copy = structuredClone(exported) as unknown as Record<string, never>;
  change(copy);
  return copy;
};

/** A chain whose hashes are right, whatever it says. */
function rehashed(entries: readonly HashedEntry[], from: string): HashedEntry[] {
  let prevHash = from;
  return entries.map(({ entry }, index) => {
    const made = hashed({ ...entry, seq: index + 1, prevHash });
    prevHash = made.hash;
    return made;
  });
}

describe('the account of a review', () => {
  let harness: Harness;
  let exported: ReviewExport;
  beforeAll(async () => {
    harness = await makeHarness({ plans: PLANS, reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }) });
    exported = exportReview(await readReview(host(), (await byTheBoard()).reviewId));
  });
  afterAll(() => harness.close());

  const host = (): Host => ({ client: harness.temporal, index: harness.temporal, namespace, deployment: harness.deployment });
  const cli = (...args: string[]): Promise<CliRun> =>
    runCli([...args, '--address', address, '--namespace', namespace, '--deployment', harness.deployment]);

  async function vote(review: TestReview, person: TestPerson): Promise<void> {
    const { epoch } = await review.act(person, 'claim', {});
    const signals = [{ id: 'r1', reason: `${REASON}, says ${person.id}, and it names nobody` }];
    await review.act(person, 'decide', { disposition: 'PROCEED', epoch, signals, rationale: `${REASON}; see the transcript` });
  }

  /** Two people, a comment, and a command that was sent twice. */
  async function byTheBoard(): Promise<TestReview> {
    const { review } = await openReview(harness, 'board');
    const comment = review.command(ann, 'comment', { text: 'seen it' });
    await review.send('comment', comment);
    await review.handle.executeUpdate('comment', { args: [comment], updateId: 'sent again' });
    await vote(review, bob);
    await vote(review, cem);
    await review.handle.result();
    return review;
  }

  it('is sound when two people have let it pass, and says who, of which run, and with which people', async () => {
    expect(verifyExport(JSON.parse(JSON.stringify(exported)))).toEqual({ sound: true, unsigned: [] });
    expect(exported).toMatchObject({ v: 1, status: 'completed', isWhole: true, isReset: false, result: { outcome: 'PROCEEDED' } });
    expect(exported.entries.map(({ entry }) => entry.type)).toEqual(['opened', 'comment', 'claim', 'decide', 'claim', 'decide', 'decided']);
    expect(exported.entries[0]?.entry).toMatchObject({ from: 'OPENING', to: 'OPEN' });
    // The one that was sent twice was accepted twice.
    expect(exported.commands.map(({ action }) => action)).toEqual(['comment', 'comment', 'claim', 'decide', 'claim', 'decide']);
    expect(exported.people.map(({ persons }) => persons.map(({ id }) => id))).toEqual([['ann', 'bob', 'cem', 'mod']]);
    expect(exported.runs).toHaveLength(1);
  });

  it('is not sound when any byte of it is another, and the record that is wrong is named', () => {
    const text = JSON.stringify(exported);
    const unnamed: string[] = [];
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const position = Math.floor((flip * text.length) / FLIPS);
      const code = text.charCodeAt(position);
      const other = `${text.slice(0, position)}${String.fromCharCode(code ^ 1)}${text.slice(position + 1)}`;
      let given: unknown;
      try {
        given = JSON.parse(other);
      } catch {
        continue;
      }
      const problem = problemOf(given);
      if (!/^(entry \d+|command .+|people \d+|run.*|input|result|export): /.test(problem)) unnamed.push(`${position}: ${problem}`);
    }
    expect(unnamed).toEqual([]);
  });

  it.each([
    ['an entry is left out', (copy: ReviewExport) => copy.entries.slice(0, 3).concat(copy.entries.slice(4)), 'entry 4: entry 4 is missing'],
    ['two are swapped', ({ entries: [a, b, c, ...rest] }: ReviewExport) => [a, c, b, ...rest], 'entry 2: '],
    [
      'one says something else',
      ({ entries }: ReviewExport) =>
        entries.map(({ entry, hash }) => ({ hash, entry: { ...entry, ...(entry.seq === 5 ? { by: 'ann' } : {}) } })),
      'entry 5: entry 5 is not what its hash was made of',
    ],
    [
      'one says something else, and all hashes are made anew',
      ({ entries, input }: ReviewExport) =>
        rehashed(
          entries.map(({ entry, hash }) => ({ hash, entry: { ...entry, ...(entry.seq === 5 ? { by: 'ann' } : {}) } })),
          input.reportHash,
        ),
      'entry 5: cem has signed it, not ann',
    ],
    [
      'a second vote is left out, and all hashes are made anew',
      ({ entries, input }: ReviewExport) => rehashed([...entries.slice(0, 4), ...entries.slice(6)], input.reportHash),
      'entry 5: the rules of the review make something else of what came before it',
    ],
    ['the last is left out', ({ entries }: ReviewExport) => entries.slice(0, -1), 'result: it is not what the entries come to'],
    ['all are left out', () => [], 'command '],
  ])('is not sound when %s', (_what, entries, problem) => {
    expect(problemOf({ ...exported, entries: entries(exported) })).toContain(problem);
  });

  it('is not sound when a command, a person, a rule or the end is another', () => {
    const set = (change: (copy: Record<string, never>) => void): string => problemOf(changed(exported, change));
    expect(problemOf({ ...exported, commands: exported.commands.slice(2) })).toContain('entry 2: no accepted command is behind it');
    expect(problemOf({ ...exported, commands: [...exported.commands, { action: 'undo', command: {}, updateId: 'x' }] })).toContain(
      'command x: ',
    );
    const other = makePerson('bob', ['board']);
    const keyOfOther = exported.people.map(({ persons, digest }) => ({
      digest,
      persons: persons.map((person) => ({ ...person, ...(person.id === 'bob' ? { key: other.publicKey } : {}) })),
    }));
    expect(problemOf({ ...exported, people: keyOfOther })).toContain('people 1: ');
    expect(problemOf({ ...exported, people: [] })).toContain('entry 1: who might act then is not recorded');
    expect(problemOf({ ...exported, input: { ...exported.input, author: 'somebody' } })).toContain('entry 1: the rules');
    expect(problemOf({ ...exported, input: { ...exported.input, packet: { ...exported.input.packet, content: 'another' } } })).toContain(
      'input: ',
    );
    expect(problemOf({ ...exported, result: { ...exported.result, outcome: 'HALTED' } })).toContain('result: ');
    expect(problemOf({ ...exported, result: undefined })).toContain('result: ');
    expect(problemOf({ ...exported, isWhole: false })).toContain('run: ');
    expect(problemOf({ ...exported, isReset: true })).toContain('run: it was reset');
    expect(set((copy) => delete copy['runs'])).toContain('export: ');
    for (const nothing of [undefined, null, [], {}, 'text', { v: 2, entries: [] }]) expect(problemOf(nothing)).toContain('export: ');
    expect(problemOf({ v: 1, entries: {} })).toContain('run: ');
  });

  it('tells what of it was not signed, which is not wrong', async () => {
    const insecure = await makeHarness({
      plans: PLANS,
      insecureReviews: true,
      reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }),
    });
    try {
      const { review } = await openReview(insecure, 'ack');
      await review.send('claim', { v: 1, commandId: 'claim-by-hand', payload: {}, as: 'ann' });
      const record = await readReview({ ...host(), client: insecure.temporal }, review.reviewId);
      expect(verifyReview(record)).toEqual({ sound: true, unsigned: record.entries.length > 1 ? [2] : [] });
      await until(async () => (await readReview(host(), review.reviewId)).entries.length > 1);
      const forged: ReviewRecord = await readReview(host(), review.reviewId);
      // In a review that takes signed commands alone it would be wrong.
      const entries = rehashed(
        forged.entries.map(({ entry, hash }) => {
          const { insecure: _insecure, ...facts } = entry.facts ?? {};
          return { hash, entry: { ...entry, facts } };
        }),
        forged.input.reportHash,
      );
      expect(verifyReview({ ...forged, entries })).toMatchObject({ sound: false, problem: { record: 'entry 2' } });
    } finally {
      await insecure.close();
    }
  });

  it('of a review whose run was reset counts for nothing', async () => {
    const { review } = await decided(harness, 'ack', ann, 'PROCEED');
    const runId = await resetToStart(harness, review.reviewId);
    const record = await readReview(host(), review.reviewId);
    expect(record.isReset).toBe(true);
    expect(verifyReview(record)).toMatchObject({ sound: false, problem: { record: `run ${runId}` } });
  });

  it('is verified on the command line, from the server and from a file without one', async () => {
    const { report, review } = await decided(harness, 'ack', ann, 'HALT');
    expect(await cli('review', 'verify', review.reviewId)).toMatchObject({ exit: 0, stdout: expect.stringContaining('HALTED') });
    const file = join(harness.dir, 'review.json');
    expect((await cli('review', 'export', review.reviewId, '--out', file)).exit).toBe(0);
    expect(await runCli(['review', 'verify', file])).toMatchObject({ exit: 0 });
    writeFileSync(file, readFileSync(file, 'utf8').replace('"HALT"', '"PROCEED"'));
    const wrong = await runCli(['review', 'verify', file, '--json']);
    expect(wrong.exit).toBe(1);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ sound: false, problem: { record: 'entry 3' } });
    expect(await runCli(['review', 'verify', join(harness.dir, 'missing.json')])).toMatchObject({ exit: 2 });
    expect(await cli('review', 'verify', `${review.reviewId.slice(0, -2)}00`)).toMatchObject({ exit: 1 });
    await expect(harness.client.reviews.export(report.evaluationId)).rejects.toMatchObject({ code: 'REVIEW_NOT_FOUND' });
    expect(await readEvaluation(host(), report.evaluationId)).toMatchObject({
      workflowType: 'evaluate',
      status: 'completed',
      plan: { hash: report.planHash },
      report: { review: { id: review.reviewId } },
    });
  });

  it('gives what people have decided as a labelled set that assess reads', async () => {
    const yes = await decided(harness, 'ack', ann, 'PROCEED');
    const nope = await decided(harness, 'ack', ann, 'HALT');
    const open = await openReview(harness, 'ack');
    const file = join(harness.dir, 'labels.jsonl');
    await until(async () => {
      expect((await cli('review', 'export', '--labels', '--queue', 'reviews', '--out', file)).exit).toBe(0);
      const text = readFileSync(file, 'utf8');
      return [yes, nope].every(({ review }) => text.includes(review.reviewId));
    });
    const { records } = await readSets([file]);
    const byId = new Map(records.map((record) => [record.id, record]));
    expect(byId.get(yes.review.reviewId)).toMatchObject({ content: 'text', verdict: 'allow', stratum: 'reviews/reviews' });
    expect(byId.get(nope.review.reviewId)).toMatchObject({ verdict: 'deny' });
    expect(byId.has(open.review.reviewId)).toBe(false);
    expect((await cli('review', 'export', '--labels', '--queue', 'none')).stdout).toBe('');
    expect((await cli('review', 'export')).exit).toBe(2);
  });

  it('shows a terminal nothing that it obeys, whatever the content holds', async () => {
    const content = 'red \u009b31m, turned \u202eround, gone \u007f';
    const { review } = await openReview(harness, 'ack', content);
    const { stdout } = await cli('review', 'export', review.reviewId);
    expect(stdout.trimEnd()).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    expect(JSON.parse(stdout)).toMatchObject({ input: { packet: { content } } });
  });
});

describe('review export --labels', () => {
  it('leaves out what was decided without a signature and counts it, unless it is asked for', async () => {
    const insecure = await makeHarness({
      plans: PLANS,
      insecureReviews: true,
      reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }),
    });
    const unsigned = (...args: string[]): Promise<CliRun> =>
      runCli(['review', ...args, '--address', address, '--namespace', namespace, '--deployment', insecure.deployment]);
    try {
      const { handle } = (await openReview(insecure, 'ack')).review;
      const id = handle.workflowId;
      await unsigned('claim', id, '--as', 'ann');
      expect(await unsigned('decide', id, '--as', 'ann', '--halt', '--reason', `r1=${REASON}`)).toMatchObject({ exit: 0 });
      await until(async () => (await unsigned('export', '--labels', '--unsigned')).stdout.includes(id));
      const { exit, stdout, stderr } = await unsigned('export', '--labels');
      expect({ exit, stdout }).toEqual({ exit: 0, stdout: '' });
      expect(stderr).toContain('1 left out: not signed');
    } finally {
      await insecure.close();
    }
  });
});

describe('the account of a review', () => {
  it('is sound when two have claimed it at once, and when people have changed since', async () => {
    const harness = await makeHarness({ plans: PLANS, reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }) });
    try {
      const { review } = await openReview(harness, 'ack');
      await until(async () => (await review.view()).status === 'OPEN');
      await harness.stopWorkers();
      const claims = [review.act(ann, 'claim', {}), review.act(bob, 'claim', {})];
      const ends = Promise.allSettled(claims);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await harness.addWorker();
      const [first, second] = await ends;
      expect(new Set([first?.status, second?.status])).toEqual(new Set(['fulfilled', 'rejected']));
      const [winner, epoch] =
        first?.status === 'fulfilled' ? [ann, first.value.epoch] : [bob, second?.status === 'fulfilled' ? second.value.epoch : 0];
      // The winner comes back with another key.
      const renewed = makePerson(winner.id, winner.groups);
      writePeople(
        harness.dir,
        PEOPLE.map((person) => (person.id === winner.id ? renewed : person)),
      );
      await review.handle.signal(REFRESH_SIGNAL);
      const signals = [{ id: 'r1', reason: REASON }];
      await until(async () => (await review.view()).seq > 2);
      await review.act(renewed, 'decide', { disposition: 'PROCEED', epoch, signals });
      await review.handle.result();
      const host: Host = { client: harness.temporal, index: harness.temporal, namespace, deployment: harness.deployment };
      const record = await readReview(host, review.reviewId);
      expect(record.entries.map(({ entry }) => entry.type)).toEqual(['opened', 'claim', 'people_changed', 'decide', 'decided']);
      expect(record.people).toHaveLength(2);
      expect(verifyReview(record)).toEqual({ sound: true, unsigned: [] });
      // With the key of before nothing that was signed by the new one holds, and the other way round.
      expect(verifyReview({ ...record, people: record.people.toReversed() })).toMatchObject({ sound: true });
      const [before] = record.people;
      expect(verifyReview({ ...record, people: before === undefined ? [] : [before] })).toMatchObject({ problem: { record: 'entry 3' } });
    } finally {
      await harness.close();
    }
  });
});

describe('the account of an encrypted review', () => {
  it('is read and verified by whoever has the key', async () => {
    const keys = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
    const dataConverter = encryption({ keys });
    const harness = await makeHarness({ plans: PLANS, dataConverter, reviews: (dir) => ({ reviewers: writePeople(dir, PEOPLE) }) });
    try {
      const report = await harness.client.evaluate({ plan: 'ack', content: 'text' });
      const review = new TestReview(harness.encrypted, report.review?.id ?? '', report.review?.packetDigest ?? '');
      await decide(review, ann, 'PROCEED');
      await review.handle.result();
      const host: Host = { client: harness.encrypted, index: harness.encrypted, namespace, deployment: harness.deployment };
      expect(verifyReview(await readReview(host, review.reviewId))).toEqual({ sound: true, unsigned: [] });
      await expect(readReview({ ...host, client: harness.temporal }, review.reviewId)).rejects.toMatchObject({ code: 'UNDECODABLE' });
    } finally {
      await harness.close();
    }
  });
});
