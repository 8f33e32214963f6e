/** A planted fault that no replay sees: every instant of a review comes a second late. Stands in for `domain/review/clock.ts`. */
import { nextDue as realNextDue } from '../../../src/domain/review/clock.js';

export * from '../../../src/domain/review/clock.js';

export function nextDue(...args: Parameters<typeof realNextDue>): ReturnType<typeof realNextDue> {
  const due = realNextDue(...args);
  return due === undefined ? undefined : { ...due, atMs: due.atMs + 1_000 };
}
