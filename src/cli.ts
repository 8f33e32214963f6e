#!/usr/bin/env node
/** The command `tribunal`: hands the process to `cli/program.ts`. */
import { run } from './cli/program.js';

// A reader that has seen enough (`tribunal list | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

process.exitCode = await run(process.argv.slice(2), process);
