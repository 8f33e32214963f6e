/**
 * What a critic is judged for: which families of labels it answers, and which kinds of marked spans its codes mean. Pure.
 *
 * First what the command line says (`--judges critic=family`), then the plan (`tags: ["judges:injection"]`), then the table
 * by implementation, then a label family of the implementation's own name. A critic for which none of these says anything is
 * run and counted, and gets no precision and recall.
 */
import type { Finding, Violation } from '../domain/finding.js';
import type { PlanCritic } from '../domain/plan.js';
import { HARMS } from './sets/record.js';

/**
 * `any`: any violation speaks for each of these families. `codes`: a violation speaks for the family that its code names.
 */
export type Judges =
  | { readonly by: 'any'; readonly families: readonly string[] }
  | { readonly by: 'codes'; readonly families?: readonly string[] };

/** When a finding counts as flagged. Absent: one violation or more. */
export type FlagRule = { readonly severityFrom?: number };

const TAG = 'judges:';

const OF_IMPLEMENTATION: Readonly<Record<string, Judges>> = {
  pii: { by: 'any', families: ['pii', 'pii_pattern'] },
  secrets: { by: 'any', families: ['secrets'] },
  prompt_injection: { by: 'any', families: ['injection'] },
  // A list of words finds what is crude, whatever it is aimed at.
  profanity: { by: 'any', families: ['toxicity', 'harassment', 'hate', 'sexual'] },
  moderation: { by: 'codes', families: ['toxicity', ...HARMS] },
  llm_judge: { by: 'codes' },
};

/** Codes that are written otherwise than the family they mean. */
const FAMILY_OF_CODE: Readonly<Record<string, string>> = {
  'prompt-injection': 'injection',
  personal: 'pii',
  'personal-data': 'pii',
  secret: 'secrets',
};

/** `hate/threatening`, `hate_threatening` and `Hate Threatening` are one. */
export const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');

const HARM_NAMES: ReadonlySet<string> = new Set(HARMS.map(plain));

/** @param named from the command line, by the critic's name. */
export function judgesOf(
  critic: Pick<PlanCritic, 'name' | 'uses' | 'tags'>,
  named: ReadonlyMap<string, readonly string[]>,
  known: ReadonlySet<string>,
): Judges | undefined {
  const said = named.get(critic.name) ?? critic.tags.filter((tag) => tag.startsWith(TAG)).map((tag) => tag.slice(TAG.length));
  if (said.includes('codes')) return { by: 'codes' };
  if (said.length > 0) return { by: 'any', families: said };
  const table = Object.hasOwn(OF_IMPLEMENTATION, critic.uses) ? OF_IMPLEMENTATION[critic.uses] : undefined;
  if (table !== undefined) return table;
  return known.has(critic.uses) ? { by: 'any', families: [critic.uses] } : undefined;
}

/** The families to score: those of the table, else those that some code of its findings names. */
export function familiesOf(judges: Judges, findings: readonly (Finding | undefined)[], known: readonly string[]): string[] {
  if (judges.families !== undefined) return judges.families.filter((family) => known.includes(family));
  const codes = new Set(findings.flatMap((finding) => finding?.violations.map(({ code }) => code) ?? []));
  return known.filter((family) => [...codes].some((code) => speaksFor(code, family)));
}

/** Whether the finding says that the record is of the family. */
export function isFlagged(judges: Judges, finding: Finding, family: string, { severityFrom }: FlagRule): boolean {
  const strong = (severity: number): boolean => severityFrom === undefined || severity >= severityFrom;
  if (judges.by === 'any') return severityFrom === undefined ? finding.violations.length > 0 : strong(finding.severity);
  return finding.violations.some(({ code, severity = finding.severity }) => speaksFor(code, family) && strong(severity));
}

function speaksFor(code: string, family: string): boolean {
  const name = plain(code);
  const means = FAMILY_OF_CODE[name] ?? name;
  return means === plain(family) || (family === 'toxicity' && HARM_NAMES.has(means));
}

/** Types of marked spans by code; both in {@link plain} form. What is not listed means the type of its own name. */
const TYPE_OF_CODE: Readonly<Record<string, string>> = {
  email: 'email-address',
  iban: 'iban-code',
  phone: 'phone-number',
  ip: 'ip-address',
  ssn: 'us-ssn',
  card: 'credit-card',
};

/** The type of span that a violation speaks of. */
export function spanTypeOf({ code }: Violation): string {
  const name = plain(code);
  return TYPE_OF_CODE[name] ?? name;
}
