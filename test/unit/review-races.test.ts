/** Commands that come together, in any order: the workflow's own code, without server and without sandbox. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ReviewResult } from '../../src/contract.js';
import { chainProblem } from '../../src/domain/review/chain.js';
import { REVIEW_CODES } from '../../src/domain/review/codes.js';
import { REVIEW_ACTIONS, type Receipt } from '../../src/domain/review/review.js';
import { signCommand } from '../../src/review/sign.js';
import { makeKeyPair } from '../../src/review/keys.js';
import { review } from '../../src/workflows/review.js';
import { Box, isReceipt } from './review-box.js';
import { peopleOf, personOf, signerOf } from './review-fixture.js';
import { decision, inputOf } from './review-scene.js';

const around = vi.hoisted(() => ({ box: undefined as Box | undefined }));
vi.mock('@temporalio/workflow', async (original) => {
  const sdk: Record<string, unknown> = { ...(await original<object>()) };
  const own = ['setHandler', 'workflowInfo', 'condition', 'startChild', 'allHandlersFinished', 'upsertSearchAttributes'] as const;
  const more = ['setCurrentDetails', 'patched', 'makeContinueAsNewFunc'] as const;
  for (const name of [...own, ...more])
    sdk[name] = (...args: never[]) => around.box && (Reflect.apply(around.box.sdk[name], undefined, args) as unknown);
  return { ...sdk, CancellationScope: { nonCancellable: (run: () => Promise<unknown>) => around.box?.nonCancellable(run) } };
});
vi.mock('../../src/workflows/review-proxies.js', () => ({
  loadHost: () => around.box?.proxies.loadHost(),
  record: (given: never) => around.box?.proxies.record(given),
}));

const NAMES = ['bob', 'cem', 'dee'] as const;
type Name = (typeof NAMES)[number];
const keys = Object.fromEntries(NAMES.map((name) => [name, makeKeyPair()])) as Record<Name, ReturnType<typeof makeKeyPair>>;
const people = peopleOf(...NAMES.map((name) => personOf(name, keys[name], { groups: ['board'] })));
const input = inputOf('determination');

function start(): { box: Box; result: Promise<ReviewResult> } {
  const box = new Box(people);
  around.box = box;
  return { box, result: review(input) };
}

function command(name: Name, action: string, payload: object): readonly [string, unknown] {
  const commandId = randomUUID();
  const fields = {
    tenant: 'default',
    reviewId: 'review/default/k/0123456789ab',
    action,
    commandId,
    payload,
    packetDigest: input.packetDigest,
  };
  return [action, { v: 1, commandId, payload, assertion: signCommand(signerOf(name, keys[name]), fields, Date.now()) }];
}

const vote = (name: Name, disposition: 'PROCEED' | 'HALT', epoch: number) =>
  command(name, 'decide', decision('determination', disposition, epoch));

/** Whatever the answers are, they fit together and to what stands in the chain. */
function expectConsistent(box: Box, sent: readonly (readonly [string, unknown])[], answers: readonly unknown[]): void {
  expect(chainProblem(box.entries, { reviewId: 'review/default/k/0123456789ab', reportHash: input.reportHash })).toBeUndefined();
  const taken = answers.filter(isReceipt);
  expect(new Set(taken.map(({ seq }) => seq)).size).toBe(taken.length);
  for (const [index, answer] of answers.entries()) {
    if (isReceipt(answer)) expect(box.entries[answer.seq - 1]).toMatchObject({ hash: answer.hash, entry: { type: sent[index]?.[0] } });
    else expect(Object.keys(REVIEW_CODES)).toContain((answer as ApplicationFailure).type);
  }
  expect(taken.filter(({ status }) => status === 'COMMITTING').length).toBeLessThanOrEqual(1);
  expect(box.entries.filter(({ entry }) => entry.type === 'decided').length).toBeLessThanOrEqual(1);
}

/** What the accepted votes come to, one after the other, by the rule and not by the code. */
function outcomeOf(box: Box): 'PROCEEDED' | 'HALTED' | undefined {
  const votes = box.entries.filter(({ entry }) => entry.type === 'decide').map(({ entry }) => entry.facts?.['disposition']);
  if (votes.includes('HALT')) return 'HALTED';
  return votes.length >= 2 ? 'PROCEEDED' : undefined;
}

describe('in one workflow task', () => {
  it('three claims for two places and three votes come to one end, equal to some serial order, in 200 orders', async () => {
    const ends = { PROCEEDED: 0, HALTED: 0, open: 0 };
    const commands = [
      ...NAMES.map((name) => command(name, 'claim', {})),
      ...[1, 2].flatMap((epoch) => [vote('bob', 'PROCEED', epoch), vote('cem', 'PROCEED', epoch), vote('dee', 'HALT', epoch)]),
    ];
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(commands, { minLength: commands.length }), async (sent) => {
        const { box, result } = start();
        await box.settle();
        const answers = await box.task(sent);
        expectConsistent(box, sent, answers);
        const outcome = outcomeOf(box);
        ends[outcome ?? 'open'] += 1;
        const end = box.entries.find(({ entry }) => entry.type === 'decided')?.entry.facts?.['outcome'];
        expect(end).toBe(outcome);
        if (outcome !== undefined) expect((await result).permit !== undefined).toBe(outcome === 'PROCEEDED');
      }),
      { numRuns: 200, seed: 1 },
    );
    // All three ends have been met.
    expect(Math.min(...Object.values(ends))).toBeGreaterThan(0);
  });

  it('the second claim of one place is refused, and a third vote after the deciding one is too late', async () => {
    const { box, result } = start();
    await box.settle();
    const claims = await box.task(NAMES.map((name) => command(name, 'claim', {})));
    expect(claims.map((answer) => (isReceipt(answer) ? answer.epoch : (answer as ApplicationFailure).type))).toEqual([1, 2, 'CLAIM_TAKEN']);
    const votes = await box.task([vote('bob', 'PROCEED', 1), vote('cem', 'PROCEED', 2), vote('dee', 'HALT', 2)]);
    expect(votes.map((answer) => (isReceipt(answer) ? answer.status : (answer as ApplicationFailure).type))).toEqual([
      'AWAITING_SECOND',
      'COMMITTING',
      'NOT_OPEN',
    ]);
    expect(await result).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'bob' }, { by: 'cem' }] });
  });

  it('the same command fifty times is taken once, and every sender has the same receipt', async () => {
    const { box } = start();
    await box.settle();
    const sent = command('bob', 'claim', {});
    const answers = (await box.task(Array.from({ length: 50 }, () => sent))) as Receipt[];
    expect(new Set(answers.map(({ hash }) => hash)).size).toBe(1);
    expect(answers.filter(({ duplicate }) => duplicate === true)).toHaveLength(49);
    expect(box.entries).toHaveLength(2);
  });
});

describe('when time has passed without a worker', () => {
  afterEach(() => vi.useRealTimers());

  it('a decision and the end of the time come in one workflow task: the decision is refused, and the review has expired', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { box, result } = start();
    await box.settle();
    vi.setSystemTime(Date.now() + input.rules.times.expiresMs - 60_000);
    await box.settle();
    const [claim] = await box.task([command('bob', 'claim', {})]);
    vi.setSystemTime(Date.now() + 60_000);
    const [late] = await box.task([vote('bob', 'HALT', (claim as Receipt).epoch ?? 0)]);
    expect((late as ApplicationFailure).type).toBe('EXPIRED');
    expect(await result).toMatchObject({ outcome: 'EXPIRED', deciders: [] });
  });

  it('a file of people that cannot be read is tried again, but not hundreds of times a day', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const box = new Box(people);
    box.isReadable = false;
    around.box = box;
    void review(input);
    await box.settle();
    const end = Date.now() + 86_400_000;
    while (box.nextMs < end) {
      vi.setSystemTime(box.nextMs);
      await box.settle();
    }
    expect(box.reads).toBeGreaterThan(24);
    expect(box.reads).toBeLessThan(200);
    box.isReadable = true;
    vi.setSystemTime(box.nextMs);
    await box.settle();
    expect(isReceipt((await box.task([command('bob', 'claim', {})]))[0])).toBe(true);
  });
});

describe('a review that is cancelled', () => {
  it('while an entry is being written down has it in the history, and ends after it', async () => {
    const { box, result } = start();
    await box.settle();
    let release = (): void => {};
    box.writable = new Promise<void>((resolve) => (release = resolve));
    const [receipt] = await box.task([command('bob', 'claim', {})]);
    box.cancel();
    await box.settle();
    release();
    await expect(result).rejects.toThrow('cancelled');
    expect(box.entries.map(({ entry }) => entry.type)).toEqual(['opened', 'claim', 'cancelled']);
    expectConsistent(box, [['claim', undefined]], [receipt]);
  });

  it('after it was decided stays decided', async () => {
    const { box, result } = start();
    await box.settle();
    const [claim] = await box.task([command('bob', 'claim', {})]);
    await box.task([vote('bob', 'HALT', (claim as Receipt).epoch ?? 0)]);
    box.cancel();
    expect(await result).toMatchObject({ outcome: 'HALTED', deciders: [{ by: 'bob' }] });
  });
});

describe('every update of a review', () => {
  it('has a validator, which answers at once and never with a promise', async () => {
    const { box } = start();
    const given = [undefined, null, 42, 'x', [], {}, { v: 1 }];
    for (const isReady of [false, true]) {
      if (isReady) await box.settle();
      expect([...box.updates.keys()]).toEqual(REVIEW_ACTIONS);
      for (const { validator, handler } of box.updates.values()) {
        expect([validator, handler].map((one) => Object.getPrototypeOf(one) as unknown)).toEqual([Function.prototype, Function.prototype]);
        for (const one of given) expect(() => validator?.(one)).toThrow(ApplicationFailure);
        expect(() => validator?.({}, 'more')).toThrow(ApplicationFailure);
      }
    }
    expect(box.entries).toHaveLength(1);
  });

  it('changes nothing while it is validated, whether it is taken or refused', async () => {
    const { box } = start();
    await box.settle();
    const [, claim] = command('bob', 'claim', {});
    for (let count = 0; count < 3; count += 1) box.updates.get('claim')?.validator?.(claim);
    expect(() => box.updates.get('claim')?.validator?.(claim, 'and more')).toThrow(REVIEW_CODES.BAD_REQUEST);
    await box.settle();
    expect(box.entries).toHaveLength(1);
    expect((await box.task([['claim', claim]]))[0]).toMatchObject({ epoch: 1, seq: 2 });
  });
});

describe('a review that opens', () => {
  it('says in the UI that it waits for the file of people, and then what may be done', async () => {
    const { box } = start();
    expect(box.details).toContain('it waits for the file of people');
    await box.settle();
    expect(box.details).toContain('- next: `claim`, `recuse` with');
    await box.task([command('bob', 'claim', {})]);
    expect(box.details).toContain('- next: `claim`, `decide`, `unclaim`, `recuse` with');
    await box.task([command('cem', 'claim', {})]);
    expect(box.details).toContain('- next: `decide`, `unclaim`, `recuse` with');
  });
});

describe('a review that goes on in a new run', () => {
  it('keeps its claims, epochs, votes and receipts, and carries little', async () => {
    const { box } = start();
    await box.settle();
    const claims = [command('bob', 'claim', {}), command('cem', 'claim', {})];
    const [first] = await box.task(claims);
    await box.task([vote('bob', 'PROCEED', 1)]);
    box.continueAsNewSuggested = true;
    await box.task([command('cem', 'comment', { text: 'I see' })]);
    if (box.carried === undefined) throw new Error('it did not go on');
    expect(JSON.stringify(box.carried[1]).length).toBeLessThan(65_536);
    expect(box.carried[1]).not.toHaveProperty('people');

    const next = new Box(people);
    around.box = next;
    const result = review(...(JSON.parse(JSON.stringify(box.carried)) as typeof box.carried));
    expect(next.details).toMatch(/awaiting second.*\n[^]*held by `cem`/);
    await next.settle();
    expect((await next.task(claims.slice(0, 1)))[0]).toEqual({ ...(first as Receipt), duplicate: true });
    const [refused, taken] = await next.task([vote('bob', 'PROCEED', 1), vote('cem', 'PROCEED', 2)]);
    expect((refused as ApplicationFailure).type).toBe('FOUR_EYES');
    expect(taken).toMatchObject({ status: 'COMMITTING' });
    expect(await result).toMatchObject({ outcome: 'PROCEEDED', deciders: [{ by: 'bob' }, { by: 'cem' }] });
    const whole = { reviewId: 'review/default/k/0123456789ab', reportHash: input.reportHash };
    expect(chainProblem([...box.entries, ...next.entries], whole)).toBeUndefined();
  });
});
