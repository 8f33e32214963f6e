/** A planted fault that no replay sees: a verdict for which a severe finding is no reason to deny. Stands in for `domain/verdict.ts`. */
import { decideVerdict as realVerdict, type Verdict } from '../../../src/domain/verdict.js';

export * from '../../../src/domain/verdict.js';

export function decideVerdict(...args: Parameters<typeof realVerdict>): Verdict {
  const verdict = realVerdict(...args);
  return verdict.decision === 'deny' ? { ...verdict, decision: 'escalate' } : verdict;
}
