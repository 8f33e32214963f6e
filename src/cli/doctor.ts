/** `tribunal doctor`: looks at a server and says what stands in the way of evaluations, and what is only slower. */
import { Client, type Connection } from '@temporalio/client';
import type { Command } from 'commander';
import pc from 'picocolors';
import { missingSearchAttributes } from '../../temporal/setup.js';
import { workflowQueue } from '../contract.js';
import { lanesToHold } from '../lanes/deployment-state.js';
import { knownLanes } from '../lanes/known-lanes.js';
import { viewDeployment } from '../lanes/deployment-view.js';
import { freshPollers, QUEUE_KIND } from '../pollers.js';
import { safeText } from '../report/safe.js';
import { onRun, type Call, type Cli } from './command.js';
import { deploymentName, openConnection, serverOf } from './connect.js';
import { describeError, EXIT } from './exit.js';

interface Check {
  readonly name: string;
  /** `warn`: evaluations work, something about them is worse. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly message: string;
}

/** One answer of the server must come within this. */
const CALL_TIMEOUT_MS = 10_000;
const DAY_S = 86_400;
/** A retry of a request after this many days would be judged twice. */
const SHORT_RETENTION_DAYS = 7;

export function addDoctor(program: Command, cli: Cli): void {
  onRun(program.command('doctor').description('check the server and what evaluations need of it'), cli, runDoctor);
}

async function runDoctor({ options, io, output }: Call<unknown>): Promise<number> {
  const deployment = deploymentName(options, io.env);
  const server = await serverOf(options, io.env);
  const checks: Check[] = [];
  const about = `${server.connectionOptions.address} (${server.source})`;
  try {
    const connection = await openConnection(server);
    try {
      checks.push(
        { name: 'server', status: 'ok', message: `${about} answers` },
        ...(await checkServer(connection, server.namespace, deployment)),
      );
    } finally {
      await connection.close();
    }
  } catch (error) {
    checks.push({ name: 'server', status: 'fail', message: describeError(error).message });
  }
  if (output.json) for (const check of checks) output.object(check);
  else
    for (const { name, status, message } of checks) output.line(`${paint(status, output.color)} ${name.padEnd(18)} ${safeText(message)}`);
  return checks.some(({ status }) => status === 'fail') ? EXIT.error : EXIT.ok;
}

function paint(status: Check['status'], color: boolean): string {
  const colors = pc.createColors(color);
  return { ok: colors.green, warn: colors.yellow, fail: colors.red }[status](status.padEnd(4));
}

/** Each check alone: one that cannot be made says so and does not hide the others. */
async function checkServer(connection: Connection, namespace: string, deployment: string): Promise<Check[]> {
  const checks: readonly (readonly [name: string, look: () => Promise<Omit<Check, 'name'>>])[] = [
    ['version', () => version(connection)],
    ['retention', () => retention(connection, namespace)],
    ['search attributes', () => attributes(connection, namespace)],
    ['worker', () => workers(connection, namespace, deployment)],
    ['lanes', () => lanes(connection, namespace, deployment)],
    ['priority levels', () => priorityLevels(connection, namespace, deployment)],
    ['fairness', async () => FAIRNESS],
    ['clean shutdown', () => cleanShutdown(connection, namespace)],
    ['partitions', () => partitions(connection, namespace, deployment)],
  ];
  return await Promise.all(
    checks.map(async ([name, look]): Promise<Check> => {
      try {
        return { name, ...(await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, look)) };
      } catch (error) {
        return { name, status: 'fail', message: `could not be looked at: ${describeError(error).message}` };
      }
    }),
  );
}

async function version(connection: Connection): Promise<Omit<Check, 'name'>> {
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  return { status: 'ok', message: serverVersion || 'not told' };
}

async function retention(connection: Connection, namespace: string): Promise<Omit<Check, 'name'>> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / DAY_S;
  const message = `closed evaluations and their keys are kept for ${days} ${days === 1 ? 'day' : 'days'}`;
  return days < SHORT_RETENTION_DAYS
    ? { status: 'warn', message: `${message}: a request that comes again later is judged again` }
    : { status: 'ok', message };
}

async function attributes(connection: Connection, namespace: string): Promise<Omit<Check, 'name'>> {
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length === 0) return { status: 'ok', message: 'all there' };
  return { status: 'fail', message: `${missing.join(', ')} missing: run \`tribunal setup\`` };
}

async function workers(connection: Connection, namespace: string, deployment: string): Promise<Omit<Check, 'name'>> {
  const found = await freshPollers(connection, namespace, workflowQueue(deployment), 'workflow');
  if (found.length > 0) return { status: 'ok', message: `${deployment}: ${found.join(', ')}` };
  return {
    status: 'warn',
    message: `none of ${deployment} polls: nothing can be judged until \`tribunal worker\` or \`tribunal dev\` runs`,
  };
}

/** Limited lanes wait for as long as nobody owns them. */
async function lanes(connection: Connection, namespace: string, deployment: string): Promise<Omit<Check, 'name'>> {
  const { state, owners } = await viewDeployment(new Client({ connection, namespace }), deployment);
  const queues = [...new Set(lanesToHold(state).map((lane) => lane.queue))];
  const alone = knownLanes(deployment, state).flatMap(({ name, lane: { queue } }) =>
    queues.includes(queue) && !owners.has(queue) ? [name] : [],
  );
  if (alone.length > 0)
    return { status: 'warn', message: `nobody owns ${alone.join(', ')}: critics of limited lanes wait until a worker does` };
  const identities = new Set(queues.map((queue) => owners.get(queue)?.identity ?? ''));
  return {
    status: 'ok',
    message: queues.length === 0 ? 'none is limited' : `${queues.length} limited, owned by ${[...identities].join(', ')}`,
  };
}

/** The server tells the default key of a queue, which is the middle of its levels: 5 of 10, 3 of 5. */
async function priorityLevels(connection: Connection, namespace: string, deployment: string): Promise<Omit<Check, 'name'>> {
  const queue = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: workflowQueue(deployment) },
    taskQueueType: QUEUE_KIND.activity,
    reportStats: true,
  });
  return levelsOf(Object.keys(queue.statsByPriorityKey ?? {}).map(Number));
}

/** @param keys of the queue that the server counts by. */
export function levelsOf(keys: readonly number[]): Omit<Check, 'name'> {
  if (keys.includes(5) || keys.some((key) => key > 5)) return { status: 'ok', message: '10 levels' };
  if (keys.includes(3))
    return {
      status: 'warn',
      message:
        '5 levels: write `priorityLevels: 5` into tribunal.yaml, and priorities 1-2, 3-4, 5-6 and 7-10 have a level each and background the last; or set matching.priorityLevels to 10',
    };
  return { status: 'warn', message: 'the server does not tell; without levels urgent critics wait behind others' };
}

/** No answer of the server says it. */
const FAIRNESS: Omit<Check, 'name'> = {
  status: 'ok',
  message:
    'the server does not tell whether tenants take turns: `tribunal dev` has it on; elsewhere set matching.enableFairness, or on Temporal Cloud fairness of the namespace',
};

async function cleanShutdown(connection: Connection, namespace: string): Promise<Omit<Check, 'name'>> {
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  if (namespaceInfo?.capabilities?.workerPollCompleteOnShutdown === true)
    return { status: 'ok', message: 'polls of a worker that stops are ended' };
  return {
    status: 'warn',
    message: 'a worker that stops can lose a task until its time-out: set frontend.enableCancelWorkerPollsOnShutdown',
  };
}

async function partitions(connection: Connection, namespace: string, deployment: string): Promise<Omit<Check, 'name'>> {
  const { activityTaskQueuePartitions } = await connection.workflowService.listTaskQueuePartitions({
    namespace,
    taskQueue: { name: workflowQueue(deployment) },
  });
  const count = activityTaskQueuePartitions?.length ?? 0;
  if (count === 1) return { status: 'ok', message: 'one a task queue: order and rates are exact' };
  return {
    status: 'warn',
    message: `${count} a task queue: order and rates hold for each alone; one is exact (matching.numTaskqueueReadPartitions and …WritePartitions)`,
  };
}
