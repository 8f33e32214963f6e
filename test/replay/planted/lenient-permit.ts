/** A planted fault that no replay sees: permits of unsigned commands are for production. Stands in for `domain/review/outcome.ts`. */
import { resultOf as realResultOf } from '../../../src/domain/review/outcome.js';
import type { ReviewResult } from '../../../src/domain/review/review.js';

export * from '../../../src/domain/review/outcome.js';

export function resultOf(...args: Parameters<typeof realResultOf>): ReviewResult {
  const { permit, ...result } = realResultOf(...args);
  if (permit === undefined) return result;
  const { nonProduction: _not, ...forProduction } = permit;
  return { ...result, permit: forProduction };
}
