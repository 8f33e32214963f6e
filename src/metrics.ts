/**
 * The project's own metrics: names, labels and buckets, and who counts them. Without a meter everything here does nothing.
 *
 * Evaluations are counted by the sinks of `countSinks`, which the workflow calls when an evaluation opens and closes; the
 * SDK calls them on no replay. Lanes are told by whoever runs them, through {@link LaneGauges}: one call with the new
 * number whenever it changes. Names and labels are what dashboards and alerts are written with: they are never renamed.
 *
 * | metric | kind | labels |
 * |---|---|---|
 * | `tribunal_evaluations_started_total` | counter | plan, version |
 * | `tribunal_evaluations_total` | counter | plan, version, decision, cause |
 * | `tribunal_requests_refused_total` | counter | cause |
 * | `tribunal_evaluation_seconds`, `tribunal_evaluation_saved_share` | histogram | plan |
 * | `tribunal_critics_total` | counter | plan, critic, outcome |
 * | `tribunal_critic_flags_total` | counter | plan, critic |
 * | `tribunal_critic_attempts_total` | counter | plan, critic, class |
 * | `tribunal_critic_queue_seconds`, `tribunal_critic_run_seconds`, `tribunal_critic_cost_usd` | histogram | plan, critic |
 * | `tribunal_critic_tokens_total` | counter | plan, critic, direction |
 * | `tribunal_worker_ready` | gauge | – |
 * | `tribunal_lane_running`, `_waiting`, `_limit`, `_owner`, `_paused`, `_tripped` | gauge | lane |
 */
import type { MetricCounter, MetricGauge, MetricHistogram, MetricMeter } from '@temporalio/common';
import type { CriticCounts, CountSinks, EvaluationCounts } from './domain/counts.js';

/** Upper edges, by the name of the histogram; the last two are the SDK's, whose own edges end below a long wait. */
export const BUCKETS: Readonly<Record<string, number[]>> = {
  tribunal_evaluation_seconds: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600],
  tribunal_evaluation_saved_share: [0, 0.1, 0.25, 0.5, 0.75, 0.9],
  tribunal_critic_queue_seconds: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
  tribunal_critic_run_seconds: [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
  tribunal_critic_cost_usd: [0.0001, 0.001, 0.01, 0.1, 1],
  temporal_activity_schedule_to_start_latency: [0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
};

type Sink<Args extends unknown[]> = { readonly fn: (info: unknown, ...args: Args) => void; readonly callDuringReplay: false };

/** What the workflow Worker is given as `sinks`. Without a meter they are there all the same: workflow code calls them. */
export function countSinks(meter: MetricMeter | undefined): {
  tribunal: { [Name in keyof CountSinks['tribunal']]: Sink<Parameters<CountSinks['tribunal'][Name]>> };
} {
  const sink = <Args extends unknown[]>(count: ((...args: Args) => void) | undefined): Sink<Args> => ({
    fn: (_info, ...args) => count?.(...args),
    callDuringReplay: false,
  });
  const counter = meter === undefined ? undefined : makeCounter(meter);
  return { tribunal: { opened: sink(counter?.opened), refused: sink(counter?.refused), closed: sink(counter?.closed) } };
}

function makeCounter(meter: MetricMeter): CountSinks['tribunal'] {
  // The exporter adds `_total` to the names of counters.
  const started = meter.createCounter('tribunal_evaluations_started', undefined, 'Evaluations that began: their plan is pinned.');
  const evaluations = meter.createCounter('tribunal_evaluations', undefined, 'Evaluations that ended, by decision and its first cause.');
  const refused = meter.createCounter('tribunal_requests_refused', undefined, 'Requests that were refused before anything ran.');
  const seconds = meter.createHistogram('tribunal_evaluation_seconds', 'float', undefined, 'Time that an evaluation used.');
  const saved = meter.createHistogram(
    'tribunal_evaluation_saved_share',
    'float',
    undefined,
    'Share of the planned cost weight that gates kept from running.',
  );
  const critics = makeCriticCounter(meter);
  return {
    opened: ({ name, version }) => started.add(1, { plan: name, version: `${version}` }),
    refused: (cause) => refused.add(1, { cause }),
    closed(counts: EvaluationCounts) {
      const { name: plan, version } = counts.plan;
      evaluations.add(1, { plan, version: `${version}`, decision: counts.decision, cause: counts.cause });
      if (counts.seconds !== undefined) seconds.record(counts.seconds, { plan });
      if (counts.savedShare !== undefined) saved.record(counts.savedShare, { plan });
      for (const critic of counts.critics) critics(plan, critic);
    },
  };
}

function makeCriticCounter(meter: MetricMeter): (plan: string, counts: CriticCounts) => void {
  const counter = (name: string, help: string): MetricCounter => meter.createCounter(name, undefined, help);
  const histogram = (name: string, help: string): MetricHistogram => meter.createHistogram(name, 'float', undefined, help);
  const outcomes = counter('tribunal_critics', 'Critics of evaluations that ended, by outcome.');
  const flags = counter('tribunal_critic_flags', 'Findings with at least one violation.');
  const attempts = counter('tribunal_critic_attempts', 'Attempts, by how each ended.');
  const queued = histogram('tribunal_critic_queue_seconds', 'Time that an attempt of a remote critic waited until it ran.');
  const ran = histogram('tribunal_critic_run_seconds', 'Time that an attempt ran.');
  const usd = histogram('tribunal_critic_cost_usd', 'Money that a critic cost in one evaluation, all attempts together.');
  const tokens = counter('tribunal_critic_tokens', 'Tokens of language models.');
  return (plan, { critic, outcome, flagged, attempts: made, ...cost }) => {
    const labels = { plan, critic };
    outcomes.add(1, { ...labels, outcome });
    if (flagged) flags.add(1, labels);
    for (const attempt of made) {
      attempts.add(1, { ...labels, class: attempt.class });
      if (attempt.queueSeconds !== undefined) queued.record(attempt.queueSeconds, labels);
      if (attempt.runSeconds !== undefined) ran.record(attempt.runSeconds, labels);
    }
    if (cost.usd !== undefined) usd.record(cost.usd, labels);
    if (cost.inputTokens !== undefined) tokens.add(cost.inputTokens, { ...labels, direction: 'input' });
    if (cost.outputTokens !== undefined) tokens.add(cost.outputTokens, { ...labels, direction: 'output' });
  };
}

/**
 * Where things stand on the lanes of this process. `lane` is the lane's task queue, which holds names of deployment, plan,
 * stage and critic alone. A lane that this process no longer serves is told as 0 everywhere: a series cannot be taken back.
 */
export interface LaneGauges {
  /** Critics that hold a place and run. */
  running(lane: string, critics: number): void;
  /** Critics that this process has taken from the queue and that wait for a place. */
  waiting(lane: string, critics: number): void;
  /** Most that may run at once over all processes, as this process knows it; unlimited lanes are never told. */
  limit(lane: string, critics: number): void;
  /** Whether this process is the one that serves the lane. The sum over all processes is 1, and 0 while nobody does. */
  owner(lane: string, isOwner: boolean): void;
  /** Whether somebody has paused it. */
  paused(lane: string, isPaused: boolean): void;
  /** Whether its circuit breaker holds it back. */
  tripped(lane: string, isTripped: boolean): void;
}

export function laneGauges(meter: MetricMeter | undefined): LaneGauges {
  const gauge = (name: keyof LaneGauges, help: string): ((lane: string, value: number | boolean) => void) => {
    const made: MetricGauge | undefined = meter?.createGauge(`tribunal_lane_${name}`, 'int', undefined, help);
    return (lane, value) => made?.set(Number(value), { lane });
  };
  return {
    running: gauge('running', 'Critics that run on the lane in this process.'),
    waiting: gauge('waiting', 'Critics that this process took from the queue and that wait for a place.'),
    limit: gauge('limit', 'Most critics of the lane that may run at once.'),
    owner: gauge('owner', '1 in the process that serves the lane.'),
    paused: gauge('paused', '1 while the lane is paused.'),
    tripped: gauge('tripped', "1 while the lane's circuit breaker holds it back."),
  };
}

/** 1 while all Workers of this process poll. */
export const readyGauge = (meter: MetricMeter): MetricGauge =>
  meter.createGauge('tribunal_worker_ready', 'int', undefined, '1 while all Workers of this process poll.');
