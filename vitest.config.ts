/**
 * The tiers of the test suite, each to be run alone: `npx vitest run --project unit`.
 * What each one needs and which question it answers stands in `test/README.md`.
 */
import { defineConfig } from 'vitest/config';

interface Tier {
  readonly name: string;
  readonly include: string[];
  /** Started once for all tiers that ask for them. */
  readonly globalSetup: string[];
  readonly timeoutMs: number;
  /** Tiers of one number run beside each other, the lowest number first. */
  readonly order: number;
  /** One file at a time: the tier starts and kills processes of its own. */
  readonly alone: boolean;
}

const BUNDLE = './test/global-bundle.ts';
const SERVER = './test/global-server.ts';

const tiers: readonly Tier[] = [
  { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/*.test.ts'], globalSetup: [], timeoutMs: 30_000, order: 0, alone: false },
  { name: 'critics', include: ['test/critics/**/*.test.ts'], globalSetup: [], timeoutMs: 30_000, order: 0, alone: false },
  { name: 'activities', include: ['test/activities/**/*.test.ts'], globalSetup: [], timeoutMs: 30_000, order: 0, alone: false },
  { name: 'replay', include: ['test/replay/**/*.test.ts'], globalSetup: [BUNDLE], timeoutMs: 60_000, order: 1, alone: false },
  {
    name: 'workflows',
    include: ['test/workflows/**/*.test.ts'],
    globalSetup: [BUNDLE, SERVER],
    timeoutMs: 120_000,
    order: 1,
    alone: false,
  },
  { name: 'e2e', include: ['test/e2e/**/*.test.ts'], globalSetup: [BUNDLE, SERVER], timeoutMs: 180_000, order: 2, alone: true },
  // Not part of `npm test`: it takes minutes. `npm run test:faults`.
  { name: 'faults', include: ['test/faults/**/*.test.ts'], globalSetup: [SERVER], timeoutMs: 300_000, order: 3, alone: true },
];

export default defineConfig({
  test: {
    // The SDK's native module does not survive being loaded by two threads of one process.
    pool: 'forks',
    projects: tiers.map((tier) => ({
      extends: true as const,
      test: {
        name: tier.name,
        include: tier.include,
        globalSetup: tier.globalSetup,
        testTimeout: tier.timeoutMs,
        hookTimeout: tier.timeoutMs,
        sequence: { groupOrder: tier.order },
        ...(tier.alone ? { maxWorkers: 1 } : {}),
      },
    })),
  },
});
