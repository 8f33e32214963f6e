/** A mix out of a JSON file. */
import { z } from 'zod';
import { parseWith, strict } from '../schemas/issues.js';
import { MixProblem, type WantedPart } from './mix.js';

const Share = z.number().gt(0);
const MixFile = z.record(
  z.string().min(1),
  z.union([Share, strict({ share: Share, strata: z.array(z.string().min(1)).min(1).optional() })]),
);

/** @throws MixProblem */
export function parseMixFile(file: string, text: string): WantedPart[] {
  const parsed = parseWith(MixFile, parsedJson(file, text));
  if (!parsed.ok) throw new MixProblem(parsed.issues.map(({ path, message }) => `${file}: ${path.join('.')} ${message}`).join('\n'));
  return Object.entries(parsed.value).map(([part, value]) => {
    if (typeof value === 'number') return { part, share: value };
    return { part, share: value.share, ...(value.strata !== undefined ? { strata: value.strata } : {}) };
  });
}

function parsedJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MixProblem(`${file}: is not JSON: write { "ordinary": 0.85, "risky": { "share": 0.15, "strata": ["injection"] } }`);
  }
}
