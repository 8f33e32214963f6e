/** Lanes that left the plan, with evaluations under way that still need them. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { deploymentId } from '../../src/contract.js';
import { readDeploymentMemo } from '../../src/lanes/deployment-view.js';
import { callsIn, makeHarness } from '../support/harness.js';
import { until } from '../support/history.js';
import { release } from '../support/server-state.js';

it('an evaluation under way is judged on lanes that the next release of its plan does without', async () => {
  let dir = '';
  const plan = (version: number, first: object, second: object): object => ({
    plan: 'renamed',
    version,
    timeouts: { global: '100s' },
    defaults: { attemptTimeout: '60s' },
    critics: {
      first: { uses: 'scripted', stage: 'core_analysis', ...first, with: { waitFor: join(dir, 'go'), record: join(dir, 'calls.jsonl') } },
      second: { uses: 'scripted', stage: 'deep_analysis', ...second },
    },
    verdict: { rules: [], otherwise: 'allow' },
  });
  const old = await makeHarness({
    plans: (folder) => {
      dir = folder;
      // The one lane has no limit, the other one has.
      return [plan(1, {}, { maxConcurrent: 1 })];
    },
  });
  try {
    const handle = await old.client.start({ plan: 'renamed', content: 'text' });
    await until(async () => (await callsIn(join(dir, 'calls.jsonl'))).length > 0);
    await old.stopWorkers();
    const next = await makeHarness({ deployment: old.deployment, plans: [plan(2, { maxConcurrent: 1 }, {})] });
    try {
      await release(join(dir, 'go'));
      expect(await handle.result()).toMatchObject({ decision: 'allow', plan: { version: 1 } });
      const { memo } = await old.temporal.workflow.getHandle(deploymentId(old.deployment)).describe();
      const { retired } = readDeploymentMemo(memo);
      // The plan's own lane is one of the new release, too.
      expect(retired.map(({ lane, longestMs }) => [lane.queue.slice(old.deployment.length), longestMs])).toEqual([
        ['/p/renamed/second', 100_000],
      ]);
    } finally {
      await next.close();
    }
  } finally {
    await old.close();
  }
});

it('a second worker with other bytes under the same name and version does not start, and says which plan it is', async () => {
  const plan = (reason: string): object => ({
    plan: 'twice',
    version: 7,
    timeouts: { global: '60s' },
    critics: { one: { uses: 'scripted', stage: 'core_analysis' } },
    verdict: { rules: [{ deny: 'findings.size() > 5', reason }], otherwise: 'allow' },
  });
  const first = await makeHarness({ plans: [plan('one wording')] });
  try {
    await until(async () => {
      const found = await first.temporal.workflow
        .getHandle(deploymentId(first.deployment))
        .describe()
        .catch(() => undefined);
      return Object.keys(readDeploymentMemo(found?.memo).workers).length === 1;
    });
    const second = makeHarness({ deployment: first.deployment, plans: [plan('another one')] });
    await expect(second).rejects.toThrow(/^plan twice version 7 differs from the one that tribunal .* has: raise the version/);
    expect(await first.client.evaluate({ plan: 'twice', content: 'text' })).toMatchObject({ decision: 'allow' });
  } finally {
    await first.close();
  }
});
