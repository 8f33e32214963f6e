/** A planted fault that no replay sees: entries whose hash is made otherwise. Stands in for `domain/review/chain.ts`. */
import { hashed as realHashed, type ChainEntry, type HashedEntry } from '../../../src/domain/review/chain.js';

export * from '../../../src/domain/review/chain.js';

export function hashed(entry: ChainEntry): HashedEntry {
  const { facts, ...rest } = entry;
  return { entry, hash: realHashed({ ...rest, facts: { ...facts, format: 2 } }).hash };
}
