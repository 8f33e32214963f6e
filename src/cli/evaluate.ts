/** `tribunal evaluate`: starts evaluations and shows their reports. One record, or a batch of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Option, type Command } from 'commander';
import type { EvaluationHandle } from '../client-handle.js';
import { RISK_TIERS, type RiskTier } from '../domain/plan.js';
import type { EvaluationRequest } from '../domain/request.js';
import { parseDuration } from '../schemas/duration.js';
import { runBatch, type BatchSettings, type RequestAt } from './batch.js';
import { collect, onRun, type Call, type Cli } from './command.js';
import { connectClient, planOfDeployment, type Connected } from './connect.js';
import { EXIT, exitOfDecision, usageError } from './exit.js';
import { onlyRecord, openRecords, type RecordAt, type Records } from './records.js';
import type { Progress } from './output.js';
import { progressText } from './progress-text.js';
import { parseContext, withDefaults } from './request-context.js';
import { Results } from './results.js';
import { progressOf, showReport } from './show.js';
import { listenForStop } from './signals.js';

export interface EvaluateOptions {
  readonly content?: string;
  readonly file?: string;
  readonly plan?: string;
  readonly context?: readonly string[];
  readonly risk?: RiskTier;
  readonly tenant?: string;
  readonly key?: string;
  readonly class?: EvaluationRequest['class'];
  readonly gating?: EvaluationRequest['gating'];
  readonly keySuffix?: string;
  readonly requester?: string;
  readonly author?: string;
  readonly wait: boolean;
  readonly timeout: string;
  readonly concurrency: string;
  readonly failOn?: string;
  readonly out?: string;
}

/** How often a person at a terminal sees how far one evaluation is; each look is a query. */
const REFRESH_MS = 1_000;
/** Each waits in a call of its own to the server; the limits of plans hold whatever stands here. */
const MAX_CONCURRENCY = 1_000;

export function addEvaluate(program: Command, cli: Cli): void {
  const command = program
    .command('evaluate')
    .description('judge a record (JSON), many records (JSON lines), or a text (--content)')
    .argument('[file]', 'JSON or JSON lines; - for stdin')
    .option('--content <text>', 'judge this text instead of a file')
    .option('--plan <name>', 'plan to judge by; needed unless the tribunal.yaml here (or --file) has only one')
    .option('--file <path>', 'deployment file that names the plan and the deployment (default: tribunal.yaml)')
    .option('--context <key=value>', 'what you say about the content, repeatable; the value is JSON, else a text', collect)
    .addOption(new Option('--risk <tier>', 'risk tier where a record names none').choices(RISK_TIERS))
    .option('--tenant <name>', 'tenant where a record names none')
    .option('--key <key>', 'key of a single record: the same key is the same evaluation')
    .option('--key-suffix <text>', 'added to the keys that records have, to judge them anew or by another plan')
    .option('--requester <id>', 'who asks for it, where a record names nobody: they do not decide its review')
    .option('--author <id>', 'who wrote it, where a record names nobody: they do not decide its review')
    .addOption(new Option('--class <class>', 'where a record names none').choices(['interactive', 'background']))
    .addOption(new Option('--gating <mode>', 'off runs every critic, for comparison').choices(['on', 'off']))
    .option('--no-wait', 'start and do not wait for the reports')
    .option('--timeout <duration>', 'how long to wait for a report', '10m')
    .option('--concurrency <n>', 'evaluations of a batch under way at once', '20')
    .option('--out <file>', 'append the result of each record that has ended to this file (JSON lines); a second run goes on from it')
    .option('--fail-on <decisions>', 'decisions of a batch that set its exit code: deny,escalate');
  onRun<EvaluateOptions>(command, cli, runEvaluate);
}

async function runEvaluate(call: Call<EvaluateOptions>): Promise<number> {
  const { options, output } = call;
  const settings = batchSettings(options);
  if (options.out !== undefined && !options.wait) throw usageError('--out and --no-wait exclude each other: results are there at the end');
  const records = await readRecords(call);
  if (options.key !== undefined && records.count > 1)
    throw usageError('--key is for a single record: write "key" into each record instead');
  const defaults = { context: parseContext(options.context ?? []), plan: await planOfDeployment(options) };
  const requestOf = ({ at, record }: RecordAt): RequestAt => ({ at, request: withDefaults(record, defaults, options) });
  const connected = await connectClient(options, call.io.env);
  try {
    if (records.count === 1 && options.out === undefined)
      return await runOne(connected, requestOf(records.first), settings, options, output);
    const kept = options.out === undefined ? {} : { results: await Results.open(options.out, defaults.plan) };
    return await runBatch(
      connected.client,
      { total: records.count, requests: mapped(records.read(), requestOf), ...kept },
      // One record exits with its decision, wherever its result goes.
      records.count === 1 ? { ...settings, failOn: new Set(['deny', 'escalate']) } : settings,
      output,
    );
  } finally {
    await connected.close();
  }
}

async function* mapped<From, To>(all: AsyncIterable<From>, one: (value: From) => To): AsyncGenerator<To> {
  for await (const value of all) yield one(value);
}

function batchSettings(options: EvaluateOptions): BatchSettings {
  const timeout = parseDuration(options.timeout);
  if (!timeout.ok) throw usageError(`--timeout ${timeout.message}`);
  const concurrency = Number(options.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > MAX_CONCURRENCY)
    throw usageError(`--concurrency must be a whole number from 1 to ${MAX_CONCURRENCY}`);
  const failOn = new Set((options.failOn ?? '').split(',').filter((word) => word !== ''));
  const unknown = [...failOn].filter((word) => word !== 'deny' && word !== 'escalate');
  if (unknown.length > 0)
    throw usageError(`--fail-on does not know ${JSON.stringify(unknown.join(','))}: it takes deny, escalate or deny,escalate`);
  return { wait: options.wait, timeoutMs: timeout.ms, concurrency, failOn };
}

async function readRecords({ options, args, io }: Call<EvaluateOptions>): Promise<Records> {
  const [source] = args;
  if (options.content !== undefined && source !== undefined) throw usageError('--content and a file exclude each other');
  // A shell variable that is not set must not pass the gate.
  if (options.content === '') throw usageError('--content is empty: there is nothing to judge');
  if (options.content !== undefined) return onlyRecord({ at: '--content', record: { content: options.content } });
  if (source === undefined) throw usageError('nothing to judge: name a file with JSON records, - for stdin, or --content TEXT');
  if (source === options.out) throw usageError('--out names the file of records: name another one for the results');
  return await openRecords(source, io.stdin);
}

async function runOne(
  connected: Connected,
  { request }: RequestAt,
  settings: BatchSettings,
  options: EvaluateOptions,
  output: Call<EvaluateOptions>['output'],
): Promise<number> {
  const handle = await connected.client.start(request);
  const { evaluationId } = handle;
  if (handle.wasStartedBefore)
    output.note(`${evaluationId} was started before with the same request, and is not judged again; --key-suffix TEXT judges it anew`);
  if (!settings.wait) {
    const ui = connected.uiOf(evaluationId);
    if (output.json) output.object({ evaluationId, started: true, ...(ui !== undefined ? { ui } : {}) });
    else output.line(`started ${evaluationId}${ui === undefined ? '' : `\n${ui}`}\nTo see it: tribunal watch ${evaluationId}`);
    return EXIT.started;
  }
  const stop = listenForStop();
  const ended = new AbortController();
  const progress = await output.progress();
  // For scripts nothing is drawn, so nothing is asked.
  if (!output.json) void drawProgress(handle, progress, ended.signal);
  const clear = (): void => {
    ended.abort();
    progress.end();
  };
  try {
    const report = await Promise.race([handle.result({ timeoutMs: settings.timeoutMs }), stop.stopped]);
    clear();
    if (report === undefined) {
      output.note(`${evaluationId} goes on without being waited for: tribunal watch ${evaluationId}`);
      return EXIT.started;
    }
    showReport(report, connected, output);
    return exitOfDecision(report.decision);
  } finally {
    clear();
    stop.release();
  }
}

/** How far it is, until it has ended; quick ones end before there is something to draw. Never rejects. */
async function drawProgress(handle: EvaluationHandle, progress: Progress, ended: AbortSignal): Promise<void> {
  while (!ended.aborted) {
    await sleep(REFRESH_MS, undefined, { signal: ended }).catch(() => undefined);
    const far = ended.aborted ? undefined : await progressOf(handle).catch(() => undefined);
    // What is asked of a worker that is away is answered late.
    if (!ended.aborted) progress.show(progressText(handle.evaluationId, far));
  }
}
