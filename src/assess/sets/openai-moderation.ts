/** OpenAI's moderation samples: eight categories, of which a row may have only some. One that is missing is unknown. */
import { z } from 'zod';
import { HARMS } from './record.js';
import { sharedAdapter } from './shared-form.js';

const Labels = z.looseObject({ categories: z.record(z.string(), z.union([z.literal(0), z.literal(1)])) });

export const openaiModeration = sharedAdapter('openai-moderation', 'openai/moderation-api-release', Labels, ({ categories }) => {
  const labels = Object.fromEntries(Object.entries(categories).map(([family, value]) => [family, value === 1]));
  const harmful = Object.values(labels).includes(true);
  // Only who looked at all eight can say that there is none.
  const complete = HARMS.every((family) => family in labels);
  return {
    stratum: `moderation/${harmful ? 'harmful' : complete ? 'harmless' : 'unscored'}`,
    labels: { ...labels, ...(harmful || complete ? { toxicity: harmful } : {}) },
  };
});
