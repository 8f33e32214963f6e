/** Many records: bounded concurrency, progress, one line each with `--json` and `--out`, a summary at the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { KeyConflict, OverloadedError, RequestRefused, TribunalError, type ClientCode } from '../client-errors.js';
import type { EvaluationHandle } from '../client-handle.js';
import type { EvaluationReport } from '../domain/report.js';
import { reportLine } from '../report/json.js';
import { safeText } from '../report/safe.js';
import { BatchTally, type BatchEntry } from '../report/summary.js';
import type { StartRequest } from '../schemas/request.js';
import type { ResultLine } from '../schemas/result-line.js';
import { batchProgressText } from './batch-progress.js';
import { describeError, EXIT, exitOfError } from './exit.js';
import type { Output, Progress } from './output.js';
import type { KnownRequest, ResultToKeep } from './results.js';
import { listenForStop } from './signals.js';

/** A request and where it came from, for messages. */
export interface RequestAt {
  readonly at: string;
  readonly request: StartRequest;
}

export interface BatchSettings {
  readonly wait: boolean;
  readonly timeoutMs: number;
  readonly concurrency: number;
  readonly failOn: ReadonlySet<string>;
}

/** As much of a client as a batch needs. */
export interface Starter {
  start(request: StartRequest): Promise<Started>;
}
type Started = Pick<EvaluationHandle, 'evaluationId' | 'result'> & Partial<Pick<EvaluationHandle, 'wasStartedBefore'>>;

/** As much of a file of results as a batch needs. */
export interface ResultSink {
  know(request: StartRequest): KnownRequest;
  add(line: ResultToKeep): void;
  /** What earlier runs have written about records that `know` found done. */
  skippedLines(): AsyncIterable<ResultLine>;
}

export interface Batch {
  /** How many records there are. */
  readonly total: number;
  /** Read as places become free, so that a batch may be larger than memory. */
  readonly requests: Iterable<RequestAt> | AsyncIterable<RequestAt>;
  readonly results?: ResultSink;
}

/** A terminal is not redrawn more often: people see no more, and a quick batch would be slowed down. */
const REDRAW_MS = 100;

/** Ends that another try with the same key would find again: they have their line in the file of results. */
const FINAL: readonly ClientCode[] = ['EVALUATION_CANCELLED', 'EVALUATION_TERMINATED', 'EVALUATION_FAILED'];

/** What has ended so far: sums for the summary, and what decides the exit code. */
class Ended {
  readonly tally = new BatchTally();
  readonly #exits = new Set<number>();

  add(exit: number, entry: BatchEntry | undefined): void {
    this.#exits.add(exit);
    if (entry !== undefined) this.tally.add(entry);
  }

  /** A line that an earlier run has written: summed up, but only records of this run decide how it exits. */
  addLine(line: ResultLine): void {
    this.tally.add('error' in line ? { error: line.error.code } : { report: line });
  }

  addExit(exit: number): void {
    this.#exits.add(exit);
  }

  /** What a script must hear first: something broke, then refusals, then what was not judged, then the decisions it asked for. */
  exit(left: number, wait: boolean): number {
    const worst = [EXIT.error, EXIT.usage, EXIT.notJudged, EXIT.deny, EXIT.escalate].find((exit) => this.#exits.has(exit));
    if (worst !== undefined) return worst;
    if (left > 0) return EXIT.notJudged;
    return wait ? EXIT.ok : EXIT.started;
  }
}

export async function runBatch(client: Starter, batch: Batch, settings: BatchSettings, output: Output): Promise<number> {
  const stop = listenForStop();
  const run = new Run(client, batch, settings, output, await output.progress(), stop.signal);
  const queue = new PQueue({ concurrency: settings.concurrency });
  void stop.stopped.then(() => run.tellStop());
  let skipped = 0;
  try {
    for await (const { at, request } of batch.requests) {
      if (stop.signal.aborted) break;
      const known = batch.results?.know(request) ?? { request, digest: '', done: undefined };
      if (known.done !== undefined) {
        skipped += 1;
        run.skip(known.done, skipped);
        continue;
      }
      // What runs is waited for; what has not begun never does.
      void queue.add(async () =>
        stop.signal.aborted ? undefined : await run.record({ at, known, isKeyed: request.key !== undefined }, skipped),
      );
      await queue.onSizeLessThan(settings.concurrency);
    }
  } finally {
    await queue.onIdle();
    stop.release();
    run.progress.end();
  }
  return await run.close(skipped);
}

interface BatchRecord {
  readonly at: string;
  readonly known: KnownRequest;
  /** Whether the record came with a key of its own. */
  readonly isKeyed: boolean;
}

class Run {
  readonly #begun = performance.now();
  readonly #ended = new Ended();
  #here = 0;
  #running = 0;
  #held = 0;
  #toldOverload = false;
  #without = 0;
  #started = 0;
  #judgedBefore = 0;
  #redrawAt = 0;

  constructor(
    readonly client: Starter,
    readonly batch: Batch,
    readonly settings: BatchSettings,
    readonly output: Output,
    readonly progress: Progress,
    readonly stopped: AbortSignal,
  ) {}

  /** Never rejects: one record's trouble is not the others'. */
  async record(one: BatchRecord, earlier: number): Promise<void> {
    this.#running += 1;
    this.#draw(earlier);
    const judged = await this.#judge(one);
    this.#running -= 1;
    // Stopped while it was held back: it was never started.
    if (judged === undefined) return;
    const { exit, entry } = judged;
    this.#here += 1;
    if (exit === EXIT.started) this.#started += 1;
    if (entry === undefined || !('report' in entry)) this.#without += 1;
    this.#ended.add(exit, entry);
    this.#draw(earlier);
  }

  /** An earlier run has come to its end. */
  skip(done: NonNullable<KnownRequest['done']>, skipped: number): void {
    this.#ended.addExit(done === 'ended' ? EXIT.notJudged : decisionExit(done, this.settings.failOn));
    this.#draw(skipped);
  }

  /** Somebody pressed Ctrl-C, or a supervisor asked. */
  tellStop(): void {
    const again = this.batch.results === undefined ? '' : '; the same command goes on from here';
    const running = this.#running - this.#held;
    this.#tell(`stopping: ${running} under way ${running === 1 ? 'is' : 'are'} waited for, and once more ends at once${again}`);
  }

  async close(skipped: number): Promise<number> {
    const { batch, settings, output } = this;
    const left = batch.total - this.#here - skipped;
    if (skipped > 0) output.note(`${skipped} of ${batch.total} records had their result already`);
    for await (const line of batch.results?.skippedLines() ?? []) this.#ended.addLine(line);
    if (this.#judgedBefore > 0)
      output.note(
        `${this.#judgedBefore} of ${batch.total} records were judged before under their keys, and not again; --key-suffix TEXT judges them anew`,
      );
    if (left > 0) output.note(`stopped: ${left} of ${batch.total} records were not started`);
    if (!settings.wait) output.note(`${this.#started} of ${batch.total} evaluations were started`);
    else if (output.json) output.object({ summary: { total: batch.total, notStarted: left, ...this.#ended.tally.json() } });
    else output.line(this.#ended.tally.text());
    return this.#ended.exit(left, settings.wait);
  }

  async #judge({
    at,
    known: { request, digest },
    isKeyed,
  }: BatchRecord): Promise<{ readonly exit: number; readonly entry: BatchEntry | undefined } | undefined> {
    const { settings, output, batch } = this;
    let id: string | undefined;
    try {
      const handle = await this.#start(request);
      if (handle === undefined) return undefined;
      id = handle.evaluationId;
      if (!settings.wait) {
        if (output.json) output.object({ at, evaluationId: id, started: true });
        else output.line(`${safeText(at)} started ${id}`);
        return { exit: EXIT.started, entry: undefined };
      }
      const report = await handle.result({ timeoutMs: settings.timeoutMs });
      // What could not be judged is told with its own remedy, a reset.
      if (isKeyed && handle.wasStartedBefore === true && report.decision !== 'not_judged') this.#judgedBefore += 1;
      batch.results?.add({ at, digest, ...reportLine(report) });
      if (output.json) output.object({ at, ...reportLine(report) });
      else if (report.decision !== 'allow') this.#tell(heldLine(at, report));
      return { exit: decisionExit(report.decision, settings.failOn), entry: { report } };
    } catch (error) {
      const told = describeError(error);
      if (id !== undefined && error instanceof TribunalError && FINAL.includes(error.code))
        batch.results?.add({ at, digest, evaluationId: id, error: told });
      if (output.json) output.object({ at, error: told });
      else this.#tell(`${at}: ${told.message}`);
      return { exit: exitOfError(error), entry: entryOf(error) };
    }
  }

  /** Where too many wait it comes again when it was told to; `undefined` when the batch was stopped meanwhile. */
  async #start(request: StartRequest): Promise<Started | undefined> {
    for (;;) {
      try {
        return await this.client.start(request);
      } catch (error) {
        if (!(error instanceof OverloadedError)) throw error;
        await this.#holdBack(error);
        if (this.stopped.aborted) return undefined;
      }
    }
  }

  async #holdBack({ message, retryAfterMs }: OverloadedError): Promise<void> {
    if (!this.#toldOverload) this.#tell(`${message}; it and others are held back and tried again`);
    this.#toldOverload = true;
    this.#held += 1;
    await sleep(retryAfterMs, undefined, { signal: this.stopped }).catch(() => undefined);
    this.#held -= 1;
  }

  /** A line above what is drawn. */
  #tell(text: string): void {
    this.progress.end();
    this.#redrawAt = 0;
    this.output.note(safeText(text));
  }

  #draw(earlier: number): void {
    const now = performance.now();
    if (now < this.#redrawAt) return;
    this.#redrawAt = now + REDRAW_MS;
    this.progress.show(
      batchProgressText({
        total: this.batch.total,
        ended: this.#here,
        earlier,
        running: this.#running,
        held: this.#held,
        without: this.#without,
        elapsedMs: now - this.#begun,
      }),
    );
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

function decisionExit(decision: string, failOn: ReadonlySet<string>): number {
  if (decision === 'not_judged') return EXIT.notJudged;
  if (!failOn.has(decision)) return EXIT.ok;
  return decision === 'deny' ? EXIT.deny : EXIT.escalate;
}
