/** Size of the code that every worker parses when it starts, without its source map. */
import { readFile } from 'node:fs/promises';
import type { Scenario } from '../scenario.js';

export const bundle: Scenario = {
  name: 'bundle',
  title: 'Workflow bundle',
  async run({ bundles }) {
    const [ours, empty] = [await codeBytes(bundles.ours), await codeBytes(bundles.empty)];
    return [
      { name: 'bundle, ours ÷ empty workflow', value: ours / empty, unit: 'x', goal: 1.9, samples: 1 },
      { name: 'bundle, ours', value: ours / 1_000, unit: 'KB', samples: 1 },
      { name: 'bundle, empty workflow', value: empty / 1_000, unit: 'KB', samples: 1 },
    ];
  },
};

async function codeBytes(file: string): Promise<number> {
  const code = await readFile(file, 'utf8');
  return Buffer.byteLength(code.replace(/^\/\/# sourceMappingURL=.*$/m, ''));
}
