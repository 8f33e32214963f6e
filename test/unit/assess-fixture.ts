/** Subjects and sets for the tests of `assess`: real critics in a real plan, over made-up records. */
import { assess, type AssessOptions } from '../../src/assess/assess.js';
import type { Assessment } from '../../src/assess/figures.js';
import type { SetRecord } from '../../src/assess/sets/record.js';
import type { Subject } from '../../src/assess/subject.js';
import { makeRegistry } from '../../src/critics/registry.js';
import type { AnyCritic } from '../../src/critics/critic.js';
import { loadPlan } from '../../src/plan-loader.js';

/** A critic that flags every text with its word in it. */
export const word = (code: string, severity = 0.5) => ({
  uses: 'pattern',
  with: { words: [{ word: code, severity, code }] },
});

export async function subjectOf(source: object, own: readonly AnyCritic[] = []): Promise<Subject> {
  const registry = makeRegistry(own.map((critic) => ({ critic, from: 'test' })));
  const object = { plan: 'try_out', version: 1, timeouts: { global: '60s' }, verdict: { otherwise: 'allow' }, ...source };
  const loaded = await loadPlan({ object, name: 'test' }, registry);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return { plan: loaded.plan, hasVerdict: true, registry, hosts: [], warnings: [] };
}

export const record = (id: string, content: SetRecord['content'], more: Partial<SetRecord> = {}): SetRecord => ({
  id,
  stratum: 'mine',
  content,
  context: {},
  labels: {},
  accept: more.verdict === undefined ? [] : [more.verdict],
  ...more,
});

export const optionsOf = (more: Partial<AssessOptions> = {}): AssessOptions => ({
  concurrency: 4,
  signal: new AbortController().signal,
  secrets: () => undefined,
  judges: new Map(),
  flag: {},
  now: () => 0,
  ...more,
});

export const assessed = async (subject: Subject, records: readonly SetRecord[], more: Partial<AssessOptions> = {}): Promise<Assessment> =>
  await assess(subject, { records, files: [], skipped: [] }, optionsOf(more));
