/**
 * What an evaluation costs the server, counted exactly: events, billable actions, bytes. A change that makes one more
 * workflow task, timer or copy of the content fails here.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeHarness, type Harness, type HistoryEvent } from '../support/harness.js';
import { activitiesOf, strangeEvents } from '../support/history.js';

const STAGES = ['pre_validation', 'fast_critics', 'core_analysis', 'deep_analysis', 'post_processing', 'validation'] as const;
const PER_STAGE = [1, 2, 3, 2, 1, 1];
const REMOTE: readonly string[] = ['core_analysis', 'deep_analysis'];

/** A finding of 300 bytes. */
const finding = { severity: 0.1, violations: [], evidence: ['x'.repeat(240)] };
/** 3 KB that do not compress. */
const CONTENT = randomBytes(1_500).toString('hex');

/** Ten critics that do nothing, those of core and deep analysis remote and behind a policy that low risk closes. */
const planOf = (plan: string, times: number, policy: object) => ({
  plan,
  version: 1,
  timeouts: { global: '60s' },
  critics: Object.fromEntries(
    STAGES.flatMap((stage, index) =>
      Array.from({ length: (PER_STAGE[index] ?? 0) * times }, (_, number) => {
        const isRemote = REMOTE.includes(stage);
        return [`c${index}_${number}`, { uses: 'scripted', stage, ...(isRemote ? policy : { dispatch: 'local' }), with: { finding } }];
      }),
    ),
  ),
  verdict: { otherwise: 'allow' },
});

/** What Temporal Cloud would bill: a start, attempts of activities, timers, upserts, and one for each workflow task that ran local activities. */
function billableActions(history: readonly HistoryEvent[]): number {
  const attempts = activitiesOf(history).reduce((sum, run) => sum + (run.started?.activityTaskStartedEventAttributes?.attempt ?? 0), 0);
  const timers = history.filter((event) => event.timerStartedEventAttributes).length;
  const upserts = history.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes).length;
  const tasksWithLocals = new Set(
    history.flatMap((event) => String(event.markerRecordedEventAttributes?.workflowTaskCompletedEventId ?? '') || []),
  ).size;
  return 1 + attempts + timers + upserts + tasksWithLocals;
}

interface Counts {
  /** All but those of workflow tasks. */
  readonly events: number;
  readonly workflowTasks: number;
  readonly actions: number;
  readonly bytes: number;
}

/** Each task is scheduled, started and completed. */
const allEvents = ({ events, workflowTasks }: Counts): number => events + 3 * workflowTasks;

describe('an evaluation of ten critics', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({
      plans: [planOf('ten', 1, { executionPolicy: 'on_high_risk' }), planOf('ten_always', 1, {}), planOf('forty_always', 4, {})],
    });
  });
  afterAll(() => harness.close());

  async function count(plan: string, riskTier: 'low' | 'high'): Promise<Counts> {
    const { evaluationId } = await harness.client.evaluate({ plan, content: CONTENT, riskTier });
    const history = await harness.history(evaluationId);
    expect(strangeEvents(history)).toEqual([]);
    const { historySize = 0 } = await harness.temporal.workflow.getHandle(evaluationId).describe();
    const workflowTasks = history.filter((event) => event.workflowTaskScheduledEventAttributes).length;
    return { events: history.length - 3 * workflowTasks, workflowTasks, actions: billableActions(history), bytes: historySize };
  }

  /** Critics of a stage that end at different moments may each take a workflow task: that is the machine's doing, so the run with the fewest counts. */
  async function fewestTasks(plan: string, riskTier: 'low' | 'high'): Promise<Counts> {
    const runs: Counts[] = [];
    for (let run = 0; run < 5; run += 1) runs.push(await count(plan, riskTier));
    return runs.toSorted((a, b) => a.workflowTasks - b.workflowTasks)[0] ?? (await count(plan, riskTier));
  }

  it('that the gates keep cheap is one workflow task, 7 events and 3 billable actions', async () => {
    const gated = await count('ten', 'low');
    // Start, the marker of the one local activity, the upsert, the end.
    expect(gated).toMatchObject({ workflowTasks: 1, events: 4, actions: 3 });
    expect(allEvents(gated)).toBeLessThanOrEqual(8);
    expect(gated.bytes).toBeLessThan(24_000);
  });

  it('that all run is 20 events beside its workflow tasks, at most 36 with them, and 9 billable actions', async () => {
    const full = await fewestTasks('ten', 'high');
    // Start, two markers, three for each of five activities, the upsert, the end.
    expect(full).toMatchObject({ events: 20, actions: 9 });
    expect(allEvents(full)).toBeLessThanOrEqual(36);
    expect(full.bytes).toBeLessThan(60_000);
  });

  it('grows with the critics and with nothing else: forty cost at most a tenth more bytes each', async () => {
    const ten = await fewestTasks('ten_always', 'high');
    const forty = await fewestTasks('forty_always', 'high');
    expect(forty.events).toBe(20 + 3 * 15);
    expect(forty.bytes / 40).toBeLessThanOrEqual((ten.bytes / 10) * 1.1);
  });
});
