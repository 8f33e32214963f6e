/** The plan is pinned when a run begins: a new release of the deployment changes nothing of what is under way. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { defineCritic } from '../../src/critics/critic.js';
import { callsIn, criticOf, makeHarness, outcomesOf, type Harness, type HarnessOptions } from '../support/harness.js';
import { until } from '../support/history.js';

/** A critic that exists in several versions and says which one it is. */
const versioned = (version: string) =>
  defineCritic({ name: 'versioned', version, evaluate: () => ({ severity: 0, violations: [], evidence: [version] }) });

const OLD = (dir: string) => ({
  plan: 'release',
  version: 1,
  timeouts: { global: '60s' },
  critics: {
    waits: {
      uses: 'scripted',
      stage: 'fast_critics',
      attemptTimeout: '50s',
      retryBackoffBase: 1,
      with: { waitFor: join(dir, 'go'), record: join(dir, 'waits.jsonl') },
    },
    gone: { uses: 'scripted', stage: 'core_analysis', with: { finding: { severity: 0.4 } } },
    kept: { uses: 'versioned', stage: 'core_analysis' },
  },
  verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.4)', reason: 'the rule of version 1' }], otherwise: 'allow' },
});

const NEW = {
  plan: 'release',
  version: 2,
  timeouts: { global: '60s' },
  critics: {
    added: { uses: 'scripted', stage: 'core_analysis', with: { finding: { severity: 0.4 } } },
    kept: { uses: 'versioned', stage: 'core_analysis' },
  },
  verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.5)', reason: 'the rule of version 2' }], otherwise: 'allow' },
};

describe('the pinned plan', () => {
  const open: Harness[] = [];
  async function release(options: HarnessOptions): Promise<Harness> {
    const harness = await makeHarness(options);
    open.push(harness);
    return harness;
  }
  afterEach(async () => {
    await Promise.all(open.splice(0).map((harness) => harness.close()));
  });

  /** A run of the old plan whose worker stopped in the middle, and a worker with the new plan in its place. */
  async function releaseInTheMiddle(newVersion: string) {
    const before = await release({ plans: (dir) => [OLD(dir)], critics: [versioned('1.4.0')] });
    const handle = await before.client.start({ plan: 'release', content: 'text' });
    await until(async () => (await callsIn(join(before.dir, 'waits.jsonl'))).length > 0);
    await before.stopWorkers();
    const after = await release({ plans: [NEW], critics: [versioned(newVersion)], deployment: before.deployment });
    await writeFile(join(before.dir, 'go'), '');
    return { before, after, report: await handle.result() };
  }

  it('stands on the report by the hash that the loader gave it', async () => {
    const harness = await release({ plans: [NEW], critics: [versioned('1.0.0')] });
    const [first, second] = await Promise.all([1, 2].map(() => harness.client.evaluate({ plan: 'release', content: 'text' })));
    expect(first?.planHash).toMatch(/^[0-9a-f]{64}$/);
    expect([first?.planHash, second?.planHash]).toEqual(Array(2).fill(harness.plans.get('release')?.hash));
    expect(first?.plan).toEqual({ name: 'release', version: 2 });
  });

  it('is followed by a run whose worker was replaced by one of a newer plan, which judges new runs by its own', async () => {
    const { before, after, report } = await releaseInTheMiddle('1.9.3');
    expect(report).toMatchObject({ plan: { version: 1 }, planHash: before.plans.get('release')?.hash, decision: 'deny' });
    expect(outcomesOf(report)).toEqual({ waits: 'succeeded', gone: 'succeeded', kept: 'succeeded' });
    expect(report.reasons.map((reason) => reason.rule)).toEqual(['the rule of version 1']);
    // The implementation is today's, as long as its major version is the pinned one.
    expect(criticOf(report, 'kept').finding?.evidence).toEqual(['1.9.3']);
    const next = await after.client.evaluate({ plan: 'release', content: 'text' });
    expect(next).toMatchObject({ plan: { version: 2 }, planHash: after.plans.get('release')?.hash, decision: 'allow' });
    expect(outcomesOf(next)).toEqual({ added: 'succeeded', kept: 'succeeded' });
    expect(next.planHash).not.toBe(report.planHash);
  });

  it('makes an implementation of another major version unavailable, with both versions named', async () => {
    const { report } = await releaseInTheMiddle('2.0.0');
    expect(report.decision).toBe('deny');
    expect(criticOf(report, 'kept')).toMatchObject({
      outcome: 'unavailable',
      code: 'VERSION_MISMATCH',
      message: 'the plan was compiled for versioned 1.4.0, this worker has 2.0.0',
      attempts: 0,
    });
    expect(report.reasons).toContainEqual(expect.objectContaining({ critic: 'kept', code: 'VERSION_MISMATCH', effect: 'fail' }));
  });
});
