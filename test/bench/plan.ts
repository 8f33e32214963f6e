/** The workload as a plan and a critic of tribunal. */
import { defineCritic, type AnyCritic } from '../../src/critics/critic.js';
import { judge, stagesOf } from './workload.js';

export const PLAN = 'bench';

export const probe: AnyCritic = defineCritic({
  name: 'probe',
  version: '1.0.0',
  evaluate: async ({ context }) => await judge({ context: { sleepMs: typeof context['sleepMs'] === 'number' ? context['sleepMs'] : 0 } }),
});

export function planSource(width: number): object {
  const critics = stagesOf(width).flatMap((stage) =>
    stage.critics.map(({ name, stage: of, dispatch, leading }) => [
      name,
      { uses: probe.name, stage: of, dispatch, ...(leading ? {} : { executionPolicy: 'on_high_risk' }) },
    ]),
  );
  return {
    plan: PLAN,
    version: 1,
    timeouts: { global: '60s' },
    critics: Object.fromEntries(critics),
    verdict: {
      rules: [
        { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe finding', decisive: true },
        { escalate: 'findings.exists(f, f.violations.size() > 0)', reason: 'violation found' },
      ],
      otherwise: 'allow',
    },
  };
}
