/**
 * A worker process of one variant: tells its parent when it polls and, when asked, how much CPU it has used.
 * It ends with its parent.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { makeRegistry } from '../../src/critics/registry.js';
import { formatProblem, loadPlan } from '../../src/plan-loader.js';
import { createTribunalWorker } from '../../src/worker.js';
import { anchorActivities } from './anchors/activities.js';
import { planSource, probe } from './plan.js';

const [variant = '', address = '', queue = '', codePath = '', width = '1'] = process.argv.slice(2);

async function makeOurs(connection: NativeConnection): Promise<{ run(): Promise<void> }> {
  const registry = makeRegistry([{ critic: probe, from: 'the bench' }]);
  const loaded = await loadPlan({ object: planSource(Number(width)), name: 'the bench' }, registry);
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const deployment = { name: queue, plans: new Map([[loaded.plan.name, loaded.plan]]), registry, priorityLevels: 10 } as const;
  return await createTribunalWorker({ deployment, connection, namespace: 'default', bundle: { codePath } });
}

const makeAnchor = async (connection: NativeConnection): Promise<{ run(): Promise<void> }> =>
  await Worker.create({ connection, taskQueue: queue, workflowBundle: { codePath }, activities: anchorActivities });

Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address });
const worker = variant === 'ours' ? await makeOurs(connection) : await makeAnchor(connection);
process.once('disconnect', () => process.exit());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000 });
});
const running = worker.run();
process.send?.({ ready: true });
await running;
