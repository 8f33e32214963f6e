#!/usr/bin/env node
/** The command `tribunal`: hands the process to `cli/program.ts`. */
import { run } from './cli/program.js';

// A reader that has seen enough (`tribunal list | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

// What still waits for a server that is gone must not keep the process.
process.exit(await run(process.argv.slice(2), process));
