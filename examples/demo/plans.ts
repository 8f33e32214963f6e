/** The plans of the demo. In YAML they would look like `plans/example.yaml`; here the service's address is known only at run time. */
import { definePlan } from '../../src/index.js';

/** Ten critics in six stages: two cheap ones for everybody, the others where something calls for them. */
export const chat = (url: string) =>
  definePlan({
    plan: 'chat',
    version: 1,
    defaults: { attemptTimeout: '5s', maxRetries: 2, retryBackoffBase: 2 },
    timeouts: { global: '60s', stages: { fast_critics: '5s', core_analysis: '20s', deep_analysis: '30s' } },
    limits: { maxConcurrentCritics: 10, maxConcurrentPerStage: { deep_analysis: 2 } },
    budget: { maxCost: 60 },
    critics: {
      keys: { uses: 'secrets', stage: 'pre_validation', dispatch: 'local', executionPolicy: 'on_high_risk' },
      pii: { uses: 'pii', stage: 'fast_critics', dispatch: 'local', priority: 1 },
      injection: {
        uses: 'pattern',
        stage: 'fast_critics',
        dispatch: 'local',
        priority: 2,
        with: { patterns: [{ re: '(?i)\\b(ignore|forget|disregard)\\b.{0,40}\\binstructions?\\b', severity: 0.7, code: 'override' }] },
      },
      intent: { uses: 'http', stage: 'core_analysis', executionPolicy: 'on_violation', costWeight: 3, with: { url: `${url}/judge` } },
      tone: { uses: 'http', stage: 'core_analysis', executionPolicy: 'on_violation', costWeight: 3, with: { url: `${url}/judge` } },
      finance: {
        uses: 'http',
        stage: 'core_analysis',
        executionPolicy: 'conditional',
        condition: "has(context.domain) && context.domain == 'financial'",
        costWeight: 3,
        with: { url: `${url}/judge` },
      },
      deep_intent: {
        uses: 'http',
        stage: 'deep_analysis',
        dependsOn: ['intent'],
        executionPolicy: 'on_violation',
        costWeight: 10,
        maxConcurrent: 1,
        rateLimitPerSecond: 2,
        with: { url: `${url}/judge` },
      },
      second_opinion: {
        uses: 'http',
        stage: 'deep_analysis',
        executionPolicy: 'on_high_risk',
        costWeight: 10,
        with: { url: `${url}/judge` },
      },
      leftovers: { uses: 'secrets', stage: 'post_processing', dispatch: 'local', executionPolicy: 'on_violation' },
      agreement: { uses: 'http', stage: 'validation', executionPolicy: 'on_uncertainty', costWeight: 3, with: { url: `${url}/judge` } },
    },
    verdict: {
      rules: [
        { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe finding', decisive: true },
        { escalate: 'findings.exists(f, f.violations.size() > 0)', reason: 'violation found' },
      ],
      allowNeeds: { critics: ['pii', 'injection'] },
      otherwise: 'allow',
    },
  });

/** One critic behind a service: what happens to the evaluation when the service does not answer. */
export const outage = (name: string, url: string, maxRetries: number) =>
  definePlan({
    plan: name,
    version: 1,
    timeouts: { global: '45s' },
    critics: {
      pii: { uses: 'pii', stage: 'fast_critics', dispatch: 'local' },
      judge: { uses: 'http', stage: 'core_analysis', attemptTimeout: '1s', maxRetries, retryBackoffBase: 2, with: { url } },
    },
    verdict: { rules: [{ escalate: 'findings.exists(f, f.violations.size() > 0)', reason: 'violation found' }], otherwise: 'allow' },
  });
