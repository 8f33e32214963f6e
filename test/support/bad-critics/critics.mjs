/** Critics that break one promise each, to show that the checks find it. */
const fine = { severity: 0, violations: [] };
const never = () => {
  throw new Error('must not be read');
};
/** Not even its class can be asked for. */
const hostile = new Proxy({}, { get: never, has: never, getPrototypeOf: never, ownKeys: never });
const textOf = (content) => (typeof content === 'string' ? content : JSON.stringify(content));
const strict = {
  parse: (value) => value,
  safeParse: (value) => ({ success: true, data: value }),
};
let seen = 0;

const bad = {
  throws_hostile() {
    throw hostile;
  },
  returns_nan: () => ({ severity: Number.NaN, violations: [] }),
  async ignores_signal() {
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    return fine;
  },
  changes_input({ content, context }) {
    context.seen = true;
    return { ...fine, score: textOf(content).length };
  },
  quotes_in_errors({ content }) {
    const text = textOf(content);
    if (text.startsWith('{"')) throw Object.assign(new Error(`cannot judge ${text}`), { kind: 'permanent', code: 'UNREADABLE' });
    return fine;
  },
  quotes_in_findings: ({ content }) => ({
    severity: 0.5,
    violations: [{ code: 'word', message: `contains ${textOf(content).slice(0, 100)}` }],
  }),
  logs_content({ content }, { log }) {
    log('judging', { text: textOf(content).slice(0, 100) });
    return fine;
  },
  tells_secrets: (_, { secret }) => ({ ...fine, details: { key: secret('KEY') ?? null } }),
  varies: () => ({ ...fine, score: Math.random() }),
  keeps_state({ content }) {
    if (textOf(content).includes('Hello')) seen += 1;
    return { ...fine, score: seen };
  },
  points_outside: ({ content }) => ({
    severity: 0.5,
    violations: [{ code: 'end', message: 'at the end', span: { start: 0, end: textOf(content).length + 1 } }],
  }),
  drops_fields: () => ({
    severity: 0.5,
    violations: [
      { code: 'one', message: 'one', weight: 1 },
      { code: 'two', message: 'two', weight: 2 },
    ],
    verdict: 'allow',
    'quiet\u001b[2J': true,
  }),
  leaves_errors() {
    void Promise.reject(new Error('nobody awaits this'));
    return fine;
  },
  ends_process: () => process.exit(0),
  blocks() {
    for (;;);
  },
  takes_any_option: () => fine,
  too_large: ({ content }) => ({ ...fine, evidence: [textOf(content)] }),
};

export default Object.entries(bad).map(([name, evaluate]) => ({
  name,
  version: '1.0.0',
  evaluate,
  ...(name === 'takes_any_option' ? { options: strict } : {}),
}));
