/** Evaluations whose verdict is known beforehand, and what became of them. Knows no test runner. */
import type { EvaluationHandle } from '../../../src/client-handle.js';
import type { StartRequest } from '../../../src/schemas/request.js';
import { sha256 } from '../../../src/digest.js';
import { ServerUnreachable } from '../../../src/client-errors.js';
import type { EvaluationReport } from '../../../src/domain/report.js';
import { activitiesOf, eventMs } from '../../support/history.js';
import type { HistoryEvent } from '../../support/harness.js';
import type { Run } from './figures.js';
import type { Fleet } from './fleet.js';

/** What a critic does; see `critics.mjs`. */
export interface Script {
  /** How long it takes; a list is one by one for its attempts. */
  readonly ms?: number | readonly number[];
  readonly severity?: number;
  /** So many first attempts fail. */
  readonly fails?: number;
  /** Goes on until the recorder lets it go. */
  readonly held?: boolean;
}

export interface Ask extends Pick<StartRequest, 'plan' | 'key' | 'tenant' | 'class'> {
  /** By the critic's name; `*` is for all that have none of their own. */
  readonly script: Readonly<Record<string, Script>>;
  /** Names of the request in the recorder. */
  readonly labels?: Readonly<Record<string, string>>;
  /** For conditions of the plan. */
  readonly kind?: string;
}

export interface Asked {
  readonly handle: EvaluationHandle;
  readonly ask: Ask;
}

/** Starts that are under way at once: more would only wait in this process. */
const STARTS_AT_ONCE = 50;
/** Longer than any server is away here. */
const PATIENCE_MS = 120_000;

/** Starts them in their order, more or less. */
export async function askAll({ client }: Pick<Fleet, 'client'>, asks: readonly Ask[]): Promise<Asked[]> {
  const asked: Asked[] = [];
  const queue = asks.entries();
  await Promise.all(
    Array.from({ length: STARTS_AT_ONCE }, async () => {
      for (const [index, ask] of queue) asked[index] = await askOne(client, ask);
    }),
  );
  return asked;
}

export async function askOne(client: Fleet['client'], ask: Ask): Promise<Asked> {
  const { plan, key, tenant, class: priority, script, labels = {}, kind } = ask;
  const content = JSON.parse(JSON.stringify(script)) as StartRequest['content'];
  const handle = await client.start({
    plan,
    content,
    context: { labels, ...(kind !== undefined ? { kind } : {}) },
    ...(key !== undefined ? { key } : {}),
    ...(tenant !== undefined ? { tenant } : {}),
    ...(priority !== undefined ? { class: priority } : {}),
  });
  return { handle, ask };
}

/** As many requests of one kind; every third is to be denied. */
export const mixed = (count: number, ask: Ask): Ask[] =>
  Array.from({ length: count }, (_, index) => (index % 3 === 2 ? { ...ask, script: severe(ask.script) } : ask));

const severe = (script: Ask['script']): Ask['script'] =>
  Object.fromEntries(Object.entries(script).map(([name, one]) => [name, { ...one, severity: 1 }]));

const decisionOf = ({ script }: Ask): 'deny' | 'allow' =>
  Object.values(script).some(({ severity = 0 }) => severity >= 0.9) ? 'deny' : 'allow';

/** Waits for all. @returns a sentence for each that was lost, or judged otherwise than its script says. */
export async function misjudged(asked: readonly Asked[]): Promise<string[]> {
  const found = await Promise.all(
    asked.map(async ({ handle, ask }) => {
      try {
        const { decision, reasons, coverage } = await resultOf(handle);
        if (decision === decisionOf(ask)) return [];
        return [`${handle.evaluationId} of ${ask.plan}: ${decision} ${JSON.stringify({ reasons, coverage })}, not ${decisionOf(ask)}`];
      } catch (error) {
        return [`${handle.evaluationId} of ${ask.plan}: ${String(error)}`];
      }
    }),
  );
  return found.flat();
}

/** A client gives up on a server that is away too long; the evaluation does not. */
async function resultOf(handle: EvaluationHandle): Promise<EvaluationReport> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await handle.result();
    } catch (error) {
      if (!(error instanceof ServerUnreachable) || performance.now() > until) throw error;
    }
  }
}

/** Critics that were asked again after the server had their outcome. @returns a sentence for each. */
export async function repeated(fleet: Pick<Fleet, 'temporal' | 'recorder'>, asked: readonly Asked[]): Promise<string[]> {
  const runs = fleet.recorder.runs();
  const found: string[] = [];
  for (const { handle } of asked) {
    for (const { key, activityId, atMs } of await recordedOutcomes(fleet.temporal, handle)) {
      const own = runs.filter((run) => run.key === key);
      const late = own.filter((run) => run.wallAt > atMs);
      if (late.length > 0) found.push(`${handle.evaluationId} ${activityId}: ${late.length} begun after its outcome was recorded`);
      if (own.length === 0) found.push(`${handle.evaluationId} ${activityId}: has an outcome and never ran`);
    }
  }
  return found;
}

interface Outcome {
  readonly key: string;
  readonly activityId: string;
  readonly atMs: number;
}

async function recordedOutcomes(temporal: Fleet['temporal'], { evaluationId, runId }: EvaluationHandle): Promise<Outcome[]> {
  const { events } = await temporal.workflow.getHandle(evaluationId, runId).fetchHistory();
  return activitiesOf((events ?? []) as readonly HistoryEvent[]).flatMap(({ activityId, closed }) =>
    closed?.activityTaskCompletedEventAttributes == null
      ? []
      : [{ key: keyOf(runId, activityId), activityId, atMs: eventMs(closed.eventTime) }],
  );
}

/** As the worker makes it. */
const keyOf = (runId: string | undefined, activityId: string): string => sha256(`${runId ?? ''}/${activityId.replace(/#2$/, '')}`);

/** When the server was told of each evaluation's critics, by the wall clock. */
export async function scheduledAt({ temporal }: Pick<Fleet, 'temporal'>, asked: readonly Asked[]): Promise<number[]> {
  const times = await Promise.all(
    asked.map(async ({ handle }) => {
      const { events } = await temporal.workflow.getHandle(handle.evaluationId).fetchHistory();
      return activitiesOf((events ?? []) as readonly HistoryEvent[]).map(({ scheduled }) => eventMs(scheduled.eventTime));
    }),
  );
  return times.flat();
}

export const timesOf = (runs: readonly Run[]): number[] => runs.map((run) => run.at);
