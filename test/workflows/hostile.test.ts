/** Hostile critics on the real server, remote and local: each costs its own outcome and nothing else. */
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineCritic } from '../../src/critics/critic.js';
import type { Finding } from '../../src/domain/finding.js';
import { criticOf, makeHarness, type Harness } from '../support/harness.js';
import { strangeEvents } from '../support/history.js';
import { SECRET, SHAPES } from '../support/hostile-shapes.js';

const CONTENT = { text: 'dirty' };

const hostile = defineCritic<{ readonly shape: string }>({
  name: 'hostile',
  version: '1.0.0',
  options: z.strictObject({ shape: z.string() }),
  // What comes back is no finding, on purpose.
  evaluate: (input, tools) => SHAPES[tools.options.shape]?.act(input, tools) as Finding,
});

/** Finds what was really sent: 0.5 for it, 1 when a neighbour has changed it. */
const innocent = defineCritic({
  name: 'innocent',
  version: '1.0.0',
  async evaluate({ content, context }) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const isUnchanged = JSON.stringify({ content, context }) === JSON.stringify({ content: CONTENT, context: {} });
    return { severity: isUnchanged ? 0.5 : 1, violations: [] };
  },
});

/** One critic a shape, beside a neighbour that comes first by name and one that comes last. */
const planOf = (dispatch: 'activity' | 'local') => ({
  plan: dispatch === 'local' ? 'at_home' : 'remote',
  version: 1,
  defaults: { maxRetries: 0, attemptTimeout: '1s', dispatch },
  timeouts: { global: '60s' },
  critics: Object.fromEntries([
    ['a_neighbour', { uses: 'innocent', stage: 'core_analysis' }],
    ...Object.keys(SHAPES).map((shape) => [shape, { uses: 'hostile', stage: 'core_analysis', with: { shape } }]),
    ['z_neighbour', { uses: 'innocent', stage: 'core_analysis' }],
    ['afterwards', { uses: 'innocent', stage: 'validation' }],
  ]),
  verdict: { otherwise: 'allow' },
});

const GOOD = {
  plan: 'good',
  version: 1,
  timeouts: { global: '60s' },
  critics: {
    remote: { uses: 'innocent', stage: 'core_analysis' },
    at_home: { uses: 'innocent', stage: 'core_analysis', dispatch: 'local' },
  },
  verdict: { otherwise: 'allow' },
};

describe('hostile critics', () => {
  let harness: Harness;
  const lines: string[] = [];
  // The test runner would take what critics leave behind for errors of the test; in a worker process nobody else listens.
  const kept = (['unhandledRejection', 'uncaughtException'] as const).map((event) => ({ event, listeners: process.rawListeners(event) }));
  beforeAll(async () => {
    for (const { event } of kept) process.removeAllListeners(event);
    harness = await makeHarness({
      plans: [planOf('activity'), planOf('local'), GOOD],
      critics: [hostile, innocent],
      log: (_level, message) => lines.push(message),
    });
  });
  afterAll(async () => {
    await harness.close();
    for (const { event, listeners } of kept)
      for (const listener of listeners) process.on(event, (...args: unknown[]) => void Reflect.apply(listener, process, args));
  });

  it.each([
    { where: 'remote', plan: 'remote' },
    { where: 'local', plan: 'at_home' },
  ])('that are $where cost their own outcome: neighbours succeed, the worker lives, nothing is allowed', async ({ plan }) => {
    const report = await harness.client.evaluate({ plan, content: CONTENT });
    expect(report.decision).not.toBe('allow');
    const ends = Object.fromEntries(
      Object.keys(SHAPES).map((shape) => {
        const { outcome, finding } = criticOf(report, shape);
        return [shape, outcome === 'succeeded' ? finding?.severity : outcome];
      }),
    );
    const expected = Object.fromEntries(Object.entries(SHAPES).map(([shape, { end }]) => [shape, end]));
    // Every activity has a content of its own, so that changing it harms nobody; it is refused all the same.
    expect(ends).toEqual(expected);
    for (const name of ['a_neighbour', 'z_neighbour', 'afterwards']) {
      expect(criticOf(report, name), name).toMatchObject({ outcome: 'succeeded', finding: { severity: 0.5 } });
    }
    const history = await harness.history(report.evaluationId);
    expect(strangeEvents(history)).toEqual([]);
    // Findings may say what they want; everything else is ours.
    const ours = JSON.stringify([report.reasons, report.critics.map(({ finding: _finding, ...rest }) => rest)]);
    const failures = JSON.stringify(history.flatMap((event) => event.activityTaskFailedEventAttributes?.failure ?? []));
    expect([ours.includes(SECRET), failures.includes(SECRET)]).toEqual([false, false]);
  });

  it('leave a worker that judges the next content as if nothing had been', async () => {
    const report = await harness.client.evaluate({ plan: 'good', content: CONTENT });
    expect(report).toMatchObject({ decision: 'allow', coverage: { planned: 2, succeeded: 2 } });
  });

  it('are told of in the log when they leave an error behind, without what it says', async () => {
    await harness.client.evaluate({ plan: 'remote', content: CONTENT });
    expect(lines.filter((line) => line.includes('left an error behind')).length).toBeGreaterThanOrEqual(10);
    expect(lines.join('\n')).not.toContain(SECRET);
  });

  it('are at least forty', () => {
    expect(Object.keys(SHAPES).length).toBeGreaterThanOrEqual(40);
  });
});
