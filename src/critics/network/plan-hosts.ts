/** Which private hosts the critics of a plan would ask, as far as their options tell, so that nobody learns it in production. */
import { literalTarget, readHosts, type Target } from './addresses.js';
import { parseOptions } from '../attempt.js';
import type { CriticUse } from '../../domain/plan.js';
import type { CriticRegistry } from '../registry.js';

export interface UnnamedHost {
  /** Name of the critic in the plan. */
  readonly critic: string;
  readonly target: Target;
}

/**
 * @param hosts those that the deployment names.
 * @returns critics with a private address written out in a URL of their options; what a name stands for is seen only when
 * it is asked. Options that a critic refuses are told elsewhere.
 */
export async function unnamedHosts(
  uses: readonly (CriticUse & { readonly name: string })[],
  registry: CriticRegistry,
  hosts: readonly string[],
): Promise<UnnamedHost[]> {
  const named = readHosts(hosts);
  const found = await Promise.all(
    uses.map(async (use) => {
      const critic = await registry.find(use.uses);
      const options = critic?.asks === undefined ? undefined : parseOptions(critic, use.with);
      if (critic?.asks === undefined || options?.ok !== true) return [];
      return critic.asks(options.value).flatMap((url): UnnamedHost[] => {
        const target = literalTarget(url, named);
        return target === undefined ? [] : [{ critic: use.name, target }];
      });
    }),
  );
  return found.flat();
}
