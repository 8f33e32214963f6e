/**
 * A cheap second look at a finding inside the workflow, where the schema library is not; and the limits that both looks
 * share. Pure.
 */
import { jsonBytes } from './bytes.js';

/** Rules loop over violations: the cost bound of an expression counts with this number (`domain/cel-shapes.ts`). */
export const MAX_VIOLATIONS = 100;
/** Half of a finding: no rule reads them. */
export const MAX_DETAILS_BYTES = 8_192;
/** Whoever reads JSON by recursion, as `JSON.stringify` does, would exhaust the stack on much deeper values. */
const MAX_DETAILS_DEPTH = 64;
/** Of one attempt, in US dollars: sums over all attempts of a run stay finite, and a larger number is a mistake. */
export const MAX_USD = 1_000_000;
/** Of one attempt, in either direction: sums stay exact. */
export const MAX_TOKENS = 1_000_000_000_000;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isFiniteNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const upTo =
  (most: number) =>
  (value: unknown): boolean =>
    typeof value === 'number' && value >= 0 && value <= most;
const isShare = upTo(1);
/** JSON has no `undefined`: a field that is absent is in order, one that is null is not. */
const absentOr = (test: (value: unknown) => boolean, value: unknown): boolean => value === undefined || test(value);
const isText = (value: unknown): boolean => typeof value === 'string';

/** What keeps a value from being a finding that rules may read and reports may show, or `undefined`. */
export function findingProblem(finding: unknown): string | undefined {
  if (!isObject(finding)) return 'the finding is not an object';
  const { severity, violations, uncertainty, score, value, evidence, cost, details } = finding;
  if (!isShare(severity)) return 'severity is not a number from 0 to 1';
  if (!Array.isArray(violations) || violations.length > MAX_VIOLATIONS) return `violations is not a list of at most ${MAX_VIOLATIONS}`;
  if (!violations.every(isViolation)) return 'a violation is not one';
  if (!absentOr(isShare, uncertainty)) return 'uncertainty is not a number from 0 to 1';
  if (!absentOr(isFiniteNumber, score)) return 'score is not a finite number';
  if (!absentOr(isFiniteNumber, value)) return 'value is not a finite number';
  if (!absentOr((list) => Array.isArray(list) && list.every(isText), evidence)) return 'evidence is not a list of texts';
  if (!isCost(cost)) return 'cost is not made of numbers from 0 to their limits';
  // In this order: measuring reads by recursion.
  if (!isShallow(details)) return `details is nested deeper than ${MAX_DETAILS_DEPTH} levels`;
  if (jsonBytes(details) > MAX_DETAILS_BYTES) return `details has more than ${MAX_DETAILS_BYTES} bytes`;
  return undefined;
}

function isViolation(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { code, message, severity, span } = value;
  return isText(code) && isText(message) && absentOr(isShare, severity) && absentOr(isSpan, span);
}

function isSpan(value: unknown): boolean {
  return isObject(value) && isFiniteNumber(value['start']) && isFiniteNumber(value['end']) && absentOr(isText, value['path']);
}

/** Absent, or numbers that can be added up. */
export function isCost(value: unknown): boolean {
  if (value === undefined) return true;
  if (!isObject(value)) return false;
  const { usd, inputTokens, outputTokens } = value;
  return absentOr(upTo(MAX_USD), usd) && absentOr(upTo(MAX_TOKENS), inputTokens) && absentOr(upTo(MAX_TOKENS), outputTokens);
}

/** Level by level and not by recursion, which is what is to be kept safe. */
function isShallow(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= MAX_DETAILS_DEPTH; depth += 1) {
    const nested = level.filter(isObject);
    if (nested.length === 0) return true;
    level = nested.flatMap((one) => Object.values(one));
  }
  return false;
}
