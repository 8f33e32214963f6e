/** A registry of three implementations and a small good plan that tests change one thing of. */
import { z } from 'zod';
import type { AnyCritic } from '../../src/critics/critic.js';
import type { CriticRegistry } from '../../src/critics/registry.js';
import { loadPlan, type LoadedPlan } from '../../src/plan-loader.js';
import type { Plan } from '../../src/domain/plan.js';

const critic = (name: string, options?: z.ZodType<never>): AnyCritic => ({
  name,
  version: '1.2.3',
  ...(options !== undefined ? { options } : {}),
  evaluate: () => ({ severity: 0, violations: [] }),
});

const anything = z.record(z.string(), z.unknown());
const region = z.strictObject({ region: z.enum(['US', 'EU']), limits: z.array(z.number()).default([]) });
const implementations: readonly AnyCritic[] = [
  // The same as in registries of real critics: only its own schema makes values for a critic's options.
  critic('anything', anything as z.ZodType as z.ZodType<never>),
  critic('regional', region as z.ZodType as z.ZodType<never>),
  critic('plain'),
];

export const registry: CriticRegistry = {
  names: implementations.map(({ name }) => name),
  // `regional` was handed over as an object.
  modules: new Map(['anything', 'plain'].map((name) => [name, `/critics/${name}.mjs`])),
  find: async (name) => implementations.find((one) => one.name === name),
};

export const GOOD = `plan: small
version: 1
timeouts: { global: 60s, stages: { fast_critics: 10s } }
critics:
  one: { uses: anything, stage: pre_validation }
  two: { uses: anything, stage: fast_critics, dependsOn: [one], maxRetries: 1 }
  three: { uses: anything, stage: deep_analysis }
verdict:
  rules:
    - { escalate: "findings.exists(f, f.severity > 0.5)", reason: found }
  otherwise: allow
`;

export const loadText = async (text: string): Promise<LoadedPlan> => loadPlan({ file: 'plan.yaml', text }, registry);

/** A plan that is known to be good. */
export async function compiled(text: string): Promise<Plan> {
  const loaded = await loadText(text);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, undefined, 2));
  return loaded.plan;
}
