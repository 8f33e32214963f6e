/** `tribunal cancel`: asks an evaluation to end; what was judged by then is kept. */
import type { Command } from 'commander';
import { onRun, type Call, type Cli } from './command.js';
import { connectClient } from './connect.js';
import { EXIT } from './exit.js';

export function addCancel(program: Command, cli: Cli): void {
  const command = program
    .command('cancel')
    .description('cancel a running evaluation')
    .argument('<id>', '<tenant>/<key>, or the key alone for the tenant "default"');
  onRun(command, cli, runCancel);
}

async function runCancel({ options, args, io, output }: Call<unknown>): Promise<number> {
  const connected = await connectClient(options, io.env);
  try {
    const handle = connected.client.handle(args[0] ?? '');
    await handle.cancel();
    if (output.json) output.object({ evaluationId: handle.evaluationId, cancelRequested: true });
    else output.line(`${handle.evaluationId} was asked to end: tribunal show ${handle.evaluationId} shows what was judged`);
    return EXIT.ok;
  } finally {
    await connected.close();
  }
}
