/** Bundles the compiled workflow code into the build, so that a worker starts without doing it. Run after `tsc`. */
import { writeFile } from 'node:fs/promises';
import { BUNDLES, bundleWorkflows } from '../dist/src/bundle.js';

for (const { file, converters } of BUNDLES) {
  const { code } = await bundleWorkflows(converters);
  await writeFile(file, code);
}
