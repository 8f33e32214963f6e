/** A planted fault: a build whose handlers throw. Stands in for `domain/review/moves.ts`. */
export * from '../../../src/domain/review/moves.js';

export const applyCommand = (): never => {
  throw new TypeError('this build is broken');
};
