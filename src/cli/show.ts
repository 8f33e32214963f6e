/** `tribunal show`: the report of an evaluation, or how far it is. Also how every command shows a report. */
import type { Command } from 'commander';
import type { EvaluationHandle } from '../client-handle.js';
import { EvaluationCancelled, EvaluationFailed, EvaluationNotFound, TribunalError } from '../client-errors.js';
import type { Progress } from '../contract.js';
import { isReport } from '../domain/is-report.js';
import type { EvaluationReport } from '../domain/report.js';
import { reportLine } from '../report/json.js';
import { reportText } from '../report/text.js';
import { onRun, type Call, type Cli } from './command.js';
import { connectClient, type Connected } from './connect.js';
import { EXIT, exitOfDecision } from './exit.js';
import type { Output } from './output.js';
import { progressText } from './progress-text.js';

/** A closed evaluation answers at once; one that closes meanwhile is waited for as long. */
const CLOSED_TIMEOUT_MS = 10_000;

interface ShowOptions {
  readonly archive?: string;
}

export function addShow(program: Command, cli: Cli): void {
  const command = program
    .command('show')
    .description('show the report of an evaluation, or how far it is')
    .argument('<id>', '<tenant>/<key>, or the key alone for the tenant "default"')
    .option('--archive <folder>', 'what workers have kept there with --archive, for what the server has no more');
  onRun<ShowOptions>(command, cli, runShow);
}

async function runShow({ options, args, io, output }: Call<ShowOptions>): Promise<number> {
  const connected = await connectClient(options, io.env);
  try {
    const handle = connected.client.handle(args[0] ?? '');
    if ((await handle.status()).status === 'running') return await showRunning(handle, connected, output);
    return await showEnd(handle, connected, output, CLOSED_TIMEOUT_MS);
  } catch (error) {
    if (!(error instanceof EvaluationNotFound) || options.archive === undefined) throw error;
    return await showArchived(options.archive, error, output);
  } finally {
    await connected.close();
  }
}

/** The server has no more of it. */
async function showArchived(folder: string, notFound: EvaluationNotFound, output: Output): Promise<number> {
  const { makeArchive } = await import('../review/archive.js');
  const kept = await makeArchive(folder).getEvaluation(notFound.evaluationId ?? '');
  if (kept === undefined) throw notFound;
  if (!isReport(kept.report)) throw new EvaluationFailed(kept.evaluationId, `it closed at ${kept.closedAt}, as the archive says`);
  showReport(kept.report, { uiOf: () => undefined }, output);
  output.note(`from the archive ${folder}: the server has no more of it`);
  return exitOfDecision(kept.report.decision);
}

async function showRunning(handle: EvaluationHandle, connected: Connected, output: Output): Promise<number> {
  const { evaluationId } = handle;
  const progress = await progressOf(handle);
  const ui = connected.uiOf(evaluationId);
  if (output.json)
    output.object({
      evaluationId,
      status: 'running',
      ...(progress !== undefined ? { progress } : {}),
      ...(ui !== undefined ? { ui } : {}),
    });
  else output.line([progressText(evaluationId, progress), ...(ui !== undefined ? ['', ui] : [])].join('\n'));
  return EXIT.started;
}

/** `undefined` while no worker can answer. */
export async function progressOf(handle: EvaluationHandle): Promise<Progress | undefined> {
  try {
    return await handle.progress();
  } catch (error) {
    if (error instanceof TribunalError) return undefined;
    throw error;
  }
}

/** The report once there is one; a cancelled evaluation's partial report is shown too. */
export async function showEnd(handle: EvaluationHandle, connected: Connected, output: Output, timeoutMs: number): Promise<number> {
  try {
    const report = await handle.result({ timeoutMs });
    showReport(report, connected, output);
    return exitOfDecision(report.decision);
  } catch (error) {
    if (!(error instanceof EvaluationCancelled) || error.report === undefined) throw error;
    showReport(error.report, connected, output);
    output.note(error.message);
    return EXIT.notJudged;
  }
}

export function showReport(report: EvaluationReport, connected: Pick<Connected, 'uiOf'>, output: Output): void {
  const ui = connected.uiOf(report.evaluationId);
  if (output.json) {
    output.object({ ...reportLine(report), ...(ui !== undefined ? { ui } : {}) });
    return;
  }
  output.line(reportText(report, { color: output.color, ...(output.width !== undefined ? { width: output.width } : {}) }));
  if (ui !== undefined) output.line(`\n${ui}`);
}
