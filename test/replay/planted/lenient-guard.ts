/** A planted fault: whoever has left the file decides all the same. Stands in for `domain/review/outcome.ts`. */
export * from '../../../src/domain/review/outcome.js';

export const notDeciding = (): readonly string[] => [];
