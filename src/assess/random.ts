/** Chance that is the same for the same seed, so that a sample can be drawn again. Pure. */

/**
 * Numbers of [0, 1). Mulberry32 (T. Ettinger, public domain): 32 bits of state, enough to shuffle records, not for secrets.
 */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A new order (Fisher and Yates); the list stays as it is. */
export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const order = [...list];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const chosen = Math.floor(random() * (last + 1));
    const [a, b] = [order[last], order[chosen]];
    if (a === undefined || b === undefined) continue;
    order[last] = b;
    order[chosen] = a;
  }
  return order;
}
