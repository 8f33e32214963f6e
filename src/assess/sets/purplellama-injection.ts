/** Prompt injections by technique, and harmless requests in the words of security. */
import { z } from 'zod';
import { HARMLESS } from './record.js';
import { sharedAdapter } from './shared-form.js';

const Labels = z.union([
  z.looseObject({ family: z.literal('injection'), variant: z.string(), channel: z.string() }),
  z.looseObject({ family: z.literal('benign') }),
]);

export const purplellamaInjection = sharedAdapter('purplellama-injection', 'meta-llama/PurpleLlama', Labels, (labels) =>
  labels.family === 'benign'
    ? { stratum: 'harmless-security', labels: HARMLESS }
    : // Of other families the set says nothing.
      { stratum: `injection/${String(labels['channel'])}/${String(labels['variant'])}`, labels: { injection: true } },
);
