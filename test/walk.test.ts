/** The walker with everything of the SDK replaced: order, cuts, budget, decisive rules, without a server. */
import { describe, expect, it } from 'vitest';
import type { CriticResult } from '../src/domain/outcomes.js';
import type { Plan, PlanCritic } from '../src/domain/plan.js';
import { decideVerdict } from '../src/domain/verdict.js';
import { deferred } from '../src/deferred.js';
import { runStages, Walk, type CriticCall } from '../src/workflows/walk.js';
import { critic, facts, plan } from './support/plans.js';

const ok = (severity = 0, codes: string[] = []): CriticResult => ({
  outcome: 'succeeded',
  finding: { severity, violations: codes.map((code) => ({ code, message: code })) },
  attempts: [{ class: 'ok', queuedMs: 0, ranMs: 1 }],
});
const broken: CriticResult = {
  outcome: 'failed',
  attempts: [{ class: 'permanent', queuedMs: 0, ranMs: 1 }],
  code: 'CRITIC_ERROR',
  message: 'threw',
};

/** A walk whose critics end when the test says so. */
class Stage {
  now = 0;
  length = 3;
  readonly calls: CriticCall[] = [];
  readonly ends = new Map<string, ReturnType<typeof deferred<CriticResult>>>();
  readonly walk: Walk;
  readonly done: Promise<void>;

  constructor(of: Plan, answers: Readonly<Record<string, CriticResult>> = {}, gating: 'on' | 'off' = 'on') {
    this.walk = new Walk(of, { ...facts, gating }, 'text', {
      now: () => this.now,
      historyLength: () => this.length,
      runBatch: () => Promise.reject(new Error('no local critics here')),
      runCritic: async (call) => {
        this.calls.push(call);
        const answer = answers[call.critic.name];
        if (answer !== undefined) return answer;
        const end = deferred<CriticResult>();
        this.ends.set(call.critic.name, end);
        return await end.promise;
      },
      cancelRunning: () => {
        for (const [name, end] of this.ends)
          if (!this.walk.records.has(name)) end.resolve({ outcome: 'cancelled', attempts: [], startedAt: 1, code: 'DECISIVE' });
      },
      changed: () => undefined,
    });
    this.done = runStages(this.walk);
  }

  /** Lets everything that can go on do so. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  async end(name: string, result: CriticResult): Promise<void> {
    this.length += 6;
    const end = this.ends.get(name);
    if (end === undefined) throw new Error(`${name} does not run`);
    end.resolve(result);
    await this.settle();
  }

  get started(): string[] {
    return this.calls.map((call) => call.critic.name);
  }

  outcomes(): Record<string, string> {
    return Object.fromEntries([...this.walk.records].map(([name, record]) => [name, record.outcome]));
  }
}

const chain: PlanCritic[] = [
  critic('a'),
  critic('b', { dependsOn: ['a'] }),
  critic('c'),
  critic('later', { stage: 'deep_analysis', dependsOn: ['b'] }),
];

describe('the walk', () => {
  it('starts a dependent as soon as its own dependencies have ended, not when the stage has', async () => {
    const stage = new Stage(plan(chain));
    await stage.settle();
    expect(stage.started).toEqual(['a', 'c']);
    await stage.end('a', ok());
    expect(stage.started).toEqual(['a', 'c', 'b']);
    await stage.end('b', ok());
    expect(stage.started).toEqual(['a', 'c', 'b']);
    await stage.end('c', ok());
    expect(stage.started).toEqual(['a', 'c', 'b', 'later']);
    await stage.end('later', ok());
    await stage.done;
  });

  it('hands a critic the findings of its own dependencies and of nobody else', async () => {
    const stage = new Stage(plan(chain), { a: ok(0.5, ['x']), b: ok(0.2), c: ok(0.9), later: ok() });
    await stage.done;
    expect(stage.calls.map((call) => [call.critic.name, Object.keys(call.findings)])).toEqual([
      ['a', []],
      ['c', []],
      ['b', ['a']],
      ['later', ['b']],
    ]);
  });

  it('starts ready critics in order of priority, then name', async () => {
    const stage = new Stage(
      plan([critic('z', { priority: 1 }), critic('b', { priority: 9 }), critic('a', { priority: 9 }), critic('m', { priority: 4 })]),
    );
    await stage.settle();
    expect(stage.started).toEqual(['z', 'm', 'a', 'b']);
  });

  it('skips what depends on a failed critic and does not pretend that it ran', async () => {
    const stage = new Stage(plan(chain), { a: broken, c: ok() });
    await stage.done;
    expect(stage.outcomes()).toEqual({ a: 'failed', b: 'skipped', c: 'succeeded', later: 'skipped' });
    expect(stage.walk.records.get('later')?.root).toBe('a');
  });

  it('gates what depends on a gated critic', async () => {
    const gated = critic('gated', { policy: 'on_high_risk' });
    const stage = new Stage(plan([gated, critic('after', { dependsOn: ['gated'] }), critic('free')]), { free: ok() });
    await stage.done;
    expect(stage.outcomes()).toEqual({ gated: 'gated', after: 'gated', free: 'succeeded' });
    expect(decideVerdict(stage.walk.plan, stage.walk.records, facts).decision).toBe('allow');
  });

  it('runs every critic with gating off', async () => {
    const stage = new Stage(
      plan([critic('gated', { policy: 'on_high_risk' }), critic('after', { dependsOn: ['gated'] })]),
      { gated: ok(), after: ok() },
      'off',
    );
    await stage.done;
    expect(stage.outcomes()).toEqual({ gated: 'succeeded', after: 'succeeded' });
  });

  it('never shows a gate what a quicker sibling found', async () => {
    const siblings = [critic('quick'), critic('slow'), critic('look', { policy: 'on_violation', dependsOn: ['slow'] })];
    const stage = new Stage(plan(siblings));
    await stage.settle();
    await stage.end('quick', ok(0.9, ['bad']));
    await stage.end('slow', ok());
    await stage.done;
    expect(stage.outcomes()['look']).toBe('gated');
  });

  it('cancels what runs and lists what had not begun when a decisive rule holds', async () => {
    const decisive = { effect: 'deny', when: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe', decisive: true } as const;
    const of = plan(chain, { verdict: { rules: [decisive], otherwise: 'allow' } });
    const stage = new Stage(of);
    await stage.settle();
    await stage.end('a', ok(0.95, ['bad']));
    await stage.done;
    expect(stage.outcomes()).toEqual({ a: 'succeeded', c: 'cancelled', b: 'cancelled', later: 'cancelled' });
    expect(stage.walk.records.get('c')?.startedAt).toBe(1);
    expect(stage.walk.records.get('later')?.startedAt).toBeUndefined();
    expect(decideVerdict(of, stage.walk.records, facts)).toMatchObject({ decision: 'deny', reasons: [{ rule: 'severe' }] });
  });

  it('gives a critic the least of what critic, stage and evaluation have left', async () => {
    const of = plan([critic('own', { timeoutMs: 1_000 }), critic('stage'), critic('deep', { stage: 'deep_analysis' })], {
      timeouts: { globalMs: 10_000, stagesMs: { core_analysis: 4_000 } },
    });
    const stage = new Stage(of);
    await stage.settle();
    expect(stage.calls.map((call) => call.scheduleToCloseMs)).toEqual([1_000, 4_000]);
    stage.now = 3_000;
    await stage.end('own', ok());
    await stage.end('stage', ok());
    expect(stage.calls[2]?.scheduleToCloseMs).toBe(7_000);
  });

  it('does not start a critic whose time was used up, and says so', async () => {
    const of = plan([critic('first'), critic('second', { dependsOn: ['first'] }), critic('third', { stage: 'validation' })], {
      timeouts: { globalMs: 10_000, stagesMs: { core_analysis: 4_000 } },
    });
    const stage = new Stage(of);
    await stage.settle();
    stage.now = 4_500;
    await stage.end('first', { outcome: 'timed_out', attempts: [{ class: 'timed_out', queuedMs: 0, ranMs: 4_500 }] });
    expect(stage.outcomes()).toEqual({ first: 'timed_out', second: 'skipped' });
    expect(stage.calls[1]?.scheduleToCloseMs).toBe(5_500);
  });

  it.each([
    ['ran', { class: 'timed_out', queuedMs: 0, ranMs: 9_950 }],
    ['waited for its next attempt, after HTTP_503', { class: 'transient', code: 'HTTP_503', queuedMs: 0, ranMs: 2 }],
  ] as const)('says what a critic did when the deadline came: it %s', async (what, attempt) => {
    const stage = new Stage(plan([critic('first')], { timeouts: { globalMs: 10_000, stagesMs: {} } }));
    await stage.settle();
    stage.now = 10_000;
    await stage.end('first', { outcome: 'timed_out', attempts: [attempt], code: 'CRITIC_TIMEOUT' });
    await stage.done;
    expect(stage.walk.records.get('first')?.message).toBe(`the time of the evaluation was used up while it ${what}`);
  });

  it('counts a limit that has cut a critic as used up, although the critic ended a little before it', async () => {
    const stage = new Stage(
      plan([critic('hangs'), critic('next', { stage: 'deep_analysis' })], { timeouts: { globalMs: 10_000, stagesMs: {} } }),
    );
    await stage.settle();
    stage.now = 9_970;
    await stage.end('hangs', {
      outcome: 'timed_out',
      attempts: [{ class: 'timed_out', queuedMs: 0, ranMs: 9_950 }],
      code: 'CRITIC_TIMEOUT',
    });
    await stage.done;
    expect(stage.outcomes()).toEqual({ hangs: 'timed_out', next: 'not_reached' });
    expect(stage.calls).toHaveLength(1);
  });

  it('does not count the hour between a failure and its reset as time used', async () => {
    const stage = new Stage(
      plan([critic('first'), critic('second', { stage: 'deep_analysis' })], { timeouts: { globalMs: 10_000, stagesMs: {} } }),
    );
    await stage.settle();
    stage.now = 3_600_000;
    await stage.end('first', ok());
    expect(stage.calls[1]?.scheduleToCloseMs).toBe(10_000);
  });

  it('names the event that re-runs only the failed critic, and the one that re-runs its stage', async () => {
    const stage = new Stage(plan([critic('good'), critic('bad')]));
    await stage.settle();
    await stage.end('good', ok());
    await stage.end('bad', broken);
    await stage.done;
    // History: 3 at the dispatch, 9 when `good` ended, 15 when `bad` failed.
    expect(stage.walk.reset).toEqual({ keepSiblings: 10, stageBoundary: 4 });
  });

  it('points a reset at what kept the run from a judgement, not at a failure that the plan ignores', async () => {
    const optional = critic('optional', { stage: 'fast_critics', onFailure: { failed: 'ignore' } });
    const stage = new Stage(plan([optional, critic('dear'), critic('broken', { stage: 'validation' })]));
    await stage.settle();
    await stage.end('optional', broken);
    await stage.end('dear', ok());
    await stage.end('broken', broken);
    await stage.done;
    // History: 3 at the start, 9 when `optional` failed, 15 when `dear` ended and `broken` was scheduled.
    expect(stage.walk.reset).toEqual({ keepSiblings: 16, stageBoundary: 16 });
  });

  it('spends a budget to the last bit, whatever the weights are in binary', async () => {
    const stage = new Stage(plan([critic('a', { costWeight: 0.1 }), critic('b', { costWeight: 0.2 })], { budget: { maxCost: 0.3 } }), {
      a: ok(),
      b: ok(),
    });
    await stage.done;
    expect(stage.outcomes()).toEqual({ a: 'succeeded', b: 'succeeded' });
  });

  it('leaves over budget what would run and is not covered, in plan order, and what a gate gives back serves later stages', async () => {
    const critics = [
      critic('dear', { costWeight: 5, policy: 'on_high_risk' }),
      critic('cheap', { costWeight: 2 }),
      critic('next', { costWeight: 3, stage: 'deep_analysis' }),
      critic('last', { costWeight: 1, stage: 'validation' }),
    ];
    const stage = new Stage(plan(critics, { budget: { maxCost: 5 } }), { cheap: ok(), next: ok() });
    await stage.done;
    expect(stage.outcomes()).toEqual({ dear: 'gated', cheap: 'succeeded', next: 'succeeded', last: 'over_budget' });
  });
});

describe('a fallback in the walk', () => {
  const spare = critic('b_spare', { fallbackFor: 'judge' });
  const critics = [critic('judge'), spare, critic('a_after', { dependsOn: ['judge'] })];

  it('starts when its critic has failed, and dependents of both wait for it and are given its finding', async () => {
    const stage = new Stage(plan(critics));
    await stage.settle();
    expect(stage.started).toEqual(['judge']);
    await stage.end('judge', broken);
    expect(stage.started).toEqual(['judge', 'b_spare']);
    await stage.end('b_spare', ok(0.4));
    expect(stage.started).toEqual(['judge', 'b_spare', 'a_after']);
    expect(stage.calls[2]?.findings).toEqual({ judge: { severity: 0.4, violations: [] } });
    await stage.end('a_after', ok());
    await stage.done;
    expect(stage.outcomes()).toEqual({ judge: 'failed', b_spare: 'succeeded', a_after: 'succeeded' });
    expect(decideVerdict(stage.walk.plan, stage.walk.records, facts).decision).toBe('allow');
  });

  it('does not start when its critic succeeded, with gating off too', async () => {
    for (const gating of ['on', 'off'] as const) {
      const stage = new Stage(plan(critics), { judge: ok(0.2), a_after: ok() }, gating);
      await stage.done;
      expect(stage.outcomes()).toEqual({ judge: 'succeeded', b_spare: 'gated', a_after: 'succeeded' });
      expect(stage.calls.at(-1)?.findings).toEqual({ judge: { severity: 0.2, violations: [] } });
    }
  });

  it('that fails too leaves the dependents skipped', async () => {
    const stage = new Stage(plan(critics), { judge: broken, b_spare: broken });
    await stage.done;
    expect(stage.outcomes()).toEqual({ judge: 'failed', b_spare: 'failed', a_after: 'skipped' });
    expect(decideVerdict(stage.walk.plan, stage.walk.records, facts).decision).toBe('not_judged');
  });

  it('goes on down a chain until one succeeds, over stages', async () => {
    const third = critic('third', { fallbackFor: 'b_spare', stage: 'validation' });
    const last = critic('last', { dependsOn: ['judge'], stage: 'validation' });
    const stage = new Stage(plan([critic('judge'), spare, third, last]), { judge: broken, b_spare: broken, third: ok(0.6), last: ok() });
    await stage.done;
    expect(stage.started).toEqual(['judge', 'b_spare', 'third', 'last']);
    expect(stage.calls[3]?.findings).toEqual({ judge: { severity: 0.6, violations: [] } });
  });

  it('does not start after a decisive rule', async () => {
    const decisive = { effect: 'deny', when: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe', decisive: true } as const;
    const of = plan([...critics, critic('severe')], { verdict: { rules: [decisive], otherwise: 'allow' } });
    const stage = new Stage(of);
    await stage.settle();
    await stage.end('severe', ok(0.95));
    await stage.done;
    expect(stage.outcomes()).toEqual({ severe: 'succeeded', judge: 'cancelled', b_spare: 'cancelled', a_after: 'cancelled' });
    expect(stage.started).not.toContain('b_spare');
  });

  it('is not reached when its critic used up the time', async () => {
    const stage = new Stage(plan(critics, { timeouts: { globalMs: 10_000, stagesMs: {} } }));
    await stage.settle();
    stage.now = 9_970;
    await stage.end('judge', {
      outcome: 'timed_out',
      attempts: [{ class: 'timed_out', queuedMs: 0, ranMs: 9_950 }],
      code: 'CRITIC_TIMEOUT',
    });
    await stage.done;
    expect(stage.outcomes()).toEqual({ judge: 'timed_out', b_spare: 'not_reached', a_after: 'skipped' });
    expect(decideVerdict(stage.walk.plan, stage.walk.records, facts).decision).toBe('not_judged');
  });

  it('keeps a reset from pointing at the critic that it covers, and not when it failed too', async () => {
    const of = plan([critic('judge'), spare, critic('broken', { stage: 'validation' })]);
    const covered = new Stage(of);
    await covered.settle();
    await covered.end('judge', broken);
    expect(covered.walk.reset).toEqual({ keepSiblings: 4, stageBoundary: 4 });
    await covered.end('b_spare', ok());
    expect(covered.walk.reset).toBeUndefined();
    await covered.end('broken', broken);
    await covered.done;
    // History: 3 at the start, 9 when `judge` failed, 15 when the fallback ended and `broken` was scheduled.
    expect(covered.walk.reset).toEqual({ keepSiblings: 16, stageBoundary: 16 });
    const both = new Stage(of, { judge: broken, b_spare: broken, broken });
    await both.done;
    expect(both.walk.reset).toEqual({ keepSiblings: 4, stageBoundary: 4 });
  });
});
