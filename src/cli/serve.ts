/** A worker in this process, from start to drained end: what `dev` and `worker` share. Loads the native module. */
import { DefaultLogger, NativeConnection, Runtime, type LogMetadata } from '@temporalio/worker';
import { codecErrorIn } from '../codec/codec-error.js';
import type { Deployment } from '../deployment.js';
import { formatProblem } from '../plan-loader.js';
import { safeText } from '../report/safe.js';
import { SECRET_PREFIX, type ServerConnection, type Settings } from '../settings.js';
import { createTribunalWorker } from '../worker.js';
import { ServerUnreachable } from '../client-errors.js';
import type { NamedConverter } from './connect.js';
import type { Output } from './output.js';
import type { StopSignal } from './signals.js';

export interface Serve {
  readonly deployment: Deployment;
  readonly connectionOptions: ServerConnection;
  readonly namespace: string;
  readonly converter?: NamedConverter;
  readonly shutdownGraceMs: number;
  readonly logLevel: Settings['logLevel'];
  /** Where critics find their secrets, by name. */
  readonly env: NodeJS.ProcessEnv;
  readonly stop: StopSignal;
  readonly output: Output;
  /** Called when the worker is about to poll. */
  readonly ready: (lanes: number) => void;
}

/** Polls until the stop signal and what runs has ended. */
export async function serve({
  deployment,
  connectionOptions,
  namespace,
  converter,
  shutdownGraceMs,
  logLevel,
  env,
  stop,
  output,
  ready,
}: Serve): Promise<void> {
  installRuntime(output, logLevel);
  for (const warning of deployment.warnings) output.note(safeText(formatProblem(warning)));
  if (converter !== undefined) output.note(safeText(`what Temporal records goes through ${converter.name}`));
  const connection = await NativeConnection.connect(connectionOptions).catch((error: unknown) => {
    throw new ServerUnreachable(`cannot connect to ${connectionOptions.address}`, undefined, { cause: error });
  });
  try {
    const worker = await createTribunalWorker({
      deployment,
      connection,
      namespace,
      ...(converter !== undefined ? { dataConverter: converter.dataConverter } : {}),
      shutdownGraceMs,
      // Of a prefix of their own: whoever can schedule a critic could otherwise ask for any variable of this process.
      secrets: (name) => env[`${SECRET_PREFIX}${name}`],
      log: (level, message) => output.note(safeText(`${level}: ${message}`)),
    });
    const running = worker.run();
    const drain = (): void => {
      output.note(`stopping: what runs has ${shutdownGraceMs / 1_000} s to end; a second signal ends it at once`);
      worker.shutdown();
    };
    if (stop.signal.aborted) drain();
    else stop.signal.addEventListener('abort', drain, { once: true });
    ready(worker.lanes.length);
    await running;
  } finally {
    Runtime.instance().flushLogs();
    // A Worker that failed may hold it for ever; the process ends all the same.
    await connection.close().catch(() => undefined);
  }
}

/**
 * A lane has no workflows; critics and evaluations that fail are told in reports, not in the log; a lost beat of the
 * worker's own (not of a critic) changes nothing.
 */
const EXPECTED = /^(No workflows registered|Activity failed$|Workflow failed$|Network error while sending worker heartbeat)/;

const LEVEL_OF = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;

/** What the SDK says of every single try while the server is away; it tries for ever. */
const TRYING = /^gRPC call .* retried \d+ times/;
const OUTAGE_NOTE_MS = 30_000;

let installed = false;

/** The SDK's own signal handlers would stop workers one by one; lines that tell of expected ends are left out at every level. */
function installRuntime(output: Output, logLevel: Settings['logLevel']): void {
  if (installed) return;
  installed = true;
  let quietUntil = 0;
  const logger = new DefaultLogger(LEVEL_OF[logLevel], ({ level, message, meta }) => {
    if (EXPECTED.test(message)) return;
    if (!TRYING.test(message)) return output.note(safeText(`${level.toLowerCase()}: ${message}${reasonOf(message, meta)}`));
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + OUTAGE_NOTE_MS;
    output.note('warn: the server does not answer; it is asked again until it does');
  });
  // Without forwarding the SDK's native part writes to stdout, between the results.
  const logging = { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } as const;
  Runtime.install({ shutdownSignals: [], logger, telemetryOptions: { logging } });
}

/** Of the one line that ends the process, and of payloads that cannot be decrypted; what other lines carry may be content. */
function reasonOf(message: string, meta: LogMetadata | undefined): string {
  const error: unknown = meta?.['error'];
  const undecodable = codecErrorIn(error);
  if (undecodable !== undefined) return `: ${undecodable.message}`;
  return message === 'Worker failed' && error instanceof Error ? `: ${error.message}` : '';
}
