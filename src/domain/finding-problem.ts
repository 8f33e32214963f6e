/** A cheap second look at a finding inside the workflow, where the schema library is not. Pure. */

const inRange = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= 1;
const finite = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

/** What keeps a value from being a finding that rules may read, or `undefined`. */
export function findingProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'the finding is not an object';
  const finding = value as Record<string, unknown>;
  if (!inRange(finding['severity'])) return 'severity is not a number from 0 to 1';
  if (!Array.isArray(finding['violations'])) return 'violations is not a list';
  if (!finding['violations'].every(isViolation)) return 'a violation has no code';
  if (finding['uncertainty'] !== undefined && !inRange(finding['uncertainty'])) return 'uncertainty is not a number from 0 to 1';
  for (const name of ['score', 'value']) {
    if (finding[name] !== undefined && !finite(finding[name])) return `${name} is not a finite number`;
  }
  return undefined;
}

function isViolation(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)['code'] === 'string';
}
