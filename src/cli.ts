#!/usr/bin/env node
/** The command `tribunal`: hands the process to `cli/program.ts`. */
import { CliError, EXIT } from './cli/exit.js';
import { Output } from './cli/output.js';
import { run } from './cli/program.js';

const args = process.argv.slice(2);
let hasEnded = false;

// A module of critics or plans that ends the process must not pass for a command that found nothing wrong.
process.on('exit', () => {
  if (hasEnded) return;
  const message = 'the process was ended before the command had come to its end: look for process.exit in the modules of critics and plans';
  new Output(process, args.includes('--json')).error(new CliError(EXIT.error, 'ENDED_EARLY', message));
  process.exitCode = EXIT.error;
});

// Node itself tells of what nobody caught.
process.on('uncaughtExceptionMonitor', () => (hasEnded = true));

// A reader that has seen enough (`tribunal list | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  hasEnded = true;
  process.exit();
});

const exitCode = await run(args, process);
hasEnded = true;
// What still waits for a server that is gone must not keep the process.
process.exit(exitCode);
