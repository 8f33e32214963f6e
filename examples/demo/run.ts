/**
 * `npm run demo`: real records judged by a staged plan on a real Temporal server, in three situations.
 * Starts its own server, whatever `TEMPORAL_ADDRESS` says, and ends by itself when nobody is at the terminal.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import pc from 'picocolors';
import { uiAddress } from '../../src/cli/connect.js';
import { TribunalClient } from '../../src/client.js';
import { makeRegistry } from '../../src/critics/registry.js';
import type { Plan } from '../../src/domain/plan.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import type { EvaluationHandle, EvaluationRecord } from '../../src/index.js';
import { formatProblem, loadPlan } from '../../src/plan-loader.js';
import { reportText } from '../../src/report/text.js';
import { createTribunalWorker } from '../../src/worker.js';
import { ensureTemporalCli } from '../../temporal/binary.js';
import { startDevServer } from '../../temporal/dev-server.js';
import { chat, outage } from './plans.js';
import { startService, type Service } from './service.js';

const root = join(import.meta.dirname, '..', '..');
const isTerminal = process.stdout.isTTY === true;
const colour = isTerminal && process.env['NO_COLOR'] === undefined;
const say = (line = ''): void => void process.stdout.write(`${line}\n`);
const title = (text: string): void => say(`\n${colour ? pc.bold(text) : text}\n${'─'.repeat(text.length)}`);

interface Stage {
  readonly client: TribunalClient;
  readonly address: string;
  readonly uiUrl: string | undefined;
  readonly service: Service;
  readonly down: Service;
}

/** The record of a file under `examples/records/` with this key. */
function recordOf(file: string, key: string): EvaluationRecord {
  const lines = readFileSync(join(root, 'examples', 'records', file), 'utf8')
    .trim()
    .split('\n');
  const found = lines.map((line) => JSON.parse(line) as EvaluationRecord).find((record) => record.key === key);
  if (found === undefined) throw new Error(`${file} has no record ${key}`);
  const { key: _key, ...record } = found;
  return record;
}

/** One line for each critic that ends, as long as the evaluation runs. */
async function follow(handle: EvaluationHandle): Promise<EvaluationReport> {
  const result = handle.result();
  let done = false;
  void result.catch(() => undefined).finally(() => (done = true));
  const seen = new Set<string>();
  while (!done) {
    const progress = await handle.progress().catch(() => undefined);
    for (const { name, stage, outcome } of progress?.ended ?? []) {
      if (!seen.has(name) && !done && outcome !== 'gated') say(`  ${stage}/${name}: ${outcome.replace('_', ' ')}`);
      seen.add(name);
    }
    await Promise.race([result.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 250))]);
  }
  return await result;
}

async function judge(stage: Stage, what: string, start: Parameters<TribunalClient['start']>[0]): Promise<EvaluationReport> {
  const handle = await stage.client.start(start);
  say(`${what}: ${handle.evaluationId}`);
  if (stage.uiUrl !== undefined) say(`  see it: ${uiAddress(stage.uiUrl, 'default', handle.evaluationId)}`);
  return await follow(handle);
}

const indent = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? line : `  ${line}`))
    .join('\n');

async function lowRisk(stage: Stage): Promise<void> {
  title('1  An ordinary chat answer: two quick critics look, the other eight are gated');
  const record = recordOf('chat.jsonl', 'arena-cc977fe52865');
  const gated = await judge(stage, 'with gating', { ...record, plan: 'chat', riskTier: 'low' });
  say(indent(reportText(gated, { color: colour })));
  const all = await judge(stage, 'the same record with gating off', { ...record, plan: 'chat', riskTier: 'low', gating: 'off' });
  const row = (name: string, report: EvaluationReport): string =>
    `  ${name.padEnd(12)} ${report.decision.padEnd(9)} ${`${report.metrics.executed} of ${report.coverage.planned}`.padEnd(9)} ${String(report.metrics.cost.spent).padStart(5)} ${`${Math.round(report.metrics.totalMs)} ms`.padStart(9)}`;
  say(`\n  ${''.padEnd(12)} ${'verdict'.padEnd(9)} ${'critics'.padEnd(9)} ${'cost'.padStart(5)} ${'time'.padStart(9)}`);
  say(row('gated', gated));
  say(row('gating off', all));
  say('  (cost in weights of the plan; both measured in this run)');
}

async function highRisk(stage: Stage): Promise<void> {
  title('2  An attack: the quick critics find something, so the dear ones run, and people have to decide');
  const record = recordOf('injection.jsonl', 'pl-injection-0');
  const report = await judge(stage, 'high risk', { ...record, plan: 'chat', riskTier: 'high' });
  say(indent(reportText(report, { color: colour })));
}

async function outages(stage: Stage): Promise<void> {
  title('3  A service that hangs, and one that is down');
  const record = recordOf('chat.jsonl', 'arena-cc977fe52865');
  say('The first service hangs twice: each attempt is cut after 1 s, the next follows after 2 s, then 4 s.');
  const hanging = await judge(stage, 'hangs twice', { ...record, plan: 'hangs_twice' });
  const critic = hanging.critics.find((one) => one.name === 'judge');
  say(`  ${hanging.decision} after ${critic?.attempts ?? 0} attempts and ${(hanging.metrics.totalMs / 1000).toFixed(1)} s`);
  say('\nThe second one stays down. What could not be judged is not allowed:');
  stage.down.down = true;
  const start = { ...record, plan: 'stays_down', key: `demo-outage-${Date.now()}` };
  const failed = await judge(stage, 'stays down', start);
  say(indent(reportText(failed, { color: colour })));
  if (failed.reset === undefined) throw new Error('a failed evaluation names no event to reset to');
  const args = [
    'workflow',
    'reset',
    '--workflow-id',
    failed.evaluationId,
    '--event-id',
    String(failed.reset.keepSiblings),
    '--reason',
    'service is back',
  ];
  say('\nThe service comes back, and an operator resets the run to just before the failure; what was judged is kept:');
  say(`  temporal ${args.map((arg) => (arg.includes(' ') ? `"${arg}"` : arg)).join(' ')}`);
  stage.down.down = false;
  await promisify(execFile)(await ensureTemporalCli(), [...args, '--address', stage.address]);
  const mended = await stage.client.handle(failed.evaluationId).result();
  say(`  ${failed.decision.replace('_', ' ')} → ${mended.decision}, the same evaluation, the same address in the UI`);
}

async function loadPlans(service: Service, down: Service, registry: ReturnType<typeof makeRegistry>): Promise<Map<string, Plan>> {
  const sources = [chat(service.url), outage('hangs_twice', `${service.url}/hangs-twice`, 2), outage('stays_down', `${down.url}/judge`, 1)];
  const plans = new Map<string, Plan>();
  for (const source of sources) {
    const loaded = await loadPlan({ object: source, name: 'examples/demo/plans.ts' }, registry);
    if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
    plans.set(loaded.plan.name, loaded.plan);
  }
  return plans;
}

async function main(): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined) });
  const folder = join(root, '.tribunal', 'demo');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  say('starting a Temporal server, its UI and a worker …');
  const server = await startDevServer({ dbFile: join(folder, 'temporal.db'), progress: say });
  const [service, down] = [await startService(), await startService()];
  const registry = makeRegistry();
  const plans = await loadPlans(service, down, registry);
  const connection = await NativeConnection.connect({ address: server.address });
  const worker = await createTribunalWorker({
    deployment: { name: 'demo', plans, registry, priorityLevels: 10 },
    // The services run on this machine.
    hosts: ['127.0.0.1'],
    connection,
    namespace: 'default',
  });
  const running = worker.run();
  const clientConnection = await Connection.connect({ address: server.address });
  const client = await TribunalClient.connect({ connection: clientConnection, deployment: 'demo' });
  try {
    const stage: Stage = { client, address: server.address, uiUrl: server.uiUrl, service, down };
    say(`server ${server.address}${server.uiUrl !== undefined ? `, UI ${server.uiUrl}` : ''}`);
    await lowRisk(stage);
    await highRisk(stage);
    await outages(stage);
    if (isTerminal) await untilKey(server.uiUrl);
  } finally {
    worker.shutdown();
    await running;
    await clientConnection.close();
    await connection.close();
    await Promise.all([service.close(), down.close()]);
    await server.stop();
  }
}

async function untilKey(uiUrl: string | undefined): Promise<void> {
  say(`\nLook around${uiUrl !== undefined ? ` at ${uiUrl}` : ''}. Enter or Ctrl-C ends the demo.`);
  await new Promise<void>((resolve) => {
    process.stdin.once('data', () => resolve());
    process.once('SIGINT', () => resolve());
  });
  process.stdin.pause();
}

await main();
