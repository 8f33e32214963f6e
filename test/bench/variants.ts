/** The three variants, each with a worker process of its own on one server, behind one interface. */
import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client, type Connection } from '@temporalio/client';
import { TribunalClient } from '../../src/client.js';
import { evaluationId, workflowQueue } from '../../src/contract.js';
import type { AnchorInput, AnchorResult } from './anchors/workflows.js';
import { PLAN } from './plan.js';
import { expectedRuns, request, type Kind } from './workload.js';

export const VARIANTS = ['ours', 'naive', 'floor'] as const;
export type VariantName = (typeof VARIANTS)[number];

export interface Variant {
  /** Starts one evaluation and waits for its result. @returns the workflow id. */
  evaluate(kind: Kind, sleepMs?: number): Promise<string>;
  /** CPU time of the worker process so far. */
  cpuMs(): Promise<number>;
  stop(): Promise<void>;
}

export interface VariantOptions {
  readonly name: VariantName;
  readonly address: string;
  readonly connection: Connection;
  /** File with the bundle of the variant's workflows. */
  readonly codePath: string;
  /** Times the usual number of critics. */
  readonly width: number;
}

export async function startVariant({ name, address, connection, codePath, width }: VariantOptions): Promise<Variant> {
  const queue = `bench-${name}-${randomUUID().slice(0, 8)}`;
  const child = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [name, address, queue, codePath, String(width)]);
  const gone = once(child, 'exit').then((): never => {
    throw new Error(`the worker process of ${name} has ended; what it said stands above`);
  });
  gone.catch(() => undefined);
  await Promise.race([answer(child, 'ready'), gone]);
  await untilPolled(connection, workflowQueue(queue));
  const evaluate = name === 'ours' ? await ours(connection, queue, width) : anchor(name, connection, queue, width);
  return {
    evaluate: (kind, sleepMs) => Promise.race([evaluate(kind, sleepMs), gone]),
    async cpuMs() {
      const told = answer(child, 'cpuMs');
      child.send('cpu');
      return Number(await Promise.race([told, gone]));
    },
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

async function ours(connection: Connection, deployment: string, width: number): Promise<Variant['evaluate']> {
  const client = await TribunalClient.connect({ connection, deployment });
  return async (kind, sleepMs) => {
    const key = randomUUID();
    const report = await client.evaluate({ ...request(kind, sleepMs), plan: PLAN, key });
    check('ours', kind, report.decision, report.metrics.executed, width);
    return evaluationId(report.tenant, key);
  };
}

function anchor(name: 'naive' | 'floor', connection: Connection, taskQueue: string, width: number): Variant['evaluate'] {
  const client = new Client({ connection });
  return async (kind, sleepMs) => {
    const workflowId = randomUUID();
    const options = { workflowId, taskQueue, args: [{ ...request(kind, sleepMs), width }] satisfies [AnchorInput] };
    const result = await client.workflow.execute<(input: AnchorInput) => Promise<AnchorResult>>(name, options);
    check(name, kind, result.decision, Object.keys(result.results).length, width);
    return workflowId;
  };
}

/** A figure of something that went wrong is worth nothing. */
function check(name: VariantName, kind: Kind, decision: string, ran: number, width: number): void {
  const expected = expectedRuns(kind, width);
  if (decision !== 'allow' || ran !== expected)
    throw new Error(`${name} ${kind}: ${decision} after ${ran} critics, expected allow after ${expected}`);
}

/** The next message of the child that has this field. */
async function answer(child: ChildProcess, field: string): Promise<unknown> {
  return await new Promise((resolve) => {
    const heard = (message: unknown): void => {
      if (typeof message !== 'object' || message === null || !(field in message)) return;
      child.off('message', heard);
      resolve(Object.entries(message).find(([name]) => name === field)?.[1]);
    };
    child.on('message', heard);
  });
}

/** A worker polls a moment after it says that it runs. */
export async function untilPolled(connection: Connection, queue: string, everyMs = 20): Promise<void> {
  for (;;) {
    const described = await connection.workflowService.describeTaskQueue({
      namespace: 'default',
      taskQueue: { name: queue },
      taskQueueType: 1,
    });
    if ((described.pollers ?? []).length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
