/** Records by stratum: `a/b` counts for `a` and for `a/b`. Pure. */

/** `a/b/c` → `a`, `a/b`, `a/b/c`. */
export function prefixesOf(stratum: string): string[] {
  const steps = stratum.split('/');
  return steps.map((_, index) => steps.slice(0, index + 1).join('/'));
}

export const isWithin = (stratum: string, prefix: string): boolean => stratum === prefix || stratum.startsWith(`${prefix}/`);

/**
 * Every stratum with what belongs to it, coarse before fine. One that holds exactly what its finer one holds is left out:
 * the finer name says more.
 */
export function byStratum<T>(list: readonly T[], stratumOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) {
    for (const prefix of prefixesOf(stratumOf(one))) {
      const group = groups.get(prefix);
      if (group === undefined) groups.set(prefix, [one]);
      else group.push(one);
    }
  }
  const names = [...groups.keys()].toSorted();
  const size = (name: string): number => groups.get(name)?.length ?? 0;
  const isDoubled = (name: string): boolean => names.some((other) => other.startsWith(`${name}/`) && size(other) === size(name));
  return new Map(names.filter((name) => !isDoubled(name)).map((name) => [name, groups.get(name) ?? []]));
}
