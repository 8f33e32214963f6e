/** A planted fault: a walk that runs the last stage first. Stands in for `workflows/walk.ts`. */
import { STAGES } from '../../../src/domain/plan.js';
import { Walk as RealWalk } from '../../../src/workflows/walk.js';

export * from '../../../src/workflows/walk.js';

const opposite = <Stage extends (typeof STAGES)[number]>(stage: Stage) => STAGES[STAGES.length - 1 - STAGES.indexOf(stage)] ?? stage;

export class Walk extends RealWalk {
  constructor(...[plan, ...rest]: ConstructorParameters<typeof RealWalk>) {
    super({ ...plan, critics: plan.critics.map((critic) => ({ ...critic, stage: opposite(critic.stage) })) }, ...rest);
  }
}
