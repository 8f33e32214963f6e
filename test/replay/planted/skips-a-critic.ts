/** A planted fault: a walk that leaves the last critic of the plan out. Stands in for `workflows/walk.ts`. */
import { Walk as RealWalk } from '../../../src/workflows/walk.js';

export * from '../../../src/workflows/walk.js';

export class Walk extends RealWalk {
  constructor(...[plan, ...rest]: ConstructorParameters<typeof RealWalk>) {
    super({ ...plan, critics: plan.critics.slice(0, -1) }, ...rest);
  }
}
