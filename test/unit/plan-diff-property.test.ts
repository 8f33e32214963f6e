/** The direction that a change is given, against what the two plans make of the same cases. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { diffPlans, type Change } from '../../src/domain/plan-diff.js';
import type { Decision } from '../../src/domain/report.js';
import { decisionOf, pairs, runsOfCases } from './plan-diff-fixture.js';

const RANK: Readonly<Record<Decision, number>> = { allow: 0, escalate: 1, not_judged: 2, deny: 3 };

const isOnly = (changes: readonly Change[], direction: Change['direction']): boolean =>
  changes.every((change) => change.direction === direction || change.direction === 'neither');

/** A fallback takes a failure away and brings a finding: what is stopped with and without it may be so for a graver reason. */
const isOfFallback = ({ text }: Change): boolean => text.includes('fallback for');

it('what is only stricter decides no case lower than before, and what is only looser none higher', async () => {
  const moved = { up: 0, down: 0 };
  await fc.assert(
    fc.asyncProperty(pairs, runsOfCases, async ({ a, b }, cases) => {
      const { changes } = diffPlans(a, b);
      const [isStricter, isLooser] = [isOnly(changes, 'stricter'), isOnly(changes, 'looser')];
      if (!isStricter && !isLooser) return;
      const most = changes.some(isOfFallback) ? RANK.escalate : RANK.deny;
      for (const one of cases) {
        const [before, after] = [Math.min(most, RANK[await decisionOf(a, one)]), Math.min(most, RANK[await decisionOf(b, one)])];
        const told = changes.map(({ text, direction }) => `${text} [${direction}]`).join('; ');
        if (isStricter) expect(after, told).toBeGreaterThanOrEqual(before);
        if (isLooser) expect(after, told).toBeLessThanOrEqual(before);
        if (after > before) moved.up += 1;
        if (after < before) moved.down += 1;
      }
    }),
    { numRuns: 800 },
  );
  expect(Math.min(moved.up, moved.down)).toBeGreaterThan(20);
}, 60_000);
