/** Worker processes that are told to stop, as every deploy does: what they finish, what they hand on, and how they exit. */
import { beforeAll, describe, expect, test } from 'vitest';
import { activitiesOf, attemptsOf } from '../support/history.js';
import { callsIn, criticOf } from '../support/harness.js';
import { build, callsOf, says } from '../support/processes.js';
import { gated, makeScene, type Scene } from '../support/scene.js';

beforeAll(build);

describe.concurrent('a worker that gets SIGTERM while a critic runs', () => {
  test('lets it end within the grace and exits 0; the next worker finds its result and does not run it again', async (context) => {
    const scene = await makeScene(context, (file) => ({ critics: { gated: gated(file) } }));
    const first = await scene.worker();
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await callsOf(scene.file('gated'), 'start', 1);
    first.kill('SIGTERM');
    await says(first, /stopping: what runs has 30 s to end; a second signal ends it at once/);
    const second = await scene.worker();
    scene.release('gate');
    expect(await first.ended).toMatchObject({ exit: 0, signal: null, stderr: expect.stringMatching(/^stopping: .*\n$/) });
    const report = await handle.result();
    expect(report).toMatchObject({ decision: 'allow', metrics: { retried: 0 } });
    expect(criticOf(report, 'gated').attempts).toBe(1);
    expect((await callsIn(scene.file('gated'))).map(({ event, pid }) => ({ event, pid }))).toEqual([
      { event: 'start', pid: first.pid },
      { event: 'end', pid: first.pid },
    ]);
    expect(second.stderr()).toBe('');
  });

  test.for([
    ['with attempts left', 1, ['core_analysis/gated']],
    ['on its last attempt', 0, ['core_analysis/gated', 'core_analysis/gated#2']],
  ] as const)(
    'that takes longer than the grace, %s: the critic is handed to the next worker with the same key',
    async ([, maxRetries, ids], context) => {
      const scene = await makeScene(context, (file) => ({ critics: { gated: gated(file, { maxRetries }) } }));
      const first = await scene.worker({ TRIBUNAL_SHUTDOWN_GRACE: '1s' });
      const handle = await scene.client.start({ plan: 'scene', content: 'x' });
      await callsOf(scene.file('gated'), 'start', 1);
      first.kill('SIGTERM');
      expect(await first.ended).toMatchObject({ exit: 0, signal: null });
      const second = await scene.worker();
      const starts = await callsOf(scene.file('gated'), 'start', 2);
      scene.release('gate');
      const report = await handle.result();
      expect(report).toMatchObject({ decision: 'allow', metrics: { retried: 1 } });
      expect(starts.map(({ pid }) => pid)).toEqual([first.pid, second.pid]);
      expect(new Set(starts.map(({ key }) => key)).size).toBe(1);
      const history = await scene.history(handle.evaluationId);
      expect(activitiesOf(history).map(({ activityId }) => activityId)).toEqual(ids);
      if (maxRetries > 0) expect(attemptsOf(history, 'gated').map((attempt) => attempt.class)).toEqual(['worker_lost', 'ok']);
    },
  );

  test('in a local batch that takes longer than the grace: the evaluation is judged all the same', async (context) => {
    // Together longer than the grace, each within its own time-out.
    const slow = (file: Scene['file'], more: object) => ({
      uses: 'scripted',
      with: { record: file('slow'), sleep: '900ms' },
      stage: 'core_analysis',
      dispatch: 'local',
      ...more,
    });
    const scene = await makeScene(context, (file) => ({
      critics: { one: slow(file, {}), two: slow(file, { dependsOn: ['one'] }), three: slow(file, { dependsOn: ['two'] }) },
    }));
    const first = await scene.worker({ TRIBUNAL_SHUTDOWN_GRACE: '1ms' });
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await callsOf(scene.file('slow'), 'start', 1);
    first.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ exit: 0, signal: null });
    await scene.worker();
    expect(await handle.result()).toMatchObject({ decision: 'allow', coverage: { planned: 3, succeeded: 3 } });
  });

  test('and then a second signal: it ends at once, and the next worker judges', async (context) => {
    const scene = await makeScene(context, (file) => ({ critics: { gated: gated(file) } }));
    const first = await scene.worker();
    const handle = await scene.client.start({ plan: 'scene', content: 'x' });
    await callsOf(scene.file('gated'), 'start', 1);
    first.kill('SIGINT');
    await says(first, /a second signal ends it at once/);
    first.kill('SIGINT');
    expect(await first.ended).toMatchObject({ exit: null, signal: 'SIGINT' });
    await scene.worker();
    scene.release('gate');
    expect(await handle.result()).toMatchObject({ decision: 'allow', metrics: { retried: 1 } });
  });
});
