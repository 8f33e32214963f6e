/** A worker for the workflow beside this file, and one run of it. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import * as activities from './activities.js';
import type { answerCustomer } from './workflows.js';

const [text = 'Thank you, your order is on its way.', plan = 'polite'] = process.argv.slice(2);
const address = process.env['TEMPORAL_ADDRESS'] ?? 'localhost:7233';
const deployment = process.env['TRIBUNAL_DEPLOYMENT'] ?? 'own-critic';
const taskQueue = `answers-${randomUUID()}`;

const native = await NativeConnection.connect({ address });
const connection = await Connection.connect({ address });
const worker = await Worker.create({
  connection: native,
  taskQueue,
  activities,
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
});
const client = new Client({ connection });
const ended = await worker.runUntil(
  client.workflow.execute<typeof answerCustomer>('answerCustomer', {
    taskQueue,
    workflowId: taskQueue,
    args: [{ text, plan, deployment }],
  }),
);
process.stdout.write(`${ended}\n`);
await connection.close();
await native.close();
