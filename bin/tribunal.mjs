#!/usr/bin/env node
/** The command `tribunal`. Stands in the repository, so that npx finds it in a clone before anything was built. */
import { existsSync } from 'node:fs';

const main = new URL('../dist/src/cli.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('tribunal: not built yet: run `npm run build` in its folder first\n');
  process.exit(1);
}
