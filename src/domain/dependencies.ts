/**
 * What a critic waits for before it can be decided. Pure; knows plans, not how anything ended.
 *
 * N1 A critic waits for its `dependsOn`, and for the fallbacks of these, whose findings it may be given in their place.
 * N2 A fallback waits for the critic that it stands in for.
 */
import type { Plan, PlanCritic } from './plan.js';

/** The fallback of each critic that has one, by the critic's name. */
export type Fallbacks = ReadonlyMap<string, PlanCritic>;

/** What this file reads of a critic; plans under check have no more. */
type Waiting = Pick<PlanCritic, 'dependsOn' | 'fallbackFor'>;

export function fallbacksOf(plan: Pick<Plan, 'critics'>): Fallbacks {
  const fallbacks = new Map<string, PlanCritic>();
  for (const critic of plan.critics) {
    if (critic.fallbackFor !== undefined) fallbacks.set(critic.fallbackFor, critic);
  }
  return fallbacks;
}

/** The fallback of a critic, the fallback of that one, and so on. Ends although a plan with problems may go round in circles. */
export function fallbackChain<Critic extends { readonly name: string }>(name: string, fallbacks: ReadonlyMap<string, Critic>): Critic[] {
  const chain = new Set<Critic>();
  for (let next = fallbacks.get(name); next !== undefined && !chain.has(next); next = fallbacks.get(next.name)) chain.add(next);
  return [...chain];
}

/** Names of the critics that must have ended before this one is decided (N1, N2). */
export function waitsFor<Critic extends { readonly name: string }>(
  critic: Waiting,
  fallbacks: ReadonlyMap<string, Critic>,
): readonly string[] {
  if (fallbacks.size === 0) return critic.dependsOn;
  const names = critic.dependsOn.flatMap((name) => [name, ...fallbackChain(name, fallbacks).map((fallback) => fallback.name)]);
  return [...new Set(critic.fallbackFor === undefined ? names : [...names, critic.fallbackFor])];
}

/** All that a critic waits for, directly or through others, without itself. */
export function dependenciesOf(plan: Plan, name: string): Set<string> {
  const byName = new Map(plan.critics.map((critic) => [critic.name, critic]));
  const fallbacks = fallbacksOf(plan);
  const before = (of: string): readonly string[] => {
    const critic = byName.get(of);
    return critic === undefined ? [] : waitsFor(critic, fallbacks);
  };
  const seen = new Set<string>();
  const open = [...before(name)];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    open.push(...before(next));
  }
  return seen;
}
