/**
 * Findings that travel inside a run: the result of a batch of local critics, the findings handed to one critic.
 * First details, then evidence are dropped, the longest first, and counted; what rules and gates can read always stays.
 * Pure: no Node.
 */
import { jsonBytes } from './bytes.js';
import type { Finding } from './finding.js';

export const MAX_BATCH_BYTES = 1_048_576;
export const MAX_HANDED_FINDINGS_BYTES = 524_288;

/**
 * @param records of critics, or anything else that carries findings.
 * @param maxBytes of the JSON form of the list.
 * @returns the records, how many details and lists of evidence were dropped, and whether that was enough.
 */
export function dropToFit<T extends { readonly finding?: Finding }>(
  records: readonly T[],
  maxBytes: number,
): { readonly records: readonly T[]; readonly dropped: number; readonly fits: boolean } {
  const { findings, dropped, fits } = drop(records.map((record) => record.finding), jsonBytes(records) - maxBytes);
  if (dropped === 0) return { records, dropped, fits };
  const kept = records.map((record, index) => {
    const finding = findings[index];
    return finding === undefined ? record : { ...record, finding };
  });
  return { records: kept, dropped, fits };
}

/** The same for findings by name, as a critic gets them. */
export function dropFindingsToFit(
  findings: Readonly<Record<string, Finding>>,
  maxBytes: number,
): { readonly findings: Readonly<Record<string, Finding>>; readonly dropped: number; readonly fits: boolean } {
  const named = Object.entries(findings);
  const left = drop(named.map(([, finding]) => finding), jsonBytes(findings) - maxBytes);
  const kept = Object.fromEntries(named.map(([name, finding], index) => [name, left.findings[index] ?? finding]));
  return { findings: kept, dropped: left.dropped, fits: left.fits };
}

function drop(given: readonly (Finding | undefined)[], excessBytes: number): { findings: (Finding | undefined)[]; dropped: number; fits: boolean } {
  const findings = [...given];
  let excess = excessBytes;
  let dropped = 0;
  for (const field of ['details', 'evidence'] as const) {
    const sized = findings.flatMap((finding, index) => (finding?.[field] === undefined ? [] : [{ finding, index, bytes: jsonBytes(finding[field]) }]));
    for (const { finding, index, bytes } of sized.toSorted((a, b) => b.bytes - a.bytes)) {
      if (excess <= 0) break;
      const { [field]: _, ...rest } = finding;
      findings[index] = rest;
      // `,"details":` goes with its value; severity and violations stay, so there is always a comma.
      excess -= bytes + field.length + 4;
      dropped += 1;
    }
  }
  return { findings, dropped, fits: excess <= 0 };
}
