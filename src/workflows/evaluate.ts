/**
 * One evaluation: open, walk the stages, decide, report. Only this file and `proxies.ts` touch the SDK.
 *
 * E1 Anything but allow, deny and escalate closes the workflow as Failed: `NotJudged` with the report, or `RequestRefused`.
 * E2 A cancelled evaluation keeps its partial report in a marker of its history; the close itself carries no details.
 */
import {
  ApplicationFailure,
  CancellationScope,
  TimeoutFailure,
  defineQuery,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { DIGEST_MEMO, PROGRESS_QUERY, SEARCH_ATTRIBUTES, type EvaluateInput, type OpenResult, type Progress } from '../contract.js';
import { cancelledBeforeStart } from '../domain/admit.js';
import { buildReport } from '../domain/build-report.js';
import { FAILURE_TYPES } from '../domain/errors.js';
import { fitReport } from '../domain/fit-report.js';
import { useOf } from '../domain/plan.js';
import type { EvaluationReport } from '../domain/report.js';
import { searchValues } from '../domain/search-values.js';
import { decideVerdict, type Verdict } from '../domain/verdict.js';
import { currentDetails } from '../report/details.js';
import { countClosed, countOpened, countRefused, countUnopened } from './count.js';
import { settleReview } from './open-review.js';
import { callBatch, callCritic, localCause, openEvaluation, recordPartialReport } from './proxies.js';
import { tellVerdict } from './tell-verdict.js';
import { runStages, Walk, type WalkDeps } from './walk.js';

export const progressQuery = defineQuery<Progress>(PROGRESS_QUERY);

export async function evaluate(input: EvaluateInput): Promise<EvaluationReport> {
  let walk: Walk | undefined;
  setHandler(progressQuery, () => walk?.progress() ?? { planned: 0, ended: [], running: [] });
  const begun = Date.now();
  const opened = await open(input);
  countOpened(opened);
  walk = makeWalk(input, opened);
  try {
    // A batch that was lost on the way has used its time, too.
    if (opened.led.stages.length === 0) walk.used.count(Date.now() - begun, Date.now());
    walk.take(opened.led);
    await runStages(walk);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    const cancelled = cancelledReport(opened, walk);
    countClosed(opened, walk, cancelled);
    await CancellationScope.nonCancellable(() => recordPartialReport(cancelled));
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.decision, value: cancelled.decision }]);
    await tellVerdict(opened, cancelled);
    throw error;
  }
  const report = await settledReport(input, opened, walk);
  countClosed(opened, walk, report);
  upsertSearchAttributes([
    { key: SEARCH_ATTRIBUTES.decision, value: report.decision },
    { key: SEARCH_ATTRIBUTES.plan, value: `${opened.plan.name}@${opened.plan.version}` },
    { key: SEARCH_ATTRIBUTES.risk, value: report.riskTier },
    { key: SEARCH_ATTRIBUTES.critics, value: searchValues(report) },
    { key: SEARCH_ATTRIBUTES.degraded, value: report.degraded },
  ]);
  setCurrentDetails(currentDetails({ report, workflowId: workflowInfo().workflowId }));
  await tellVerdict(opened, report);
  if (report.decision !== 'not_judged') return report;
  const why = report.reasons.find((reason) => reason.effect === 'fail');
  const failure = ApplicationFailure.create({
    type: FAILURE_TYPES.notJudged,
    message: `not judged: ${why?.message ?? 'no reason is recorded'}`,
    nonRetryable: true,
    details: [report],
  });
  // The report says all; a stack would show operators this line of ours.
  failure.stack = '';
  throw failure;
}

/** The verdict, with the review that it opens. */
async function settledReport(input: EvaluateInput, opened: OpenResult, walk: Walk): Promise<EvaluationReport> {
  const judged = decideVerdict(opened.plan, walk.records, walk.facts);
  const totalMs = walk.used.totalMs;
  const of = (verdict: Verdict): EvaluationReport => reportOf(opened, walk, verdict, totalMs);
  const { verdict, review } = await settleReview(input, opened, walk, judged, of);
  return review === undefined ? of(verdict) : { ...of(verdict), review };
}

async function open(input: EvaluateInput): Promise<OpenResult> {
  // By the memo a second start of the same key is compared: it must not speak of another request.
  const memo: unknown = workflowInfo().memo?.[DIGEST_MEMO];
  const of = { input, ...(memo !== undefined ? { memo } : {}) };
  try {
    return await openEvaluation({ ...of, lead: true });
  } catch (error) {
    if (isFinal(error)) throw final(error);
  }
  // The leading local critics blocked or broke their process. Without them the plan can still be pinned, and then only they fail.
  try {
    return await openEvaluation({ ...of, lead: false });
  } catch (error) {
    if (isFinal(error)) throw final(error);
    countUnopened();
    upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.decision, value: 'not_judged' }]);
    throw ApplicationFailure.nonRetryable('not judged: the evaluation could not be opened', FAILURE_TYPES.notJudged);
  }
}

/** A refusal or a cancellation: asking once more would change nothing. */
function isFinal(error: unknown): boolean {
  const cause = localCause(error);
  return isCancellation(error) || (cause instanceof ApplicationFailure && cause.type === FAILURE_TYPES.requestRefused);
}

function final(error: unknown): unknown {
  const cause = localCause(error);
  if (!isCancellation(error)) countRefused(cause);
  return cause;
}

function makeWalk(input: EvaluateInput, opened: OpenResult): Walk {
  const { content, context, class: requestClass } = input.request;
  // The run's own scope: a further one would make the SDK follow every promise, and after a decisive rule nothing is left to run.
  const scope = CancellationScope.current();
  let decisive = false;
  const deps: WalkDeps = {
    now: () => Date.now(),
    historyLength: () => workflowInfo().historyLength,
    async runBatch(batch) {
      try {
        return await callBatch(batch);
      } catch (error) {
        const cause = localCause(error);
        if (cause instanceof TimeoutFailure) return { lost: 'timed_out' };
        if (cause instanceof ApplicationFailure) return { lost: 'failed' };
        throw error;
      }
    },
    runCritic(call) {
      const { tenant, riskTier, size } = opened.facts;
      const args = { critic: useOf(call.critic), content, context, findings: call.findings, tenant, riskTier, size };
      return callCritic(call, opened, args, requestClass === 'background').catch((error: unknown) => {
        if (!decisive || !isCancellation(error)) throw error;
        return { outcome: 'cancelled', attempts: [], startedAt: Date.now(), code: 'DECISIVE' };
      });
    },
    cancelRunning() {
      decisive = true;
      scope.cancel();
    },
    changed: () => setCurrentDetails(currentDetails({ plan: opened.plan, progress: made.progress() })),
  };
  const made = new Walk(opened.plan, { ...opened.facts, context }, content, deps);
  return made;
}

function reportOf(opened: OpenResult, walk: Walk, verdict: Verdict, totalMs: number, cancelled = false): EvaluationReport {
  return fitReport(
    buildReport({
      evaluationId: workflowInfo().workflowId,
      tenant: walk.facts.tenant,
      plan: opened.plan,
      facts: walk.facts,
      contentHash: opened.contentHash,
      records: [...walk.records.values()],
      stages: walk.stages,
      verdict,
      totalMs,
      dropped: walk.dropped,
      ...(cancelled ? { cancelled: true } : {}),
      ...(walk.reset !== undefined ? { reset: walk.reset } : {}),
    }),
  );
}

function cancelledReport(opened: OpenResult, walk: Walk): EvaluationReport {
  for (const critic of opened.plan.critics) {
    if (walk.records.has(critic.name)) continue;
    const record = cancelledBeforeStart(critic, 'CANCELLED');
    walk.records.set(critic.name, walk.running.has(critic.name) ? { ...record, startedAt: Date.now() } : record);
  }
  const verdict: Verdict = {
    decision: 'not_judged',
    reasons: [{ code: 'CANCELLED', message: 'the evaluation was cancelled', effect: 'fail' }],
    degraded: false,
  };
  return reportOf(opened, walk, verdict, walk.used.totalMs, true);
}
