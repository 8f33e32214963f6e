/** `tribunal setup`: registers what evaluations write to the index; safe to run twice. */
import type { Command } from 'commander';
import { setupNamespace } from '../../temporal/setup.js';
import { onRun, type Call, type Cli } from './command.js';
import { openConnection, serverOf } from './connect.js';
import { EXIT, usageError } from './exit.js';

interface SetupOptions {
  readonly create?: boolean;
  readonly retentionDays?: string;
}

export function addSetup(program: Command, cli: Cli): void {
  const command = program
    .command('setup')
    .description('register the search attributes in a namespace')
    .option('--create', 'make the namespace when there is none of this name')
    .option('--retention-days <n>', 'how long a namespace that is made keeps closed evaluations, and with them their keys (default: 30)');
  onRun<SetupOptions>(command, cli, runSetup);
}

async function runSetup({ options, io, output }: Call<SetupOptions>): Promise<number> {
  const retentionDays = options.retentionDays === undefined ? undefined : Number(options.retentionDays);
  if (retentionDays !== undefined && (!Number.isInteger(retentionDays) || retentionDays < 1))
    throw usageError('--retention-days must be a whole number, at least 1');
  const server = await serverOf(options, io.env);
  const { namespace } = server;
  const connection = await openConnection(server);
  try {
    const { created, registered } = await setupNamespace(connection, namespace, {
      create: options.create === true,
      ...(retentionDays !== undefined ? { retentionDays } : {}),
    });
    if (output.json) output.object({ namespace, created, registered });
    else
      output.line(
        `namespace ${namespace}${created ? ' was made' : ''}: ${registered.length === 0 ? 'all search attributes were there' : `registered ${registered.join(', ')}`}`,
      );
    return EXIT.ok;
  } finally {
    await connection.close();
  }
}
