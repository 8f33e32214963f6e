/** What a plan compiles to: defaults, effects, order, hash. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashJson } from '../../src/digest.js';
import { loadPlan } from '../../src/plan-loader.js';
import { FAILURE_OUTCOMES } from '../../src/domain/outcomes.js';
import { effectOn, type PlanCritic } from '../../src/domain/plan.js';
import { compiled, GOOD, registry } from './plan-fixture.js';

const FAIL_ALL = {
  failed: 'fail',
  timed_out: 'fail',
  invalid_output: 'escalate',
  unavailable: 'fail',
  skipped: 'ignore',
  over_budget: 'escalate',
  not_reached: 'fail',
  cancelled: 'fail',
};

const tableOf = (of: PlanCritic | undefined): Record<string, string> =>
  of === undefined ? {} : Object.fromEntries(FAILURE_OUTCOMES.map((outcome) => [outcome, effectOn(of, outcome)]));

/** The critic `c` of a plan with these defaults. */
async function critic(fields: string, defaults = '{}'): Promise<PlanCritic | undefined> {
  const plan = await compiled(`plan: p
version: 1
defaults: ${defaults}
timeouts: { global: 10m }
critics: { c: { uses: plain, stage: validation, ${fields} } }
verdict: { otherwise: allow }`);
  return plan.critics[0];
}

describe('a compiled critic', () => {
  it('has the built-in defaults, and nothing that was not written', async () => {
    expect(await critic('')).toEqual({
      name: 'c',
      uses: 'plain',
      version: '1.2.3',
      with: {},
      stage: 'validation',
      dispatch: 'activity',
      priority: 5,
      dependsOn: [],
      policy: 'always',
      costWeight: 1,
      attemptTimeoutMs: 5000,
      maxRetries: 2,
      retryBackoffBase: 2,
      retryOnTimeout: true,
      requiredOutputFields: [],
      // Only what is not `fail`: the others need no room in every history.
      onFailure: { invalid_output: 'escalate', skipped: 'ignore', over_budget: 'escalate' },
      mode: 'enforce',
      tags: [],
    });
  });

  it('takes the defaults of the plan over the built-in ones, and its own over both', async () => {
    const defaults =
      '{ priority: 2, maxRetries: 4, attemptTimeout: 3s, retryBackoffBase: 1.5, retryOnTimeout: false, costWeight: 0, dispatch: activity }';
    expect(await critic('priority: 9', defaults)).toMatchObject({
      priority: 9,
      maxRetries: 4,
      attemptTimeoutMs: 3000,
      retryBackoffBase: 1.5,
      retryOnTimeout: false,
      costWeight: 0,
    });
  });

  it('has the threshold of 0.7 only when it goes by uncertainty', async () => {
    expect(await critic('executionPolicy: on_uncertainty')).toMatchObject({ uncertaintyThreshold: 0.7 });
    expect(await critic('executionPolicy: on_uncertainty, uncertaintyThreshold: 0')).toMatchObject({ uncertaintyThreshold: 0 });
    expect(await critic('executionPolicy: on_violation')).not.toHaveProperty('uncertaintyThreshold');
  });

  it('that is local has one short attempt whatever it inherits', async () => {
    const defaults = '{ attemptTimeout: 5s, maxRetries: 7 }';
    expect(await critic('dispatch: local', defaults)).toMatchObject({ maxRetries: 0, attemptTimeoutMs: 1000 });
    expect(await critic('dispatch: local', '{ attemptTimeout: 300ms }')).toMatchObject({ attemptTimeoutMs: 300 });
    expect(await critic('dispatch: local, attemptTimeout: 200ms', defaults)).toMatchObject({ attemptTimeoutMs: 200 });
    expect(await critic('', '{ dispatch: local }')).toMatchObject({ dispatch: 'local', maxRetries: 0 });
  });

  it('has one effect for all outcomes when one word is written', async () => {
    const all = (effect: string): Record<string, string> => Object.fromEntries(Object.keys(FAIL_ALL).map((outcome) => [outcome, effect]));
    expect(tableOf(await critic('onFailure: deny'))).toEqual(all('deny'));
    expect(tableOf(await critic('', '{ onFailure: ignore }'))).toEqual(all('ignore'));
    expect(tableOf(await critic('onFailure: escalate', '{ onFailure: { failed: deny } }'))).toEqual(all('escalate'));
  });

  it('merges effects by outcome: its own over the defaults over the built-in ones', async () => {
    const merged = await critic('onFailure: { timed_out: escalate, skipped: deny }', '{ onFailure: { timed_out: deny, failed: ignore } }');
    expect(tableOf(merged)).toEqual({ ...FAIL_ALL, timed_out: 'escalate', skipped: 'deny', failed: 'ignore' });
  });

  it('has the options as they were written, for its implementation to check again', async () => {
    const plan = await compiled(
      GOOD.replace('uses: anything, stage: deep_analysis', 'uses: regional, stage: deep_analysis, with: { region: EU }'),
    );
    expect(plan.critics.find(({ name }) => name === 'three')?.with).toEqual({ region: 'EU' });
  });
});

describe('a compiled plan', () => {
  it('lists critics by stage, then as written', async () => {
    const plan = await compiled(`plan: p
version: 1
timeouts: { global: 60s }
critics:
  z: { uses: plain, stage: validation }
  y: { uses: plain, stage: pre_validation }
  x: { uses: plain, stage: validation }
  a: { uses: plain, stage: pre_validation }
verdict: { otherwise: allow }`);
    expect(plan.critics.map(({ name }) => name)).toEqual(['y', 'a', 'z', 'x']);
  });

  it('has its times in milliseconds and its rules with their effects', async () => {
    const plan = await compiled(
      GOOD.replace(
        'version: 1',
        'version: 7\nbudget: { maxCost: 4.5 }\nrisk: { floor: medium, atLeast: [{ critical: "request.size > 9.0" }, { high: "true" }] }',
      ).replace('otherwise: allow', 'otherwise: escalate\n  allowNeeds: { coverage: 0.8 }'),
    );
    expect(plan).toMatchObject({
      name: 'small',
      version: 7,
      timeouts: { globalMs: 60_000, stagesMs: { fast_critics: 10_000 } },
      limits: { maxConcurrentPerStage: {}, maxContentBytes: 262_144 },
      budget: { maxCost: 4.5 },
      risk: {
        default: 'medium',
        floor: 'medium',
        atLeast: [
          { tier: 'critical', when: 'request.size > 9.0' },
          { tier: 'high', when: 'true' },
        ],
      },
      verdict: {
        rules: [{ effect: 'escalate', when: 'findings.exists(f, f.severity > 0.5)', reason: 'found', decisive: false }],
        allowNeeds: { critics: [], coverage: 0.8 },
        otherwise: 'escalate',
      },
    });
  });

  it('has another hash when anything in it is another, and cases are not in it', async () => {
    const hash = async (text: string): Promise<string> => (await compiled(text)).hash;
    const before = await hash(GOOD);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(await hash(GOOD.replace('maxRetries: 1', 'maxRetries: 0'))).not.toBe(before);
    expect(await hash(GOOD.replace('> 0.5', '> 0.6'))).not.toBe(before);
    expect(await hash(GOOD.replace('maxRetries: 1', 'maxRetries: 1, isolation: thread'))).not.toBe(before);
    expect(await hash(GOOD.replace('maxRetries: 1', 'maxRetries: 1, isolation: none'))).toBe(before);
    expect(await hash(`# a comment\n${GOOD}cases: [{ name: c, expect: { decision: allow } }]\n`)).toBe(before);
  });
});

const anyOption = fc.oneof(
  fc.string(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.integer()),
);

/** Any critic that is good beside others; later ones may wait for earlier ones. */
const anyFields = fc.record(
  {
    with: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), anyOption),
    priority: fc.integer({ min: 1, max: 10 }),
    costWeight: fc.double({ min: 0, max: 100, noNaN: true }),
    maxRetries: fc.integer({ min: 0, max: 3 }),
    attemptTimeout: fc.constantFrom('250ms', '1s', '1m'),
    onFailure: fc.oneof(fc.constantFrom('deny', 'ignore'), fc.constant({ timed_out: 'escalate', skipped: 'deny' })),
    executionPolicy: fc.constantFrom('always', 'on_violation', 'on_high_risk'),
    requiredOutputFields: fc.constantFrom([], ['score']),
    tags: fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 3 }),
  },
  { requiredKeys: [] },
);

const stages = ['pre_validation', 'core_analysis', 'validation'] as const;
const anyPlan = fc.array(fc.tuple(fc.constantFrom(...stages), anyFields), { minLength: 1, maxLength: 6 }).map((critics) => ({
  plan: 'generated',
  version: 1,
  timeouts: { global: '10m' },
  critics: Object.fromEntries(critics.map(([stage, fields], index) => [`c${index}`, { uses: 'anything', stage, ...fields }])),
  verdict: { otherwise: 'allow' },
}));

async function load(object: unknown) {
  const loaded = await loadPlan({ object, name: 'generated' }, registry);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.plan;
}

describe('any plan', () => {
  it('survives the way through JSON with the same hash', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan, async (source) => {
        const plan = await load(source);
        const { hash, ...rest } = JSON.parse(JSON.stringify(plan));
        expect({ ...rest, hash }).toEqual(plan);
        expect(hashJson(rest)).toBe(hash);
      }),
    );
  });

  it('has the same hash in whatever order the fields of a critic stand', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan, async (source) => {
        const reversed = Object.fromEntries(
          Object.entries(source.critics).map(([name, fields]) => [name, Object.fromEntries(Object.entries(fields).toReversed())]),
        );
        expect((await load({ ...source, critics: reversed })).hash).toBe((await load(source)).hash);
      }),
    );
  });
});
