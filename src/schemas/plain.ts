/** Whether a value is plain JSON of bearable size, before any schema looks at it. */
import { isWellFormed } from './json.js';
import type { Issue } from './issues.js';

/** No plan needs more; a parser that recurses is safe up to here. */
export const MAX_DEPTH = 64;
/** A plan of a thousand critics has some ten thousand. */
const MAX_VALUES = 200_000;

interface Open {
  readonly value: unknown;
  readonly path: readonly (string | number)[];
}

export interface PlainCheck {
  readonly issues: readonly Issue[];
  /** Not too deep and not too large: what recurses over the value comes back. */
  readonly bounded: boolean;
}

/**
 * Numbers that JSON cannot hold, functions, class instances, texts without a UTF-8 form, `__proto__` as a name, nesting beyond {@link MAX_DEPTH}
 * (which a cycle ends in too), and lists of lists that aliases blow up.
 */
export function checkPlain(root: unknown): PlainCheck {
  const unbounded = (path: Issue['path'], message: string): PlainCheck => ({ issues: [{ path, message }], bounded: false });
  const issues: Issue[] = [];
  const open: Open[] = [{ value: root, path: [] }];
  let count = 0;
  // Grows while it is walked: level by level, so that issues come in the order of the source.
  for (const next of open) {
    count += 1;
    if (count > MAX_VALUES) return unbounded([], `holds more than ${MAX_VALUES} values: aliases or lists blow it up`);
    if (next.path.length > MAX_DEPTH) return unbounded(next.path, `is nested more than ${MAX_DEPTH} levels deep`);
    const issue = scalarIssue(next);
    if (issue !== undefined) issues.push(issue);
    else open.push(...childrenOf(next, issues));
  }
  return { issues, bounded: true };
}

function scalarIssue({ value, path }: Open): Issue | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return { path, message: `must be a finite number, is ${value}` };
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint') {
    return { path, message: `is a ${typeof value}, which JSON cannot hold` };
  }
  if (typeof value === 'string' && !isWellFormed(value))
    return { path, message: 'holds half of a surrogate pair, which no UTF-8 text can hold' };
  return typeof value === 'object' && value !== null && !isPlain(value)
    ? { path, message: 'is not a plain object, so JSON cannot hold it' }
    : undefined;
}

/** Lists, and objects of literals in any realm: their prototype has none itself. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

function childrenOf({ value, path }: Open, issues: Issue[]): Open[] {
  if (Array.isArray(value)) return value.map((entry: unknown, index) => ({ value: entry, path: [...path, index] }));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, entry]) => {
    if (key !== '__proto__' && isWellFormed(key)) return [{ value: entry as unknown, path: [...path, key] }];
    issues.push({ path: [...path, key], message: 'cannot be the name of anything', atKey: true });
    return [];
  });
}
