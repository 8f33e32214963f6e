/**
 * Makes the findings handed to one critic fit their size limit: first details, then evidence are dropped, the longest
 * first, and counted; what rules and gates can read always stays. Pure.
 */
import { jsonBytes } from './bytes.js';
import type { Finding } from './finding.js';

/** Beside 256 KB of content, with room to a payload's 2 MB. */
export const MAX_HANDED_FINDINGS_BYTES = 524_288;

/**
 * @param maxBytes of the JSON form of all findings together.
 * @returns the findings, how many details and lists of evidence were dropped, and whether that was enough.
 */
export function dropFindingsToFit(
  findings: Readonly<Record<string, Finding>>,
  maxBytes: number,
): { readonly findings: Readonly<Record<string, Finding>>; readonly dropped: number; readonly fits: boolean } {
  const kept = new Map(Object.entries(findings));
  let excess = jsonBytes(findings) - maxBytes;
  let dropped = 0;
  for (const field of ['details', 'evidence'] as const) {
    const sized = [...kept].flatMap(([name, finding]) =>
      finding[field] === undefined ? [] : [{ name, bytes: jsonBytes(finding[field]) }],
    );
    for (const { name, bytes } of sized.toSorted((a, b) => b.bytes - a.bytes)) {
      const finding = kept.get(name);
      if (excess <= 0 || finding === undefined) break;
      const { [field]: _, ...rest } = finding;
      kept.set(name, rest);
      // `,"details":` goes with its value; severity and violations stay, so there is always a comma.
      excess -= bytes + field.length + 4;
      dropped += 1;
    }
  }
  return { findings: Object.fromEntries(kept), dropped, fits: excess <= 0 };
}
