/**
 * `risk_signal` as it would judge records that it has not seen: each record by a model that was trained without it and its
 * fold. For `plans.ts` alone, which trains the models and names their file in the option `models`.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { readModel, signalOf, type WrittenModel } from '../../src/critics/risk-signal.js';
import { contentHash } from '../../src/digest.js';
import { defineCritic } from '../../src/index.js';

/** What `plans.ts` writes down. */
export interface HeldOut {
  /** By the hash of a content. */
  readonly folds: Readonly<Record<string, number>>;
  /** For each fold the model that has not seen it. */
  readonly models: Readonly<Record<string, readonly WrittenModel[]>>;
}

const options = z.object({ about: z.enum(['harm', 'injection']), field: z.string().optional(), models: z.string() });

const read = new Map<string, HeldOut>();

function heldOut(file: string): HeldOut {
  const known = read.get(file) ?? (JSON.parse(readFileSync(file, 'utf8')) as HeldOut);
  read.set(file, known);
  return known;
}

export default [
  defineCritic<z.output<typeof options>>({
    name: 'risk_signal_held_out',
    version: '1.0.0',
    options,
    evaluate({ content }, { options: { about, field, models }, ...tools }) {
      const { folds, models: byAbout } = heldOut(models);
      const model = byAbout[about]?.[folds[contentHash(content)] ?? -1];
      if (model === undefined) throw new Error('a record that is in no fold');
      return signalOf(content, readModel(model), field, tools);
    },
  }),
];
