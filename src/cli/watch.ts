/** `tribunal watch`: follows an evaluation until it ends, then shows its report. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { onRun, type Call, type Cli } from './command.js';
import { connectClient } from './connect.js';
import { EXIT } from './exit.js';
import { progressText } from './progress-text.js';
import { progressOf, showEnd } from './show.js';
import { listenForStop } from './signals.js';

/** Often enough to look alive; each is one query of a worker. */
const REFRESH_MS = 500;
/** A closed evaluation answers at once. */
const CLOSED_TIMEOUT_MS = 10_000;

export function addWatch(program: Command, cli: Cli): void {
  const command = program
    .command('watch')
    .description('follow an evaluation until it ends')
    .argument('<id>', '<tenant>/<key>, or the key alone for the tenant "default"');
  onRun(command, cli, runWatch);
}

async function runWatch({ options, args, io, output }: Call<unknown>): Promise<number> {
  const connected = await connectClient(options, io.env);
  const stop = listenForStop();
  const progress = await output.progress();
  try {
    const handle = connected.client.handle(args[0] ?? '');
    const ui = connected.uiOf(handle.evaluationId);
    if (ui !== undefined) output.note(ui);
    while ((await handle.status()).status === 'running') {
      progress.show(progressText(handle.evaluationId, await progressOf(handle)));
      await sleep(REFRESH_MS, undefined, { signal: stop.signal }).catch(() => undefined);
      if (stop.signal.aborted) return EXIT.started;
    }
    progress.end();
    return await showEnd(handle, connected, output, CLOSED_TIMEOUT_MS);
  } finally {
    progress.end();
    stop.release();
    await connected.close();
  }
}
