/** A worker in this process, from start to drained end: what `dev` and `worker` share. Loads the native module. */
import { NativeConnection, Runtime } from '@temporalio/worker';
import type { Deployment } from '../deployment.js';
import { readyGauge } from '../metrics.js';
import { formatProblem } from '../plan-loader.js';
import { safeText } from '../report/safe.js';
import type { ListenAddress } from '../schemas/listen-address.js';
import { SECRET_PREFIX, type ServerConnection, type Settings } from '../settings.js';
import { createTribunalWorker, type TribunalWorker } from '../worker.js';
import { ServerUnreachable } from '../client-errors.js';
import type { NamedConverter } from './connect.js';
import type { Log } from './log.js';
import { openProbes, type Probes } from './probes.js';
import { installRuntime } from './runtime.js';
import type { StopSignal } from './signals.js';

export interface Serve {
  readonly deployment: Deployment;
  readonly connectionOptions: ServerConnection;
  readonly namespace: string;
  readonly converter?: NamedConverter;
  readonly shutdownGraceMs: number;
  /** Commands on reviews need no signature. */
  readonly insecureReviews: boolean;
  /** Where closed evaluations and reviews are kept. */
  readonly archive?: string;
  readonly logLevel: Settings['logLevel'];
  /** Where critics find their secrets, by name. */
  readonly env: NodeJS.ProcessEnv;
  readonly stop: StopSignal;
  readonly log: Log;
  /** Where to tell metrics and answer probes. Default: nowhere. */
  readonly metrics?: ListenAddress;
  /** Called when the worker is about to poll. */
  readonly ready: (worker: { readonly lanes: number; readonly metrics?: string }) => void;
}

/** Polls until the stop signal and what runs has ended. */
export async function serve(options: Serve): Promise<void> {
  const { deployment, log, logLevel, metrics } = options;
  const exporter = await installRuntime({ log, logLevel, ...(metrics !== undefined ? { metricsOf: deployment.name } : {}) });
  if (metrics === undefined || exporter === undefined) return await poll(options);
  let worker: TribunalWorker | undefined;
  const gauge = readyGauge(Runtime.instance().metricMeter);
  const probes = await openProbes(metrics, {
    exporter,
    states: () => worker?.states() ?? [],
    beforeScrape: (isReady) => gauge.set(Number(isReady)),
  });
  try {
    await poll(options, probes, (made) => (worker = made));
  } finally {
    await probes.close();
  }
}

async function poll(options: Serve, probes?: Probes, made?: (worker: TribunalWorker) => void): Promise<void> {
  const { deployment, connectionOptions, namespace, converter, shutdownGraceMs, insecureReviews, archive, env, stop, log, ready } = options;
  for (const warning of deployment.warnings) log.note(safeText(formatProblem(warning)), 'warn');
  if (converter !== undefined) log.note(safeText(`what Temporal records goes through ${converter.name}`));
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
      insecureReviews,
      ...(archive !== undefined ? { archive } : {}),
      // Of a prefix of their own: whoever can schedule a critic could otherwise ask for any variable of this process.
      secrets: (name) => env[`${SECRET_PREFIX}${name}`],
      log: (level, message) => log.tell(level, message),
      ...(probes !== undefined ? { meter: Runtime.instance().metricMeter } : {}),
    });
    made?.(worker);
    const running = worker.run();
    const drain = (): void => {
      log.note(`stopping: what runs has ${shutdownGraceMs / 1_000} s to end; a second signal ends it at once`);
      worker.shutdown();
    };
    if (stop.signal.aborted) drain();
    else stop.signal.addEventListener('abort', drain, { once: true });
    ready({ lanes: worker.lanes.length, ...(probes !== undefined ? { metrics: `${probes.url}/metrics` } : {}) });
    await running;
  } finally {
    Runtime.instance().flushLogs();
    // A Worker that failed may hold it for ever; the process ends all the same.
    await connection.close().catch(() => undefined);
  }
}
