/** The SDK's runtime of this process: where its lines and its metrics go. Loads the native module. */
import { createServer, type AddressInfo } from 'node:net';
import { DefaultLogger, Runtime, type LogMetadata, type TelemetryOptions } from '@temporalio/worker';
import { codecErrorIn } from '../codec/codec-error.js';
import { BUCKETS } from '../metrics.js';
import type { Settings } from '../settings.js';
import type { Log, LogLevel } from './log.js';

export interface RuntimeOptions {
  readonly log: Log;
  readonly logLevel: Settings['logLevel'];
  /** Metrics are kept, and carry the name of this deployment. Default: none are kept. */
  readonly metricsOf?: string;
}

let installed: Promise<string | undefined> | undefined;

/** @returns where the exporter answers, when metrics are kept. There is one runtime a process: a second call changes nothing. */
export async function installRuntime(options: RuntimeOptions): Promise<string | undefined> {
  return await (installed ??= install(options));
}

/** A port that is free now may be another process's a moment later. */
const EXPORTER_TRIES = 5;

async function install({ log, logLevel, metricsOf }: RuntimeOptions): Promise<string | undefined> {
  // Without forwarding the SDK's native part writes to stdout, between the results.
  const logging = { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } as const;
  // The SDK's own signal handlers would stop workers one by one.
  const base = { shutdownSignals: [], logger: makeLogger(log, logLevel) };
  if (metricsOf === undefined) {
    Runtime.install({ ...base, telemetryOptions: { logging } });
    return undefined;
  }
  for (let tries = 1; ; tries += 1) {
    const bindAddress = `127.0.0.1:${await freePort()}`;
    try {
      Runtime.install({ ...base, telemetryOptions: { logging, metrics: exporter(bindAddress, metricsOf) } });
      return `http://${bindAddress}/metrics`;
    } catch (error) {
      if (tries >= EXPORTER_TRIES || !(error instanceof Error && error.message.includes('in use'))) throw error;
    }
  }
}

/** The exporter has a port of its own, on this machine alone: what is scraped is handed through by `probes.ts`. */
function exporter(bindAddress: string, deployment: string): NonNullable<TelemetryOptions['metrics']> {
  return {
    globalTags: { deployment },
    attachServiceName: false,
    prometheus: {
      bindAddress,
      // As the SDK's documentation writes the names, and as Prometheus asks for.
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
      histogramBucketOverrides: { ...BUCKETS },
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((settle, fail) => {
    server.once('error', fail);
    server.listen(0, '127.0.0.1', settle);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((settle) => server.close(settle));
  return port;
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

/** Lines that tell of expected ends are left out at every level. */
function makeLogger(log: Log, logLevel: Settings['logLevel']): DefaultLogger {
  let quietUntil = 0;
  return new DefaultLogger(LEVEL_OF[logLevel], ({ level, message, meta }) => {
    if (EXPECTED.test(message)) return;
    if (!TRYING.test(message)) return log.tell(level.toLowerCase() as LogLevel, `${message}${reasonOf(message, meta)}`, meta);
    if (performance.now() < quietUntil) return;
    quietUntil = performance.now() + OUTAGE_NOTE_MS;
    log.tell('warn', 'the server does not answer; it is asked again until it does');
  });
}

/** Of the one line that ends the process, and of payloads that cannot be decrypted; what other lines carry may be content. */
function reasonOf(message: string, meta: LogMetadata | undefined): string {
  const error: unknown = meta?.['error'];
  const undecodable = codecErrorIn(error);
  if (undecodable !== undefined) return `: ${undecodable.message}`;
  return message === 'Worker failed' && error instanceof Error ? `: ${error.message}` : '';
}
