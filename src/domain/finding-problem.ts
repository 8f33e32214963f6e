/** A cheap second look at a finding inside the workflow, where the schema library is not. Pure. */

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const isFiniteNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const inRange = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value <= 1;
/** JSON has no `undefined`: a field that is absent is in order, one that is null is not. */
const absentOr = (test: (value: unknown) => boolean, value: unknown): boolean => value === undefined || test(value);
const isText = (value: unknown): boolean => typeof value === 'string';

/** What keeps a value from being a finding that rules may read and reports may show, or `undefined`. */
export function findingProblem(finding: unknown): string | undefined {
  if (!isObject(finding)) return 'the finding is not an object';
  const { severity, violations, uncertainty, score, value, evidence, cost } = finding;
  if (!inRange(severity)) return 'severity is not a number from 0 to 1';
  if (!Array.isArray(violations)) return 'violations is not a list';
  if (!violations.every(isViolation)) return 'a violation is not one';
  if (!absentOr(inRange, uncertainty)) return 'uncertainty is not a number from 0 to 1';
  if (!absentOr(isFiniteNumber, score)) return 'score is not a finite number';
  if (!absentOr(isFiniteNumber, value)) return 'value is not a finite number';
  if (!absentOr((list) => Array.isArray(list) && list.every(isText), evidence)) return 'evidence is not a list of texts';
  if (!isCost(cost)) return 'cost is not made of finite numbers';
  return undefined;
}

function isViolation(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { code, message, severity, span } = value;
  return isText(code) && isText(message) && absentOr(inRange, severity) && absentOr(isSpan, span);
}

function isSpan(value: unknown): boolean {
  return isObject(value) && isFiniteNumber(value['start']) && isFiniteNumber(value['end']) && absentOr(isText, value['path']);
}

/** Absent, or numbers that can be added up. */
export function isCost(value: unknown): boolean {
  return absentOr((cost) => isObject(cost) && ['usd', 'inputTokens', 'outputTokens'].every((field) => absentOr(isFiniteNumber, cost[field])), value);
}
