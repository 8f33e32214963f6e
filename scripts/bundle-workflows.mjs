/** Bundles the compiled workflow code into the build, so that a worker starts without doing it. Run after `tsc`. */
import { writeFile } from 'node:fs/promises';
import { BUNDLE_FILE, bundleWorkflows } from '../dist/src/bundle.js';

const { code } = await bundleWorkflows();
await writeFile(BUNDLE_FILE, code);
