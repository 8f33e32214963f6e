/** Values that a broken or hostile critic may return or throw. The `scripted` critic hands them out; no imports. */

const nested = (depth: number): unknown => {
  let value: unknown = 0;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
};

const clear = { severity: 0, violations: [] };
const withDetails = (details: unknown): unknown => ({ ...clear, details });

function cycle(): unknown {
  const finding: Record<string, unknown> = { ...clear };
  finding.details = finding;
  return finding;
}

/** By name, each made anew. */
export const HOSTILE_RETURNS: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  text: () => 'allow',
  number: () => 0,
  list: () => [clear],
  function: () => () => clear,
  symbol: () => Symbol('finding'),
  bigint: () => ({ ...clear, severity: 1n }),
  cycle,
  nan: () => ({ ...clear, severity: NaN }),
  infinity: () => ({ ...clear, score: Infinity }),
  out_of_range: () => ({ ...clear, severity: 7 }),
  number_as_text: () => ({ ...clear, severity: '0.9' }),
  number_in_list: () => ({ ...clear, severity: [0.9] }),
  empty: () => ({}),
  error: () => new Error('not a finding'),
  map: () => new Map(Object.entries(clear)),
  huge: () => withDetails('x'.repeat(10_000_000)),
  deep: () => withDetails(nested(200_000)),
  throwing_getter: () => ({
    violations: [],
    get severity(): number {
      throw new Error('must not be read');
    },
  }),
  proto_key: () => JSON.parse('{"severity":0,"violations":[],"details":{"__proto__":{"severity":1}}}') as unknown,
  to_json: () => ({ severity: 0.9, violations: [], toJSON: () => clear }),
};

/** Every way of reading it throws. */
export function hostileError(): unknown {
  const refuse = (): never => {
    throw new Error('must not be read');
  };
  return new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse, getOwnPropertyDescriptor: refuse });
}
