/** The walk in this process against the ways in which workers take it: the same ends of critics, the same decision. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runLocalStages } from '../../src/activities/run-local-critics.js';
import type { CriticRegistry } from '../../src/critics/registry.js';
import { defineCritic } from '../../src/critics/critic.js';
import { makeRegistry } from '../../src/critics/registry.js';
import type { CriticOutcome, CriticRecord, CriticResult } from '../../src/domain/outcomes.js';
import { EXECUTION_POLICIES, RISK_TIERS, STAGES, type Plan, type PlanCritic, type RiskTier } from '../../src/domain/plan.js';
import { decideVerdict } from '../../src/domain/verdict.js';
import { deferred } from '../../src/deferred.js';
import { ContentRefused, evaluateInProcess, type RunCritic } from '../../src/in-process.js';
import { registryRunner } from '../../src/in-process-runner.js';
import { runStages, Walk } from '../../src/workflows/walk.js';
import { critic, facts, plan } from '../support/plans.js';

const ok = (severity = 0, codes: readonly string[] = [], uncertainty?: number): CriticResult => ({
  outcome: 'succeeded',
  finding: {
    severity,
    violations: codes.map((code) => ({ code, message: code })),
    ...(uncertainty !== undefined ? { uncertainty } : {}),
  },
  attempts: [{ class: 'ok', queuedMs: 0, ranMs: 1 }],
});
const ended = (outcome: CriticOutcome): CriticResult => ({ outcome, attempts: [{ class: 'permanent', queuedMs: 0, ranMs: 1 }] });

const outcomes = (records: ReadonlyMap<string, CriticRecord>): Record<string, string> =>
  Object.fromEntries([...records].map(([name, { outcome }]) => [name, outcome]));

const SEVERE = { effect: 'deny', when: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe', decisive: true } as const;

describe('an evaluation in this process', () => {
  it('runs local critics of a stage before the remote ones, each stage after the one before', async () => {
    const started: string[] = [];
    const of = plan([
      critic('early', { stage: 'pre_validation', dispatch: 'local' }),
      critic('remote', { stage: 'fast_critics' }),
      critic('local', { stage: 'fast_critics', dispatch: 'local', dependsOn: ['early'] }),
      critic('late', { stage: 'validation', dependsOn: ['remote'] }),
    ]);
    const { records, verdict } = await evaluateInProcess(
      { plan: of, content: 'x' },
      {
        runCritic: (one, findings) => {
          const { name } = one;
          expect(of.critics).toContain(one);
          started.push(`${name}(${Object.keys(findings).join()})`);
          return ok();
        },
      },
    );
    expect(started).toEqual(['early()', 'local(early)', 'remote()', 'late(remote)']);
    expect(verdict.decision).toBe('allow');
    expect(records.size).toBe(4);
  });

  it('ends with a decisive rule: what runs is told to stop and not waited for, what is later never starts', async () => {
    const stopped = deferred<string>();
    const of = plan(
      [
        critic('severe', { stage: 'fast_critics', dispatch: 'local' }),
        critic('hangs', { stage: 'fast_critics', dispatch: 'local' }),
        critic('beside', { stage: 'fast_critics' }),
        critic('later', { stage: 'validation' }),
      ],
      { verdict: { rules: [SEVERE], otherwise: 'allow' } },
    );
    const runCritic: RunCritic = async ({ name }, _, { signal }) => {
      if (name === 'severe') return ok(1, ['bad']);
      signal.addEventListener('abort', () => stopped.resolve(name));
      return await new Promise<never>(() => undefined);
    };
    const { records, verdict } = await evaluateInProcess({ plan: of, content: 'x' }, { runCritic });
    expect(await stopped.promise).toBe('hangs');
    expect(verdict).toMatchObject({ decision: 'deny', reasons: [{ rule: 'severe' }] });
    expect(outcomes(records)).toEqual({ severe: 'succeeded', hangs: 'cancelled', beside: 'cancelled', later: 'cancelled' });
  });

  it('has no verdict when what runs its critics throws, whatever the others say', async () => {
    const of = plan([critic('fine'), critic('throws')]);
    const runCritic: RunCritic = ({ name }) => {
      if (name === 'throws') throw new Error('the runner broke');
      return ok();
    };
    await expect(evaluateInProcess({ plan: of, content: 'x' }, { runCritic })).rejects.toThrow('the runner broke');
  });

  it('goes by the effective risk tier of the plan, and says how it came', async () => {
    const of = plan([critic('always_there'), critic('dear', { policy: 'on_high_risk' })], {
      risk: { default: 'low', floor: 'medium', atLeast: [{ tier: 'high', when: "has(context.domain) && context.domain == 'medical'" }] },
    });
    const ask = async (context: Record<string, string>, riskTier?: RiskTier) => {
      const result = await evaluateInProcess(
        { plan: of, content: 'x', context, ...(riskTier !== undefined ? { riskTier } : {}) },
        { runCritic: () => ok() },
      );
      return [result.facts.riskTier, result.risk.saidBy, result.records.get('dear')?.outcome];
    };
    expect(await ask({})).toEqual(['medium', 'default', 'gated']);
    expect(await ask({ domain: 'medical' })).toEqual(['high', 'default', 'succeeded']);
    expect(await ask({}, 'critical')).toEqual(['critical', 'caller', 'succeeded']);
  });

  it('refuses content that is larger than the plan takes', async () => {
    const of = plan([critic('one')], { limits: { maxConcurrentPerStage: {}, maxContentBytes: 10 } });
    await expect(evaluateInProcess({ plan: of, content: 'x'.repeat(20) }, { runCritic: () => ok() })).rejects.toThrow(ContentRefused);
  });

  it('counts time by the clock that it is handed: what has none left is not started', async () => {
    let now = 0;
    const of = plan([critic('slow'), critic('late', { stage: 'validation' })], { timeouts: { globalMs: 1_000, stagesMs: {} } });
    const runCritic: RunCritic = () => {
      now += 1_000;
      return ok();
    };
    const { records, report } = await evaluateInProcess({ plan: of, content: 'x' }, { runCritic, now: () => now });
    expect(outcomes(records)).toEqual({ slow: 'succeeded', late: 'not_reached' });
    expect(report()).toMatchObject({ decision: 'not_judged', metrics: { totalMs: 1_000 }, coverage: { planned: 2 } });
  });

  it('runs the implementations of a registry under the time-outs of the plan', async () => {
    const registry = makeRegistry([
      {
        from: 'this test',
        critic: defineCritic({ name: 'shouts', version: '1.0.0', evaluate: () => ({ severity: 0.4, violations: [] }) }),
      },
      { from: 'this test', critic: defineCritic({ name: 'hangs', version: '1.0.0', evaluate: () => new Promise<never>(() => undefined) }) },
    ]);
    const of = plan([
      critic('a', { uses: 'shouts' }),
      critic('b', { uses: 'hangs', attemptTimeoutMs: 1 }),
      critic('c', { uses: 'absent' }),
    ]);
    const { records, verdict } = await evaluateInProcess({ plan: of, content: 'x' }, { runCritic: registryRunner({ registry }) });
    expect(outcomes(records)).toEqual({ a: 'succeeded', b: 'timed_out', c: 'unavailable' });
    expect(verdict.decision).toBe('not_judged');
  });
});

/** How each critic of a random plan ends, by its name. */
type Ends = ReadonlyMap<string, CriticResult>;

const anyEnd = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 0.3, 0.6, 0.95), fc.boolean(), fc.constantFrom(undefined, 0.2, 0.9))
      .map(([severity, violates, uncertainty]) => ok(severity, violates ? ['v'] : [], uncertainty)),
  },
  { weight: 2, arbitrary: fc.constantFrom('failed', 'timed_out', 'invalid_output', 'unavailable').map((outcome) => ended(outcome)) },
);

const anyPlan = (decisive: boolean) =>
  fc
    .array(
      fc.record({
        stage: fc.constantFrom(...STAGES.slice(0, 4)),
        local: fc.boolean(),
        policy: fc.constantFrom(...EXECUTION_POLICIES),
        priority: fc.integer({ min: 1, max: 10 }),
        costWeight: fc.integer({ min: 0, max: 4 }),
        shadow: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
        effect: fc.constantFrom('fail', 'ignore', 'deny', 'escalate'),
        depends: fc.array(fc.nat({ max: 20 }), { maxLength: 2 }),
        end: anyEnd,
      }),
      { minLength: 1, maxLength: 9 },
    )
    .chain((drawn) =>
      fc.record({
        drawn: fc.constant(drawn),
        maxCost: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
        riskTier: fc.constantFrom(...RISK_TIERS),
        gating: fc.constantFrom('on' as const, 'on' as const, 'off' as const),
      }),
    )
    .map(({ drawn, maxCost, riskTier, gating }) => {
      const sorted = drawn.toSorted((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
      const ends = new Map<string, CriticResult>();
      const critics: PlanCritic[] = [];
      for (const [index, one] of sorted.entries()) {
        const name = `c${index}`;
        ends.set(name, one.end);
        // As plans are checked: a local critic waits for local ones of its stage or for earlier stages.
        const mayWaitFor = critics.filter((other) => other.stage !== one.stage || !one.local || other.dispatch === 'local');
        const dependsOn = one.depends.flatMap((at) => (mayWaitFor.length === 0 ? [] : (mayWaitFor[at % mayWaitFor.length]?.name ?? [])));
        critics.push(
          critic(name, {
            stage: one.stage,
            dispatch: one.local ? 'local' : 'activity',
            policy: one.policy,
            ...(one.policy === 'conditional' ? { condition: 'findings.exists(f, f.severity > 0.2)' } : {}),
            priority: one.priority,
            costWeight: one.costWeight,
            mode: one.shadow ? 'shadow' : 'enforce',
            dependsOn: [...new Set(dependsOn)],
            onFailure: {
              failed: one.effect,
              timed_out: one.effect,
              invalid_output: 'escalate',
              over_budget: 'escalate',
              skipped: 'ignore',
            },
          }),
        );
      }
      const of = plan(critics, {
        budget: maxCost === undefined ? {} : { maxCost },
        verdict: {
          rules: [
            { ...SEVERE, decisive },
            { effect: 'escalate', when: 'findings.exists(f, f.violations.size() > 0)', reason: 'violation', decisive: false },
          ],
          otherwise: 'allow',
        },
      });
      return { of, ends, riskTier, gating };
    });

/** As a workflow does it: local critics in real batches, remote ones through the walk. */
async function asWorkersDo(of: Plan, ends: Ends, riskTier: RiskTier, gating: 'on' | 'off') {
  const runFacts = { ...facts, riskTier, gating };
  const registry = scriptedBy(ends);
  const walk = new Walk(of, runFacts, 'x', {
    now: () => 0,
    historyLength: () => 0,
    runBatch: (input) =>
      runLocalStages(
        {
          registry,
          secrets: () => undefined,
          fetch,
          signal: new AbortController().signal,
          workflowId: 'w',
          runId: 'r',
          log: () => undefined,
        },
        input,
      ),
    runCritic: async ({ critic: { name } }) => endGiven(ends, name),
    cancelRunning: () => undefined,
    changed: () => undefined,
  });
  await runStages(walk);
  return { records: walk.records, verdict: decideVerdict(of, walk.records, runFacts) };
}

function endGiven(ends: Ends, name: string): CriticResult {
  const end = ends.get(name);
  if (end === undefined) throw new Error(`no end for ${name}`);
  return end;
}

/** Implementations whose attempts end as given; each local critic uses the one of its own name. */
function scriptedBy(ends: Ends): CriticRegistry {
  return {
    names: [...ends.keys()],
    find: async (name) => {
      const { outcome, finding } = endGiven(ends, name);
      // Another major version is `unavailable`.
      const version = outcome === 'unavailable' ? '2.0.0' : '1.0.0';
      return defineCritic({ name, version, evaluate: () => answer(outcome, finding) });
    },
  };
}

function answer(outcome: CriticOutcome, finding: CriticResult['finding']) {
  if (finding !== undefined) return finding;
  if (outcome === 'failed') throw Object.assign(new Error('broke'), { name: 'CriticError', kind: 'permanent', code: 'BROKE' });
  if (outcome === 'timed_out') return new Promise<never>(() => undefined);
  return {} as never;
}

/** Local critics use the implementation of their own name, and their attempts do not last. */
const quick = (of: Plan): Plan => ({ ...of, critics: of.critics.map((one) => ({ ...one, uses: one.name, attemptTimeoutMs: 1 })) });

const accountOf = ({ records }: { readonly records: ReadonlyMap<string, CriticRecord> }) =>
  Object.fromEntries(
    [...records].map(([name, { outcome, gate, root }]) => [name, { outcome, open: gate.open, by: gate.by, saw: gate.saw, root }]),
  );

describe('what it decides over any plan and any ends of its critics', () => {
  it('is what batches of local critics and the walk of a workflow decide: every outcome, every gate, the verdict', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan(false), async ({ of: drawn, ends, riskTier, gating }) => {
        const of = quick(drawn);
        const here = await evaluateInProcess(
          { plan: of, content: 'x', riskTier, gating },
          { runCritic: ({ name }) => endGiven(ends, name) },
        );
        const there = await asWorkersDo(of, ends, riskTier, gating);
        expect(accountOf(here)).toEqual(accountOf(there));
        expect(here.verdict.decision).toBe(there.verdict.decision);
        expect(here.verdict.reasons.map(({ critic: name, rule, effect }) => ({ name, rule, effect }))).toEqual(
          there.verdict.reasons.map(({ critic: name, rule, effect }) => ({ name, rule, effect })),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('is the same decision with a decisive rule, whichever critics it cut', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan(true), async ({ of: drawn, ends, riskTier, gating }) => {
        const of = quick(drawn);
        const here = await evaluateInProcess(
          { plan: of, content: 'x', riskTier, gating },
          { runCritic: ({ name }) => endGiven(ends, name) },
        );
        const there = await asWorkersDo(of, ends, riskTier, gating);
        expect(here.records.size).toBe(of.critics.length);
        expect(here.verdict.decision).toBe(there.verdict.decision);
      }),
      { numRuns: 200 },
    );
  });
});
