/**
 * `node --import tsx test/bench/admission.ts [clients] [maxQueueSize] [seconds]`: floods a plan whose only place is taken
 * and prints how many more were let in than may wait, and how long a refusal takes. The server and the worker are its own.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime } from '@temporalio/worker';
import { bundleWorkflows } from '../../src/bundle.js';
import { OverloadedError, TribunalClient } from '../../src/client.js';
import { deploymentId } from '../../src/contract.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { loadPlan } from '../../src/plan-loader.js';
import { createTribunalWorker } from '../../src/worker.js';
import { startDevServer } from '../../temporal/dev-server.js';
import { percentile } from './measure.js';

const isWorker = process.send !== undefined;
const [clients = 2, maxQueueSize = 100, seconds = 20] = isWorker ? [] : process.argv.slice(2).map(Number);
/** Callers of one client that start one evaluation after another. */
const CALLERS = 8;
const PLAN = {
  plan: 'flooded',
  version: 1,
  timeouts: { global: '1h' },
  limits: { maxConcurrentCritics: 1, maxQueueSize },
  critics: { endless: { uses: 'scripted', stage: 'core_analysis', attemptTimeout: '1h', with: { hang: true } } },
  verdict: { rules: [], otherwise: 'allow' },
};

interface Tally {
  accepted: number;
  /** Milliseconds of each refusal. */
  readonly refusals: number[];
}

async function flood(client: TribunalClient, keyed: string | undefined, until: number): Promise<Tally> {
  const tally: Tally = { accepted: 0, refusals: [] };
  const caller = async (name: string): Promise<void> => {
    for (let times = 0; performance.now() < until; times += 1) {
      const begun = performance.now();
      try {
        await client.start({ plan: 'flooded', content: 'x', ...(keyed === undefined ? {} : { key: `${keyed}-${name}-${times}` }) });
        tally.accepted += 1;
      } catch (error) {
        if (!(error instanceof OverloadedError)) throw error;
        tally.refusals.push(performance.now() - begun);
        // As a caller that does not obey: at once, but others have their turn.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => caller(String(index))));
  return tally;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** A process of its own, so that the flood does not starve it; it ends with its parent. */
async function work(address: string, name: string, planText: string, codePath: string): Promise<void> {
  const telemetryOptions = { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } };
  Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR'), telemetryOptions });
  process.once('disconnect', () => process.exit());
  const registry = makeRegistry();
  const loaded = await loadPlan({ object: JSON.parse(planText), name: 'the bench' }, registry);
  if (!loaded.ok) throw new Error('the plan of the bench is wrong');
  const worker = await createTribunalWorker({
    deployment: { name, plans: new Map([['flooded', loaded.plan]]), registry, priorityLevels: 10 },
    connection: await NativeConnection.connect({ address }),
    namespace: 'default',
    bundle: { codePath },
  });
  await worker.run();
}

async function measure(address: string, codePath: string, keyed: string | undefined): Promise<void> {
  const name = keyed ?? 'none';
  const child = fork(fileURLToPath(import.meta.url), [address, name, JSON.stringify(PLAN), codePath], { execArgv: ['--import', 'tsx'] });
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.connect({ address })));
  const [first] = connections;
  if (first === undefined) throw new Error('at least one client is needed');
  const deployment = new Client({ connection: first }).workflow.getHandle(deploymentId(name));
  const isKnown = async (): Promise<boolean> => JSON.stringify((await deployment.describe()).memo).includes('flooded');
  while (!(await isKnown().catch(() => false)));
  const until = performance.now() + seconds * 1_000;
  const tallies = await Promise.all(
    connections.map(async (connection, index) =>
      flood(await TribunalClient.connect({ connection, deployment: name }), keyed && `${keyed}${index}`, until),
    ),
  );
  const accepted = tallies.reduce((sum, tally) => sum + tally.accepted, 0);
  const refusals = tallies.flatMap((tally) => tally.refusals);
  // One runs; all others wait, since nothing ends.
  const over = accepted - 1 - maxQueueSize;
  if (refusals.length === 0) throw new Error('nobody was refused: flood for longer, or let fewer wait');
  const [median, p99] = [0.5, 0.99].map((share) => percentile(refusals, share).toFixed(2));
  say(
    `${clients} clients of ${CALLERS} callers, ${seconds} s, maxQueueSize ${maxQueueSize}, keys of their own: ${keyed === undefined ? 'no' : 'yes'}`,
  );
  say(
    `  let in ${accepted} (${tallies.map((tally) => tally.accepted).join(' + ')}): ${over} too many, ${Math.round((over / maxQueueSize) * 100)} %`,
  );
  say(`  refused ${refusals.length}: median ${median} ms, p99 ${p99} ms`);
  child.disconnect();
  await Promise.all(connections.map((connection) => connection.close()));
}

if (isWorker) {
  const [address = '', name = '', planText = '', codePath = ''] = process.argv.slice(2);
  await work(address, name, planText, codePath);
} else {
  const server = await startDevServer({ uiPort: false });
  const folder = mkdtempSync(join(tmpdir(), 'tribunal-bench-'));
  try {
    const codePath = join(folder, 'bundle.cjs');
    writeFileSync(codePath, (await bundleWorkflows()).code);
    for (const keyed of [undefined, 'own']) await measure(server.address, codePath, keyed);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}
