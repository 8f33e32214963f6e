/** What must hold of a finding beside its form. Messages name places and codes, never a text of the content. */
import { isDeepStrictEqual } from 'node:util';
import { cleanFinding } from '../critics/clean-finding.js';
import type { AnyCritic } from '../critics/critic.js';
import { textPieces } from '../critics/text.js';
import type { Finding, Json } from '../domain/finding.js';
import { CheckFailed } from './check.js';

/**
 * The finding in what a critic returned.
 * @throws CheckFailed when it is none, or when something of it would be dropped or changed on the way.
 */
export function expectClean(returned: unknown, critic: Pick<AnyCritic, 'output'> = {}): Finding {
  const cleaned = cleanFinding(returned, critic.output);
  if (!cleaned.ok) throw new CheckFailed(cleaned.message);
  expectWhole(returned, cleaned.finding);
  return cleaned.finding;
}

/** Fields that no finding has are dropped, and lone surrogates replaced: seldom what the author meant. */
export function expectWhole(returned: unknown, finding: Finding): void {
  // By way of JSON: a field that is there and undefined is no field.
  const plain: unknown = JSON.parse(JSON.stringify(returned));
  if (!isDeepStrictEqual(plain, finding))
    throw new CheckFailed('part of what it returned is no part of a finding, and is dropped or changed', 'warning');
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
