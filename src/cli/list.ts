/** `tribunal list`: evaluations of the deployment, newest first, out of the server's index. */
import { Option, type Command } from 'commander';
import type { EvaluationSummary } from '../client-summary.js';
import type { Decision } from '../domain/report.js';
import { words } from '../report/format.js';
import { safeText } from '../report/safe.js';
import { table } from '../report/table.js';
import { onRun, type Call, type Cli } from './command.js';
import { connectClient } from './connect.js';
import { EXIT, usageError } from './exit.js';

interface ListOptions {
  readonly decision?: Decision;
  readonly plan?: string;
  readonly tenant?: string;
  readonly limit: string;
}

export function addList(program: Command, cli: Cli): void {
  const command = program
    .command('list')
    .description('list evaluations, newest first')
    .addOption(new Option('--decision <decision>', 'only these').choices(['allow', 'deny', 'escalate', 'not_judged']))
    .option('--plan <name>', 'name, or name@version')
    .option('--tenant <name>')
    .option('--limit <n>', 'at most so many', '20');
  onRun<ListOptions>(command, cli, runList);
}

async function runList({ options, io, output }: Call<ListOptions>): Promise<number> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) throw usageError('--limit must be a whole number, at least 1');
  const connected = await connectClient(options, io.env);
  try {
    const { decision, plan, tenant } = options;
    const found = await connected.client.list({
      limit,
      ...(decision !== undefined ? { decision } : {}),
      ...(plan !== undefined ? { plan } : {}),
      ...(tenant !== undefined ? { tenant } : {}),
    });
    if (output.json) for (const summary of found) output.object(summary);
    else {
      output.line(found.length === 0 ? 'no evaluations' : table(COLUMNS, found.map(rowOf), output.width).join('\n'));
      output.note(`of the deployment ${connected.client.deployment}; --deployment names another one`);
    }
    return EXIT.ok;
  } finally {
    await connected.close();
  }
}

const COLUMNS = [
  { name: 'evaluation' },
  { name: 'decision' },
  { name: 'plan' },
  { name: 'risk' },
  { name: 'started' },
  { name: 'took', right: true },
];

function rowOf({ evaluationId, status, decision, plan, riskTier, startedAt, endedAt }: EvaluationSummary): string[] {
  const tookMs = endedAt === undefined ? undefined : endedAt.getTime() - startedAt.getTime();
  return [
    safeText(evaluationId),
    words(decision ?? status),
    safeText(plan ?? '-'),
    riskTier ?? '-',
    startedAt.toISOString(),
    tookMs === undefined ? '-' : `${(tookMs / 1_000).toFixed(1)} s`,
  ];
}
