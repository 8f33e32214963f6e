/** What a plan decides in this process is what it decides on a real server, given the same critics and the same request. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRegistry } from '../../src/critics/registry.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import { evaluateInProcess } from '../../src/in-process.js';
import { registryRunner } from '../../src/in-process-runner.js';
import { makeHarness, type Harness } from '../support/harness.js';

const scripted = (finding: object = {}, more: object = {}): object => ({
  uses: 'scripted',
  with: { finding },
  stage: 'core_analysis',
  ...more,
});
const fails = (more: object = {}): object => ({ uses: 'scripted', with: { throw: 'permanent' }, stage: 'fast_critics', ...more });
const VIOLATION = { severity: 0.4, violations: [{ code: 'rude', message: 'is rude' }], uncertainty: 0.8 };

const plan = (name: string, critics: object, more: object = {}): object => ({
  plan: name,
  version: 1,
  timeouts: { global: '60s' },
  defaults: { maxRetries: 0 },
  critics,
  verdict: {
    rules: [
      { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe', decisive: true },
      { escalate: 'findings.exists(f, f.violations.size() > 0)', reason: 'violation' },
    ],
    otherwise: 'allow',
  },
  ...more,
});

/** One critic of each policy behind what the first one finds. */
const policies = (first: object): object => ({
  first: { ...first, stage: 'fast_critics' },
  by_violation: scripted({}, { executionPolicy: 'on_violation' }),
  by_risk: scripted({}, { executionPolicy: 'on_high_risk', dispatch: 'local' }),
  by_uncertainty: scripted({}, { executionPolicy: 'on_uncertainty' }),
  by_context: scripted({}, { executionPolicy: 'conditional', condition: "has(context.domain) && context.domain == 'money'" }),
  by_error: scripted({}, { executionPolicy: 'conditional', condition: 'has(context.amount) && context.amount > 10' }),
  after: scripted({}, { stage: 'deep_analysis', dependsOn: ['by_violation'] }),
});

const PLANS = [
  plan('clean', policies(scripted())),
  plan('dirty', policies(scripted(VIOLATION, { dispatch: 'local' }))),
  plan('broken', policies(fails())),
  plan('broken_is_ignored', policies(fails({ onFailure: 'ignore', dispatch: 'local' }))),
  plan('severe', {
    first: scripted({ severity: 0.95 }, { stage: 'fast_critics', dispatch: 'local' }),
    beside: scripted({}, { stage: 'fast_critics' }),
    later: scripted(),
  }),
  plan(
    'over_budget',
    {
      dear: scripted({}, { costWeight: 5, executionPolicy: 'on_high_risk' }),
      cheap: scripted({}, { costWeight: 2 }),
      next: scripted({}, { costWeight: 3, stage: 'deep_analysis' }),
      last: scripted({}, { stage: 'validation' }),
    },
    { budget: { maxCost: 5 } },
  ),
  plan('fallbacks', {
    first: fails(),
    spare: scripted(VIOLATION, { stage: 'fast_critics', fallbackFor: 'first' }),
    after: scripted({}, { dependsOn: ['first'], executionPolicy: 'on_violation' }),
  }),
  plan('shadows', {
    hidden: scripted({ severity: 1, violations: [{ code: 'a', message: 'b' }] }, { stage: 'fast_critics', mode: 'shadow' }),
    open: scripted({}, { executionPolicy: 'on_violation' }),
    sure: scripted(),
  }),
  plan(
    'needs',
    { first: fails({ onFailure: 'ignore' }), other: scripted() },
    { verdict: { allowNeeds: { critics: ['first'], coverage: 0.9 }, otherwise: 'allow' } },
  ),
];

const REQUESTS = [{}, { context: { domain: 'money', amount: 'a lot' }, riskTier: 'high' }, { gating: 'off' }] as const;

/** All that was decided: times, wording and the order of ends are not. */
const decided = ({ decision, reasons, critics, riskTier, coverage, covered, degraded }: EvaluationReport) => ({
  decision,
  riskTier,
  coverage,
  covered,
  degraded,
  reasons: reasons.map(({ critic, rule, code, effect }) => ({ critic, rule, code, effect })),
  critics: critics.map(({ name, outcome, gate, root, code }) => ({ name, outcome, gate, root, code })),
});

describe('an evaluation in this process decides what the server decides', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: PLANS });
  });
  afterAll(() => harness.close());

  for (const name of PLANS.map((one) => String(Reflect.get(one, 'plan')))) {
    it.concurrent(`over the plan ${name}, request by request`, async () => {
      const compiled = harness.plans.get(name);
      if (compiled === undefined) throw new Error(`there is no plan ${name}`);
      for (const request of REQUESTS) {
        const there = await harness.client.evaluate({ plan: name, content: 'text', ...request });
        const here = await evaluateInProcess(
          { plan: compiled, content: 'text', ...request },
          { runCritic: registryRunner({ registry: makeRegistry() }) },
        );
        expect(decided(here.report()), JSON.stringify(request)).toEqual(decided(there));
      }
    });
  }
});
