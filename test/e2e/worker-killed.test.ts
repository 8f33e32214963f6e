/** Worker processes that are killed or frozen while they judge: what another one takes over, and what is not done twice. */
import { beforeAll, describe, expect, test } from 'vitest';
import { activitiesOf, attemptsOf } from '../support/history.js';
import { callsIn, criticOf } from '../support/harness.js';
import { build, callsOf, eventually } from '../support/processes.js';
import { gated, isResult, isVerdict, makeScene, moduleOf, resultsKept, type Scene } from '../support/scene.js';

beforeAll(build);

/** Each waits for a heartbeat time-out of 5 s, so they wait beside each other. */
describe.concurrent('a worker that is killed', () => {
  test('while a remote critic runs: another one finishes, and what had ended is not run again', async (context) => {
    const quick = (file: Scene['file']) => ({ uses: 'scripted', with: { record: file('quick') }, stage: 'core_analysis' });
    const scene = await makeScene(context, (file) => ({ critics: { gated: gated(file), quick_a: quick(file), quick_b: quick(file) } }));
    const first = await scene.worker();
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await callsOf(scene.file('gated'), 'start', 1);
    await resultsKept(scene, handle.evaluationId, 2);
    first.kill('SIGKILL');
    expect(await first.ended).toMatchObject({ exit: null, signal: 'SIGKILL' });
    const second = await scene.worker();
    scene.release('gate');
    const report = await handle.result();
    expect(report).toMatchObject({ decision: 'allow', coverage: { planned: 3, succeeded: 3 }, metrics: { retried: 1 } });

    const starts = await callsOf(scene.file('gated'), 'start', 2);
    expect(starts.map(({ attempt, pid }) => ({ attempt, pid }))).toEqual([
      { attempt: 1, pid: first.pid },
      { attempt: 2, pid: second.pid },
    ]);
    expect(new Set(starts.map(({ key }) => key)).size).toBe(1);
    expect(criticOf(report, 'gated').attempts).toBe(2);
    expect(attemptsOf(await scene.history(handle.evaluationId), 'gated').map((attempt) => attempt.class)).toEqual(['worker_lost', 'ok']);
    const quickCalls = await callsIn(scene.file('quick'));
    expect(quickCalls.map(({ event, pid }) => ({ event, pid })).toSorted((a, b) => (a.event < b.event ? -1 : 1))).toEqual(
      ['end', 'end', 'start', 'start'].map((event) => ({ event, pid: first.pid })),
    );
  });

  test('on the last attempt: the critic is scheduled once more with the same key and succeeds', async (context) => {
    const scene = await makeScene(context, (file) => ({ critics: { gated: gated(file, { maxRetries: 0 }) } }));
    const first = await scene.worker();
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await callsOf(scene.file('gated'), 'start', 1);
    first.kill('SIGKILL');
    await scene.worker();
    scene.release('gate');
    const report = await handle.result();
    expect(report).toMatchObject({ decision: 'allow', coverage: { planned: 1, succeeded: 1 } });
    expect(criticOf(report, 'gated').attempts).toBe(2);
    const ids = activitiesOf(await scene.history(handle.evaluationId)).map(({ activityId }) => activityId);
    expect(ids).toEqual(['core_analysis/gated', 'core_analysis/gated#2']);
    const starts = await callsOf(scene.file('gated'), 'start', 2);
    expect(starts).toHaveLength(2);
    expect(new Set(starts.map(({ key }) => key)).size).toBe(1);
  });

  test('by the same critic again and again: the critic is given up, and nothing is allowed', async (context) => {
    const kills = (file: Scene['file']): string => moduleOf(file, 'kills', "note('start'); process.kill(process.pid, 'SIGKILL');");
    const scene = await makeScene(context, () => ({ critics: { kills: { uses: 'kills', stage: 'core_analysis', maxRetries: 0 } } }), kills);
    const [first, second] = [await scene.worker(), await scene.worker()];
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await Promise.all([first.ended, second.ended]);
    const third = await scene.worker();
    const report = await handle.result();
    expect(report).toMatchObject({ decision: 'not_judged', reasons: [{ critic: 'kills', code: 'WORKER_LOST', effect: 'fail' }] });
    expect(criticOf(report, 'kills')).toMatchObject({ outcome: 'failed', attempts: 2 });
    expect(await callsIn(scene.file('kills'))).toHaveLength(2);
    expect(third.stderr()).toBe('');
  });

  test('in the middle of a batch of local critics: the whole batch is repeated, with the same keys, and counted once', async (context) => {
    // Holds the whole process, so that its worker can neither time it out nor answer before it is killed.
    const hold = 'while (!existsSync(gate)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);';
    const blocks = (file: Scene['file']): string =>
      moduleOf(file, 'blocks', `note('start'); ${hold} return { severity: 0, violations: [] };`);
    const local = { dispatch: 'local', stage: 'core_analysis' };
    const scene = await makeScene(
      context,
      (file) => ({
        critics: {
          done: { uses: 'scripted', with: { record: file('done') }, ...local },
          blocks: { uses: 'blocks', dependsOn: ['done'], ...local },
        },
      }),
      blocks,
    );
    const first = await scene.worker();
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await callsOf(scene.file('blocks'), 'start', 1);
    first.kill('SIGKILL');
    scene.release('gate');
    const second = await scene.worker();
    expect(await handle.result()).toMatchObject({ decision: 'allow', coverage: { planned: 2, succeeded: 2 } });
    for (const name of ['done', 'blocks']) {
      const starts = await callsOf(scene.file(name), 'start', 2);
      expect(starts.map(({ pid }) => pid)).toEqual([first.pid, second.pid]);
      expect(new Set(starts.map(({ key }) => key)).size).toBe(1);
    }
  });
});

describe.concurrent('a worker that is frozen past the heartbeat time-out and wakes up', () => {
  test('does not get its late answer counted: the verdict is that of the attempt that took over, once', async (context) => {
    // The attempt that the server has given up says "severe"; the one that counts does not.
    const hold = 'while (!existsSync(gate + attempt)) await new Promise((resolve) => setTimeout(resolve, 20));';
    const differs = (file: Scene['file']): string =>
      moduleOf(file, 'differs', `note('start'); ${hold} note('end'); return { severity: attempt === 1 ? 1 : 0, violations: [] };`);
    const critic = { uses: 'differs', stage: 'core_analysis', attemptTimeout: '50s', maxRetries: 1, retryBackoffBase: 1 };
    const scene = await makeScene(context, () => ({ critics: { differs: critic } }), differs);
    const frozen = await scene.worker();
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await callsOf(scene.file('differs'), 'start', 1);
    await scene.worker();
    frozen.kill('SIGSTOP');
    await eventually('the server has begun another attempt', async () => {
      const described = await scene.temporal.workflow.getHandle(handle.evaluationId).describe();
      return (described.raw.pendingActivities ?? []).some(({ attempt }) => Number(attempt) === 2) ? true : undefined;
    });
    frozen.kill('SIGCONT');
    scene.release('gate1');
    await callsOf(scene.file('differs'), 'end', 1);
    scene.release('gate2');
    const report = await handle.result();
    expect(report).toMatchObject({ decision: 'allow', coverage: { planned: 1, succeeded: 1 } });
    expect(criticOf(report, 'differs')).toMatchObject({ attempts: 2, finding: { severity: 0 } });
    const history = await scene.history(handle.evaluationId);
    expect(history.filter(isResult)).toHaveLength(1);
    expect(history.filter(isVerdict)).toHaveLength(1);
    const starts = await callsOf(scene.file('differs'), 'start', 2);
    expect(new Set(starts.map(({ key }) => key)).size).toBe(1);
  });
});
