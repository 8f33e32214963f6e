/** What must hold of a finding beside its form. Messages name places and codes, never a text of the content. */
import { isDeepStrictEqual } from 'node:util';
import { cleanFinding } from '../critics/clean-finding.js';
import type { AnyCritic } from '../critics/critic.js';
import { textPieces } from '../critics/text.js';
import type { Finding, Json } from '../domain/finding.js';
import { CheckFailed } from './check.js';

/** Of names that an author chose: more than a sentence holds is a fault of another kind. */
const MAX_FIELDS = 5;
const MAX_FIELD_CHARS = 80;

/**
 * The finding in what a critic returned.
 * @throws CheckFailed when it is none, or when something of it would be dropped or changed on the way.
 */
export function expectClean(returned: unknown, critic: Pick<AnyCritic, 'output'> = {}): Finding {
  const cleaned = cleanFinding(returned, critic.output);
  if (!cleaned.ok) throw new CheckFailed(cleaned.message);
  expectNoForeign(foreignFields(returned, cleaned.finding));
  return cleaned.finding;
}

/**
 * The fields of what a critic returned that its finding lacks or has otherwise, such as `verdict` and `violations/span/line`:
 * fields that no finding has are dropped, and lone surrogates replaced.
 */
export function foreignFields(returned: unknown, finding: Finding): string[] {
  // By way of JSON: a field that is there and undefined is no field.
  return [...new Set(differences(JSON.parse(JSON.stringify(returned)), finding, []))];
}

/** Without the positions in lists: every violation is made in the same way. */
function differences(returned: unknown, kept: unknown, path: readonly string[]): string[] {
  if (isDeepStrictEqual(returned, kept)) return [];
  // Deeper names of other fields are data, and may be content.
  const isForm = path[0] === undefined || path[0] === 'violations' || path[0] === 'cost';
  if (!isForm || !isContainer(returned) || !isContainer(kept)) return [path.join('/')];
  const inner = Object.entries(returned).flatMap(([name, value]) =>
    differences(value, Object.hasOwn(kept, name) ? kept[name] : undefined, Array.isArray(returned) ? path : [...path, name]),
  );
  return inner.length > 0 ? inner : [path.join('/')];
}

const isContainer = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** Seldom what the author meant. @throws CheckFailed, as a warning, when there are any. */
export function expectNoForeign(fields: readonly string[]): void {
  if (fields.length === 0) return;
  const names = fields.slice(0, MAX_FIELDS).map((field) => field.slice(0, MAX_FIELD_CHARS) || 'the whole of it');
  const more = fields.length > names.length ? ` and ${fields.length - names.length} more` : '';
  throw new CheckFailed(
    `part of what it returned is no part of a finding, and is dropped or changed: ${names.join(', ')}${more}`,
    'warning',
  );
}

/**
 * Every span points at a part of a text that is there.
 * @throws CheckFailed
 */
export function expectSpansInside(finding: Finding, content: Json): void {
  const texts = new Map(textPieces(content).map(({ path, text }) => [path, text]));
  for (const [index, { span }] of finding.violations.entries()) {
    if (span === undefined) continue;
    const where = `the span of violation ${index}`;
    const text = texts.get(span.path ?? '');
    if (text === undefined) throw new CheckFailed(`${where} has a path at which the content has no text`);
    if (span.start >= span.end) throw new CheckFailed(`${where} is empty: start ${span.start}, end ${span.end}`);
    if (span.end > text.length)
      throw new CheckFailed(`${where} ends at ${span.end}, and the text there has ${text.length} UTF-16 code units`);
  }
}

/** What two answers for one content must have in common; cost, evidence and details may tell of the single call. */
export const essence = ({ severity, violations, score, value, uncertainty }: Finding): unknown => ({
  severity,
  violations,
  score,
  value,
  uncertainty,
});
