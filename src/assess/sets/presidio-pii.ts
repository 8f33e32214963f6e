/** Sentences with made-up personal data, every item marked. */
import { z } from 'zod';
import { textPath } from './record.js';
import { sharedAdapter } from './shared-form.js';

/** Types that have a form of their own; names, places and the like take more than a pattern. */
const WITH_FORM: ReadonlySet<string> = new Set(['CREDIT_CARD', 'US_SSN', 'IBAN_CODE', 'EMAIL_ADDRESS', 'IP_ADDRESS', 'PHONE_NUMBER']);

const Labels = z.looseObject({
  level: z.enum(['high', 'contact', 'mention', 'none']),
  spans: z.array(z.looseObject({ type: z.string(), start: z.int().min(0), end: z.int().min(1) })),
});

export const presidioPii = sharedAdapter('presidio-synthetic-pii', 'microsoft/presidio-research', Labels, ({ level, spans }, row) => ({
  stratum: `pii/${level}`,
  // Who merely mentions a name or a place gives away no personal data, says the set; spans tell the types apart.
  labels: { pii: level === 'high' || level === 'contact', pii_pattern: spans.some(({ type }) => WITH_FORM.has(type)) },
  spans: spans.map(({ type, start, end }) => ({ type, start, end, path: textPath(row.response) })),
}));
