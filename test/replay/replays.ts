/**
 * Replays histories. The SDK compares the commands of a replayed workflow with the recorded events, not what the commands
 * carry: a change that decides otherwise replays clean. So a second bundle has interceptors that tell, through a sink, how
 * the workflow function ended, and the test compares that with what the history says.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultPayloadConverter } from '@temporalio/common';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type BundleOptions,
  type InjectedSinks,
} from '@temporalio/worker';
import type { WorkflowInfo } from '@temporalio/workflow';
import { evaluationId } from '../../src/contract.js';
import type { CaptureSinks } from './capture.js';
import { endOf, type Close, type End, type History } from './ends.js';
import { readHistory } from './histories.js';
import { askedOf, RESET_HEADER, type Told } from './review-accounts.js';
import { isResetRun } from './runs.js';

/** One module that takes the place of another: what the workflow imports, and the file of `planted/`. */
export interface Planted {
  readonly request: string;
  readonly file: string;
}

export interface CapturingBundle {
  readonly codePath: string;
  remove(): Promise<void>;
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The workflows with the interceptors that tell how they end. */
export async function bundleCapturing(planted?: Planted): Promise<CapturingBundle> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: here('../../src/workflows/index.ts'),
    workflowInterceptorModules: [here('./capture.ts')],
    logger: new DefaultLogger('WARN'),
    ...(planted !== undefined ? { webpackConfigHook: replaced(planted) } : {}),
  });
  const folder = await mkdtemp(join(tmpdir(), 'tribunal-replay-'));
  const codePath = join(folder, 'workflows.cjs');
  await writeFile(codePath, code);
  return { codePath, remove: async () => await rm(folder, { recursive: true, force: true }) };
}

/** Requests are compared as they are written, so that the planted file itself still reaches the real one. */
function replaced({ request, file }: Planted): NonNullable<BundleOptions['webpackConfigHook']> {
  return (config) => {
    const given = config.resolve?.alias ?? {};
    if (Array.isArray(given)) throw new Error('the SDK gives its aliases as a list, to which none can be added');
    const alias = { ...given, [`${request}$`]: here(`./planted/${file}`) };
    return { ...config, resolve: { ...config.resolve, alias } };
  };
}

export interface Replayed {
  /** What was wrong with a replay, by kind; one that replayed clean is not in it. */
  readonly problems: Readonly<Record<string, string>>;
  /** How each workflow ended when it was computed anew, by kind; of a capturing bundle only. */
  readonly ends: Readonly<Record<string, End>>;
  /** What each asked people to decide, by kind; of a capturing bundle only. */
  readonly asked: Readonly<Record<string, unknown>>;
}

/** As it was recorded: ids of what an evaluation starts are made of its own. */
const idOf = (kind: string): string => evaluationId('default', kind);
const kindOf = (id: string): string => id.slice(idOf('').length);

export async function replay(codePath: string, kinds: readonly string[]): Promise<Replayed> {
  const ends: Record<string, End> = {};
  const asked: Record<string, unknown> = {};
  const histories = await Promise.all(kinds.map(async (kind) => ({ workflowId: idOf(kind), history: asReset(await readHistory(kind)) })));
  const problems = await replayAll(codePath, histories, {
    closed: ({ workflowId }, close) => void (ends[kindOf(workflowId)] = endOf(close)),
    told: ({ workflowId }, { child }) => {
      if (child !== undefined) asked[kindOf(workflowId)] = child.input;
    },
  });
  return {
    problems: Object.fromEntries(problems.map(({ workflowId, message }) => [kindOf(workflowId), message])),
    ends,
    asked: mapped(asked, askedOf),
  };
}

const mapped = <From, To>(record: Readonly<Record<string, From>>, of: (value: From) => To): Record<string, To> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value)]));

/** A run that a reset made replays as one only when it is told so: the interceptors of a capturing bundle are. */
export function asReset(history: History): History {
  const [started, ...rest] = history.events ?? [];
  const attributes = started?.workflowExecutionStartedEventAttributes;
  if (attributes == null || !isResetRun(history)) return history;
  const fields = { ...attributes.header?.fields, [RESET_HEADER]: defaultPayloadConverter.toPayload(true) };
  return { events: [{ ...started, workflowExecutionStartedEventAttributes: { ...attributes, header: { fields } } }, ...rest] };
}

export interface Listening {
  closed(info: WorkflowInfo, close: Close): void;
  told(info: WorkflowInfo, told: Told): void;
}

export interface Problem {
  readonly workflowId: string;
  readonly runId: string;
  readonly message: string;
}

/** @returns what did not replay. */
export async function replayAll(
  codePath: string,
  histories: readonly { readonly workflowId: string; readonly history: History }[],
  listening: Listening,
): Promise<Problem[]> {
  quietRuntime();
  // Through JSON, as it comes out of a history.
  const plain = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
  const sinks: InjectedSinks<CaptureSinks> = {
    capture: {
      closed: { callDuringReplay: true, fn: (info, close) => listening.closed(info, plain(close)) },
      told: { callDuringReplay: true, fn: (info, told) => listening.told(info, plain(told)) },
    },
  };
  const problems: Problem[] = [];
  let count = 0;
  for await (const { workflowId, runId, error } of Worker.runReplayHistories({ workflowBundle: { codePath }, sinks }, histories)) {
    count += 1;
    if (error !== undefined) problems.push({ workflowId, runId, message: `${error.name}: ${error.message}` });
  }
  if (count !== histories.length) throw new Error(`${count} of ${histories.length} histories were replayed`);
  return problems;
}

let installed = false;

/** The SDK's log lines of planted faults would hide what a test says. */
function quietRuntime(): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
}
