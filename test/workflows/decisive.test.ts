/** A deny that settles the matter ends the evaluation at once, on the real server. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callsIn, criticOf, makeHarness, outcomesOf, type Harness, type HistoryEvent } from '../support/harness.js';

const SEVERE = { finding: { severity: 0.95, violations: [{ code: 'severe', message: 'is severe' }] } };
const verdict = {
  rules: [
    { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe finding', decisive: true },
    { escalate: 'findings.exists(f, f.violations.size() > 0)', reason: 'violation found' },
  ],
  otherwise: 'allow',
};
const base = { version: 1, timeouts: { global: '110s' }, defaults: { attemptTimeout: '100s', maxRetries: 0 }, verdict };

function plans(dir: string): object[] {
  const never = (stage: string, own: object = {}): object => ({
    uses: 'scripted',
    stage,
    ...own,
    with: { record: join(dir, 'never.jsonl') },
  });
  // Both have begun before one finds something and the other hangs.
  const met = (name: string): object => ({ barrier: { dir: join(dir, name), count: 2 } });
  return [
    {
      ...base,
      plan: 'remote',
      critics: {
        clean: { uses: 'scripted', stage: 'fast_critics', costWeight: 1 },
        severe: { uses: 'scripted', stage: 'core_analysis', costWeight: 2, with: { ...SEVERE, ...met('remote') } },
        hangs: { uses: 'scripted', stage: 'core_analysis', costWeight: 4, with: { hang: true, ...met('remote') } },
        behind: never('core_analysis', { costWeight: 8, dependsOn: ['hangs'] }),
        later: never('deep_analysis', { costWeight: 16 }),
        later_and_local: never('deep_analysis', { costWeight: 32, dispatch: 'local' }),
      },
    },
    {
      ...base,
      plan: 'batch',
      critics: {
        // Remote, so that the batch is one in the middle.
        first: { uses: 'scripted', stage: 'fast_critics' },
        severe: { uses: 'scripted', stage: 'core_analysis', dispatch: 'local', costWeight: 2, with: { ...SEVERE, ...met('batch') } },
        sleeps: { uses: 'scripted', stage: 'core_analysis', dispatch: 'local', costWeight: 4, with: { sleep: '900ms', ...met('batch') } },
        behind: never('core_analysis', { dispatch: 'local', costWeight: 8, dependsOn: ['severe'] }),
        remote: never('core_analysis', { costWeight: 16 }),
        later: never('validation', { costWeight: 32 }),
      },
    },
    {
      ...base,
      plan: 'leading',
      critics: {
        severe: { uses: 'scripted', stage: 'pre_validation', dispatch: 'local', with: SEVERE },
        remote: never('pre_validation'),
        later: never('core_analysis'),
        last: never('validation', { dispatch: 'local' }),
      },
    },
  ];
}

/** Critics whose tasks were made, and those whose end the history holds. */
function tasksIn(events: readonly HistoryEvent[]): { readonly scheduled: string[]; readonly ended: string[] } {
  const names = new Map(events.map((event) => [String(event.eventId), event.activityTaskScheduledEventAttributes?.activityType?.name]));
  const ends = events.map(
    (event) =>
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes,
  );
  return {
    scheduled: [...names.values()].filter((name) => name != null).toSorted(),
    ended: ends.flatMap((end) => (end == null ? [] : (names.get(String(end.scheduledEventId)) ?? []))).toSorted(),
  };
}

describe('a decisive deny', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans });
  });
  afterAll(() => harness.close());

  const judge = async (plan: string) => {
    const handle = await harness.client.start({ plan, content: 'text' });
    const report = await handle.result();
    const tasks = tasksIn(await harness.history(handle.evaluationId));
    // Whatever was denied, nothing of these has run.
    expect(await callsIn(join(harness.dir, 'never.jsonl'))).toEqual([]);
    expect(report.decision).toBe('deny');
    expect(report.reasons).toContainEqual(expect.objectContaining({ rule: 'severe finding', effect: 'deny' }));
    expect(report.reasons.filter((reason) => reason.effect === 'fail')).toEqual([]);
    return { report, tasks };
  };

  it.concurrent('cancels what runs and all that is to come, lists it, and waits for nobody', async () => {
    const { report, tasks } = await judge('remote');
    expect(outcomesOf(report)).toEqual({
      clean: 'succeeded',
      severe: 'succeeded',
      hangs: 'cancelled',
      behind: 'cancelled',
      later: 'cancelled',
      later_and_local: 'cancelled',
    });
    expect(criticOf(report, 'hangs')).toMatchObject({ code: 'DECISIVE', attempts: 1, cost: { weight: 4, unknown: true } });
    for (const name of ['behind', 'later', 'later_and_local']) {
      expect(criticOf(report, name)).toMatchObject({ code: 'DECISIVE', attempts: 0, gate: { open: false, by: 'decisive' } });
      expect(criticOf(report, name).cost).not.toHaveProperty('unknown');
    }
    expect(report.metrics.cost).toMatchObject({ spent: 3, unknown: 4, saved: 0 });
    expect(report.coverage).toEqual({ planned: 6, succeeded: 2, cancelled: 4 });
    // Closed while the critic that hangs was still told to stop.
    expect(tasks).toEqual({ scheduled: ['clean', 'hangs', 'severe'], ended: ['clean', 'severe'] });
  });

  it.concurrent('inside a batch of local critics ends the batch', async () => {
    const { report, tasks } = await judge('batch');
    expect(outcomesOf(report)).toEqual({
      first: 'succeeded',
      severe: 'succeeded',
      sleeps: 'cancelled',
      behind: 'cancelled',
      remote: 'cancelled',
      later: 'cancelled',
    });
    expect(criticOf(report, 'sleeps')).toMatchObject({ attempts: 1, cost: { unknown: true } });
    expect(report.metrics.cost).toMatchObject({ spent: 3, unknown: 4 });
    expect(tasks.scheduled).toEqual(['first']);
  });

  it.concurrent('in the leading stage costs no task at all', async () => {
    const { report, tasks } = await judge('leading');
    expect(outcomesOf(report)).toEqual({ severe: 'succeeded', remote: 'cancelled', later: 'cancelled', last: 'cancelled' });
    expect(report.coverage).toEqual({ planned: 4, succeeded: 1, cancelled: 3 });
    expect(tasks.scheduled).toEqual([]);
  });
});
