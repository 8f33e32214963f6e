/** What an evaluation leaves behind and what it is billed: counts, so machine speed hardly matters. */
import { figure, median, type Figure } from '../measure.js';
import type { Bench, Scenario } from '../scenario.js';
import type { VariantName } from '../variants.js';
import { expectedRuns, type Kind } from '../workload.js';

/** What of an event is billed. */
interface BilledEvent {
  readonly activityTaskStartedEventAttributes?: { readonly attempt?: number | null } | null;
  readonly markerRecordedEventAttributes?: { readonly workflowTaskCompletedEventId?: { toString(): string } | null } | null;
  readonly upsertWorkflowSearchAttributesEventAttributes?: object | null;
  readonly timerStartedEventAttributes?: object | null;
}

interface Trace {
  readonly events: number;
  readonly bytes: number;
  readonly actions: number;
}

const WIDE = 4;

export const history: Scenario = {
  name: 'history',
  title: 'History and billable actions',
  async run(bench) {
    const samples = bench.quick ? 2 : 15;
    const full = await traces(bench, 'ours', 'full', samples);
    const gated = await traces(bench, 'ours', 'gated', samples);
    const naive = await traces(bench, 'naive', 'full', samples);
    const wide = await traces(bench, 'ours', 'full', Math.ceil(samples / 3), WIDE);
    const [ten, forty] = [expectedRuns('full', 1), expectedRuns('full', WIDE)];
    return [
      figure(
        'events, full',
        full.map(({ events }) => events),
        '',
        36,
      ),
      figure(
        'events, gated',
        gated.map(({ events }) => events),
        '',
        8,
      ),
      figure(
        'events, full, naive',
        naive.map(({ events }) => events),
        '',
      ),
      kilobytes('history, full', full),
      kilobytes('history, full, naive', naive),
      kilobytes('history, gated', gated),
      quotient('history bytes, full, ours ÷ naive', bytesOf(full), bytesOf(naive), 0.7),
      quotient(`bytes a critic, ${forty} ÷ ${ten} critics`, bytesOf(wide) / forty, bytesOf(full) / ten, 1.1),
      figure(
        'billable actions, full',
        full.map(({ actions }) => actions),
        '',
        9,
      ),
      figure(
        'billable actions, gated',
        gated.map(({ actions }) => actions),
        '',
        3,
      ),
      figure(
        'billable actions, full, naive',
        naive.map(({ actions }) => actions),
        '',
      ),
    ];
  },
};

const bytesOf = (all: readonly Trace[]): number => median(all.map(({ bytes }) => bytes));
const kilobytes = (name: string, all: readonly Trace[]): Figure =>
  figure(
    name,
    all.map(({ bytes }) => bytes / 1_000),
    'KB',
  );
const quotient = (name: string, above: number, below: number, goal: number): Figure => ({
  name,
  value: above / below,
  unit: 'x',
  goal,
  samples: 1,
});

async function traces(bench: Bench, name: VariantName, kind: Kind, samples: number, width = 1): Promise<Trace[]> {
  const variant = await bench.variant(name, width);
  const found: Trace[] = [];
  for (let sample = 0; sample < samples; sample += 1) found.push(await traceOf(bench, await variant.evaluate(kind)));
  return found;
}

async function traceOf({ connection }: Bench, workflowId: string): Promise<Trace> {
  const execution = { workflowId };
  const described = await connection.workflowService.describeWorkflowExecution({ namespace: 'default', execution });
  const { history: page, nextPageToken } = await connection.workflowService.getWorkflowExecutionHistory({
    namespace: 'default',
    execution,
  });
  if (nextPageToken != null && nextPageToken.length > 0) throw new Error('a history of the bench is longer than a page');
  const events = page?.events ?? [];
  return { events: events.length, bytes: Number(described.workflowExecutionInfo?.historySizeBytes ?? 0), actions: billableActions(events) };
}

/**
 * By the documented rules: the start, each attempt of an activity, all local activities of one workflow task together,
 * each upsert, each timer. Heartbeats would count too; these critics end before their first one.
 */
export function billableActions(events: readonly BilledEvent[]): number {
  const attempts = events.reduce((sum, event) => sum + (event.activityTaskStartedEventAttributes?.attempt ?? 0), 0);
  const localTasks = new Set(
    events.flatMap((event) => event.markerRecordedEventAttributes?.workflowTaskCompletedEventId?.toString() ?? []),
  );
  const upserts = events.filter((event) => event.upsertWorkflowSearchAttributesEventAttributes != null);
  const timers = events.filter((event) => event.timerStartedEventAttributes != null);
  return 1 + attempts + localTasks.size + upserts.length + timers.length;
}
