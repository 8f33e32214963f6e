/** Every hostile shape as a critic of a module, for threads to load. */
import { z } from 'zod';
import { defineCritic } from '../../../src/critics/critic.js';
import type { Finding } from '../../../src/domain/finding.js';
import { SHAPES } from '../hostile-shapes.js';

export const hostile = defineCritic<{ readonly shape: string }>({
  name: 'hostile',
  version: '1.0.0',
  options: z.strictObject({ shape: z.string() }),
  // What comes back is no finding, on purpose.
  evaluate: (input, tools) => SHAPES[tools.options.shape]?.act(input, tools) as Finding,
});

export default [hostile];
