/**
 * `tribunal dev`: server, UI and worker in one, for one's own machine. It ignores `TEMPORAL_ADDRESS`: what is tried out
 * must never run in production. A server that runs already in this project is shared and left running.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Deployment } from '../deployment.js';
import type { DevServer } from '../../temporal/dev-server.js';
import { answers, findRunningServer, forgetRunningServer, recordRunningServer } from '../../temporal/running.js';
import { MAX_PORT } from '../schemas/listen-address.js';
import { safeText } from '../report/safe.js';
import { onRun, type Call, type Cli } from './command.js';
import { converterFor, deploymentName, settingsOf } from './connect.js';
import { CliError, EXIT, usageError } from './exit.js';
import type { Log } from './log.js';
import { addObservedOptions, observed, type Observed, type ObservedOptions } from './observed.js';
import type { Output } from './output.js';
import type { Serve } from './serve.js';
import { addReviewOptions, type ReviewOptions } from './review-options.js';
import { listenForStop } from './signals.js';
import { addDeploymentOptions, loadFrom, type WorkerOptions } from './worker.js';

interface DevOptions extends WorkerOptions, ObservedOptions, ReviewOptions {
  readonly port?: string;
  readonly uiPort?: string;
}

const DATABASE = join('.tribunal', 'temporal.db');
const NAMESPACE = 'default';
/** Somebody waits at the terminal; what is cut is taken up by the next `dev`. */
const DEV_GRACE_MS = 3_000;
/** How often a server of another process is looked at. */
const SHARED_LOOK_MS = 1_000;

export function addDev(program: Command, cli: Cli): void {
  const described = addDeploymentOptions(program.command('dev').description('run server, UI and worker on this machine'));
  const command = addReviewOptions(addObservedOptions(described))
    .option('--port <n>', 'port of the server (default: a free one)')
    .option('--ui-port <n>', 'port of the UI (default: a free one)');
  onRun<DevOptions>(command, cli, (call) => observed(call, runDev));
}

async function runDev({ options, io, output }: Call<DevOptions>, by: Observed): Promise<number> {
  if (options.address !== undefined || options.namespace !== undefined)
    throw usageError('dev starts a server of its own: for another one use `tribunal worker`');
  const settings = settingsOf(io.env);
  const shutdownGraceMs = io.env['TRIBUNAL_SHUTDOWN_GRACE'] ? settings.shutdownGraceMs : DEV_GRACE_MS;
  const stop = listenForStop();
  try {
    const converter = await converterFor(options, io.env);
    const deployment = await loadFrom(options, io.env);
    const server = await findOrStart(options, by.log);
    // A loss that comes before anybody waits for it is told by whatever fails for want of the server.
    server.lost.catch(() => undefined);
    try {
      if (!stop.signal.aborted)
        await serveOn(server, deployment, output, {
          shutdownGraceMs,
          insecureReviews: options.insecureDev === true,
          ...(options.archive !== undefined ? { archive: options.archive } : {}),
          logLevel: settings.logLevel,
          stop,
          env: io.env,
          ...by,
          ...(converter !== undefined ? { converter } : {}),
        });
    } finally {
      await server.close();
    }
    return EXIT.ok;
  } finally {
    stop.release();
  }
}

interface LocalServer {
  readonly address: string;
  readonly uiUrl?: string;
  /** Rejects when the server ends by itself, or with the process that it belongs to. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

async function findOrStart(options: DevOptions, log: Log): Promise<LocalServer> {
  const ports = { ...portOf('--port', 'port', options.port), ...portOf('--ui-port', 'uiPort', options.uiPort) };
  const running = await findRunningServer();
  if (running !== undefined) {
    log.note(`using the server that runs already at ${running.address}`);
    return { ...running, lost: lossOfShared(running.address), close: async () => undefined };
  }
  const { startDevServer } = await import('../../temporal/dev-server.js');
  const server = await startDevServer({ ...ports, dbFile: DATABASE, ownProcessGroup: true, progress: (line) => log.note(line) });
  recordRunningServer('.', server);
  let closing = false;
  return {
    address: server.address,
    ...(server.uiUrl !== undefined ? { uiUrl: server.uiUrl } : {}),
    lost: lossOf(server, () => closing),
    async close() {
      closing = true;
      forgetRunningServer('.', server.pid);
      await server.stop();
    },
  };
}

async function lossOf(server: DevServer, isClosing: () => boolean): Promise<never> {
  await server.exited;
  if (isClosing()) return await new Promise<never>(() => undefined);
  throw new CliError(EXIT.error, 'SERVER_LOST', `the server ended by itself: the end of ${DATABASE}.log says why`);
}

/** It comes back, if ever, at another port: whoever waits here would wait for ever. */
async function lossOfShared(address: string): Promise<never> {
  while (await answers(address)) await sleep(SHARED_LOOK_MS, undefined, { ref: false });
  throw new CliError(
    EXIT.error,
    'SERVER_LOST',
    `the server at ${address} has ended with the process that had started it: start this one again`,
  );
}

async function serveOn(
  server: LocalServer,
  deployment: Deployment,
  output: Output,
  rest: Pick<Serve, 'shutdownGraceMs' | 'insecureReviews' | 'archive' | 'logLevel' | 'env' | 'stop' | 'log' | 'metrics' | 'converter'>,
): Promise<void> {
  const { serve } = await import('./serve.js');
  const serving = serve({
    ...rest,
    deployment,
    connectionOptions: { address: server.address },
    namespace: NAMESPACE,
    ready({ metrics }) {
      const plans = [...deployment.plans.keys()].toSorted();
      if (output.json)
        output.object({
          ready: true,
          deployment: deployment.name,
          address: server.address,
          ...(server.uiUrl !== undefined ? { ui: server.uiUrl } : {}),
          plans,
          ...(metrics !== undefined ? { metrics } : {}),
          ...(rest.archive !== undefined ? { archive: rest.archive } : {}),
        });
      else if (rest.log.format === 'json') rest.log.note(`worker of ${deployment.name} at ${server.address}: plans ${plans.join(', ')}`);
      else output.line(welcome(server, { deployment: deployment.name, plans, metrics, archive: rest.archive }, rest.env));
    },
  });
  await Promise.race([serving, server.lost]);
}

interface Started {
  readonly deployment: string;
  readonly plans: readonly string[];
  readonly metrics: string | undefined;
  readonly archive: string | undefined;
}

function welcome(server: LocalServer, { deployment, plans, metrics, archive }: Started, env: NodeJS.ProcessEnv): string {
  const command = env['npm_command'] === 'exec' ? 'npx tribunal' : 'tribunal';
  // Elsewhere the name would be taken from the tribunal.yaml of that folder, or be the default one.
  const named = deploymentName({}, env) === deployment ? '' : ` --deployment ${deployment}`;
  return [
    `server  ${server.address}`,
    ...(server.uiUrl !== undefined ? [`UI      ${server.uiUrl}`] : []),
    `worker  ${deployment}: plans ${plans.join(', ')}`,
    ...(metrics !== undefined ? [`metrics ${metrics}`] : []),
    ...(archive !== undefined ? [safeText(`archive ${archive}`)] : []),
    '',
    'In another terminal:',
    `  ${command}${named} evaluate --plan ${plans[0] ?? 'NAME'} --content "Is this all right?"`,
    `  ${command}${named} list`,
    'Ctrl-C stops worker and server; what was judged is kept.',
  ].join('\n');
}

function portOf<Name extends string>(option: string, name: Name, text: string | undefined): Partial<Record<Name, number>> {
  if (text === undefined) return {};
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) throw usageError(`${option} must be a port from 1 to ${MAX_PORT}`);
  const ports: Partial<Record<Name, number>> = {};
  ports[name] = port;
  return ports;
}
