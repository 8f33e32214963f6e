/** The conformance suite of `tribunal/testing`, bound to vitest. A new critic's test calls this first, then adds what is special. */
import { describe, it } from 'vitest';
import type { Critic } from '../../src/critics/critic.js';
import { conformanceChecks, type ConformanceCase } from '../../src/testing/index.js';

export { expectClean, expectSpansInside, inputFor, optionsOf, thrownBy, toolsFor } from '../../src/testing/index.js';

export function conformance<Options>(critic: Critic<Options>, oneCase: ConformanceCase<Options>): void {
  describe(`${critic.name} as a critic`, () => {
    for (const { name, run } of conformanceChecks(critic, oneCase)) it(`${name}`, run);
  });
}
