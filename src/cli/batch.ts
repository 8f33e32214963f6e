/** Many records: bounded concurrency, progress, one line each with `--json`, a summary at the end. */
import PQueue from 'p-queue';
import { KeyConflict, RequestRefused, TribunalError } from '../client-errors.js';
import { reportLine } from '../report/json.js';
import { batchSummary, type BatchEntry } from '../report/summary.js';
import { safeText } from '../report/safe.js';
import type { EvaluationHandle } from '../client-handle.js';
import type { EvaluationReport } from '../domain/report.js';
import type { StartRequest } from '../schemas/request.js';
import type { BatchSettings, RequestAt } from './evaluate.js';
import { describeError, EXIT, exitOfError } from './exit.js';
import type { Output } from './output.js';
import { listenForStop } from './signals.js';

/** As much of a client as a batch needs. */
export interface Starter {
  start(request: StartRequest): Promise<Pick<EvaluationHandle, 'evaluationId' | 'result'>>;
}

/** How one record ended, for the exit code. */
interface Ended {
  readonly exit: number;
  readonly entry: BatchEntry | undefined;
}

export async function runBatch(client: Starter, requests: readonly RequestAt[], settings: BatchSettings, output: Output): Promise<number> {
  const queue = new PQueue({ concurrency: settings.concurrency });
  const progress = await output.progress();
  const ended: Ended[] = [];
  const stop = listenForStop();
  for (const request of requests) {
    void queue.add(async () => {
      // What runs is waited for; what has not begun never does.
      if (stop.signal.aborted) return;
      ended.push(await runRecord(client, request, settings, output));
      progress.show(progressLine(ended, queue.pending, requests.length));
    });
  }
  await queue.onIdle();
  stop.release();
  progress.end();
  const left = requests.length - ended.length;
  if (left > 0) output.note(`stopped: ${left} of ${requests.length} records were not started`);
  if (!output.json && settings.wait) output.line(batchSummary(ended.flatMap(({ entry }) => entry ?? [])));
  if (!settings.wait)
    output.note(`${ended.filter(({ exit }) => exit === EXIT.started).length} of ${requests.length} evaluations were started`);
  return exitOfBatch(ended, left, settings);
}

/** Never rejects: one record's trouble is not the others'. */
async function runRecord(client: Starter, { at, request }: RequestAt, settings: BatchSettings, output: Output): Promise<Ended> {
  try {
    const handle = await client.start(request);
    if (!settings.wait) {
      if (output.json) output.object({ at, evaluationId: handle.evaluationId, started: true });
      else output.line(`${safeText(at)} started ${handle.evaluationId}`);
      return { exit: EXIT.started, entry: undefined };
    }
    const report = await handle.result({ timeoutMs: settings.timeoutMs });
    if (output.json) output.object({ at, ...reportLine(report) });
    else if (report.decision !== 'allow') output.note(safeText(heldLine(at, report)));
    return { exit: decisionExit(report.decision, settings), entry: { report } };
  } catch (error) {
    const told = describeError(error);
    if (output.json) output.object({ at, error: told });
    else output.note(safeText(`${at}: ${told.message}`));
    return { exit: exitOfError(error), entry: entryOf(error) };
  }
}

/** Which record may not go out, and why. */
function heldLine(at: string, { decision, evaluationId, reasons }: EvaluationReport): string {
  const why = reasons.find((reason) => reason.effect !== 'none');
  return `${at}: ${decision.replace('_', ' ')} ${evaluationId}${why === undefined ? '' : `: ${why.message}`}`;
}

function entryOf(error: unknown): BatchEntry {
  if (error instanceof RequestRefused) return { refused: error.reason };
  if (error instanceof KeyConflict) return { refused: error.code };
  return { error: error instanceof TribunalError ? error.code : describeError(error).message };
}

function decisionExit(decision: string, settings: BatchSettings): number {
  if (decision === 'not_judged') return EXIT.notJudged;
  if (!settings.failOn.has(decision)) return EXIT.ok;
  return decision === 'deny' ? EXIT.deny : EXIT.escalate;
}

/** What a script must hear first: something broke, then refusals, then what was not judged, then the decisions it asked for. */
function exitOfBatch(ended: readonly Ended[], left: number, settings: BatchSettings): number {
  const seen = new Set(ended.map(({ exit }) => exit));
  const worst = [EXIT.error, EXIT.usage, EXIT.notJudged, EXIT.deny, EXIT.escalate].find((exit) => seen.has(exit));
  if (worst !== undefined) return worst;
  if (left > 0) return EXIT.notJudged;
  return settings.wait ? EXIT.ok : EXIT.started;
}

function progressLine(ended: readonly Ended[], running: number, total: number): string {
  const judged = ended.filter(({ entry }) => entry !== undefined && 'report' in entry).length;
  const other = ended.length - judged;
  // The one that reports is still counted as pending.
  return `${ended.length} of ${total} ended (${judged} with a report${other > 0 ? `, ${other} without` : ''}), ${Math.max(0, running - 1)} under way`;
}
