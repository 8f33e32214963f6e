/** The arithmetic of the bench: a figure is no better than it. */
import { describe, expect, it } from 'vitest';
import { interleaved, load, median, percentile, pick, ratio } from '../bench/measure.js';
import { billableActions } from '../bench/scenarios/history.js';
import { expectedRuns, judge, stagesOf } from '../bench/workload.js';

describe('the figures of the bench', () => {
  it('take a percentile from the values that were measured', () => {
    expect(percentile([30, 10, 20], 0.5)).toBe(20);
    expect(percentile([1, 2, 3, 4], 0.95)).toBe(4);
    expect(median([7])).toBe(7);
    expect(() => median([])).toThrow('nothing');
  });

  it('divide medians of all rounds and keep the least and the most of each round', () => {
    const figure = ratio('r', [[20], [30], [40]], [[20], [20], [20]], 1.2);
    expect(figure).toMatchObject({ value: 1.5, spread: [1, 2], goal: 1.2, samples: 3 });
  });

  it('leave the critical path out of both sides of a ratio', () => {
    expect(ratio('r', [[150]], [[180]], undefined, 120).value).toBe(0.5);
  });

  it('come from rounds in which no side is always the first', async () => {
    const order: string[] = [];
    const results = await interleaved(['a', 'b', 'c'], 3, async (side) => order.push(side));
    expect(order.join('')).toBe('abcbcacab');
    expect(pick(results, 'a')).toHaveLength(3);
  });

  it('come from exactly as many calls as were asked for, at most so many at once', async () => {
    let running = 0;
    let most = 0;
    let calls = 0;
    await load(7, 3, async () => {
      calls += 1;
      most = Math.max(most, (running += 1));
      await Promise.resolve();
      running -= 1;
    });
    expect({ calls, most }).toEqual({ calls: 7, most: 3 });
  });
});

describe('the workload of the bench', () => {
  it('is ten critics in six stages, three of which run whatever the risk', () => {
    expect(stagesOf(1).map(({ critics }) => critics.length)).toEqual([1, 2, 3, 2, 1, 1]);
    expect(expectedRuns('full', 1)).toBe(10);
    expect(expectedRuns('gated', 1)).toBe(3);
    expect(expectedRuns('full', 4)).toBe(40);
  });

  it('has findings of 300 bytes', async () => {
    expect(JSON.stringify(await judge({ context: { sleepMs: 0 } }))).toHaveLength(300);
  });
});

describe('billable actions', () => {
  it('are the start, every attempt, each task with local activities once, upserts and timers', () => {
    const marker = (task: number) => ({ markerRecordedEventAttributes: { workflowTaskCompletedEventId: task } });
    const events = [
      marker(4),
      marker(4),
      { activityTaskStartedEventAttributes: { attempt: 3 } },
      { activityTaskStartedEventAttributes: { attempt: 1 } },
      marker(9),
      { timerStartedEventAttributes: {} },
      { upsertWorkflowSearchAttributesEventAttributes: {} },
    ];
    expect(billableActions(events)).toBe(1 + 2 + 4 + 1 + 1);
  });
});
