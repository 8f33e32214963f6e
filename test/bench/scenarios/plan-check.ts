/** How long a plan of the greatest size takes to be read, checked and compiled: people wait for it, and so does a worker's start. */
import { makeRegistry } from '../../../src/critics/registry.js';
import { loadPlan } from '../../../src/plan-loader.js';
import { figure } from '../measure.js';
import type { Scenario } from '../scenario.js';

const CRITICS = 1_000;

export const planCheck: Scenario = {
  name: 'plan-check',
  title: 'Plan of 1,000 critics',
  async run({ quick }) {
    const lines = Array.from({ length: CRITICS }, (_, index) => {
      const dependsOn = index === 0 ? '' : `, dependsOn: [c${index - 1}]`;
      return `  c${index}: { uses: scripted, stage: core_analysis, executionPolicy: conditional, condition: "has(context.n) && context.n > ${index}.0"${dependsOn} }`;
    });
    const text = ['plan: large', 'version: 1', 'timeouts: { global: 60s }', 'critics:', ...lines, 'verdict: { otherwise: allow }'].join(
      '\n',
    );
    const samples: number[] = [];
    for (let round = 0; round < (quick ? 2 : 7); round += 1) {
      const begun = performance.now();
      const loaded = await loadPlan({ file: 'large.yaml', text }, makeRegistry());
      if (!loaded.ok) throw new Error('the plan of this scenario has problems');
      samples.push(performance.now() - begun);
    }
    return [figure('read, check and compile', samples, 'ms', 1_000)];
  },
};
