/** What changed between two plans, in words and with its direction. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diffPlans } from '../../src/domain/plan-diff.js';
import type { Plan } from '../../src/domain/plan.js';
import { runCli } from '../support/cli-io.js';
import { compiled } from './plan-fixture.js';

const BASE = `plan: chat
version: 1
risk: { default: medium, floor: low, atLeast: [{ high: "has(context.domain)" }] }
limits: { maxConcurrentCritics: 10, maxConcurrentPerStage: { fast_critics: 5 } }
timeouts: { global: 60s, stages: { fast_critics: 10s } }
budget: { maxCost: 40 }
critics:
  pii: { uses: anything, with: { region: US, types: [card, email] }, stage: fast_critics, tags: [cheap] }
  finance: { uses: anything, stage: core_analysis, onFailure: { timed_out: deny } }
  deep: { uses: anything, stage: deep_analysis, dependsOn: [pii, finance], executionPolicy: on_uncertainty, requiredOutputFields: [score], validateOutput: "output.severity <= 1.0", maxConcurrent: 1, rateLimitPerSecond: 2, timeout: 40s }
  quiet: { uses: anything, stage: deep_analysis, mode: shadow, isolation: thread }
verdict:
  rules:
    - { deny: "findings.exists(f, f.severity >= 0.9)", reason: severe, decisive: true }
    - { escalate: "findings.exists(f, f.violations.size() > 0)", reason: violation }
  allowNeeds: { critics: [pii], coverage: 0.5 }
  otherwise: allow
`;

function changedText(from: string | RegExp, to: string): string {
  const changed = BASE.replace(from, to);
  if (changed === BASE) throw new Error(`there is no ${String(from)}`);
  return changed;
}

it('says onFailure where every failure changes alike', async () => {
  const [from, to] = ['deny', 'escalate'].map((word) => changedText('onFailure: { timed_out: deny }', `onFailure: ${word}`));
  const { changes: found } = diffPlans(await compiled(from ?? ''), await compiled(to ?? ''));
  // `skipped` has no effect of its own in either.
  expect(found.map(({ text, direction }) => `${text} [${direction}]`)).toEqual(['finance: onFailure: deny → escalate [looser]']);
});

it('tells of something that it does not know, also beside a new version', async () => {
  const plan = await compiled(BASE);
  const later = { ...plan, version: 2, hash: 'another' };
  expect(diffPlans(plan, later).changes.map(({ text }) => text)).toEqual(['version: 1 → 2']);
  expect(diffPlans(plan, { ...later, unknown: 1 } as Plan).changes.map(({ text }) => text)).toEqual([
    'version: 1 → 2',
    'something else of the compiled plan',
  ]);
});

/** The changes from the base to the base with one part changed. */
async function changes(from: string | RegExp, to: string): Promise<string[]> {
  const diff = diffPlans(await compiled(BASE), await compiled(changedText(from, to)));
  return diff.changes.map(({ text, direction }) => `${text} [${direction}]`);
}

describe('the difference of two plans', () => {
  const ROWS: readonly (readonly [from: string | RegExp, to: string, ...said: string[]])[] = [
    // policies
    [
      'finance: { uses: anything,',
      'finance: { uses: anything, executionPolicy: conditional, condition: "has(context.money)",',
      'finance: always → conditional (only if has(context.money)) [looser]',
    ],
    ['executionPolicy: on_uncertainty', 'executionPolicy: always', 'deep: on_uncertainty → always [stricter]'],
    ['executionPolicy: on_uncertainty', 'executionPolicy: on_violation', 'deep: on_uncertainty → on_violation [unranked]'],
    [
      'executionPolicy: on_uncertainty',
      'executionPolicy: on_uncertainty, uncertaintyThreshold: 0.8',
      'deep: uncertaintyThreshold: 0.7 → 0.8 [looser]',
    ],
    [
      'executionPolicy: on_uncertainty',
      'executionPolicy: on_uncertainty, uncertaintyThreshold: 0.6',
      'deep: uncertaintyThreshold: 0.7 → 0.6 [stricter]',
    ],
    // failures
    ['timed_out: deny', 'timed_out: escalate', 'finance: onFailure.timed_out: deny → escalate [looser]'],
    [
      'timed_out: deny',
      'timed_out: deny, failed: escalate, unavailable: escalate',
      'finance: onFailure (failed, unavailable): fail → escalate [looser]',
    ],
    ['timed_out: deny', 'timed_out: deny, invalid_output: deny', 'finance: onFailure.invalid_output: escalate → deny [stricter]'],
    // rules
    [
      'f.severity >= 0.9',
      'f.severity >= 0.95',
      'rule 1: deny when findings.exists(f, f.severity >= 0.9) → findings.exists(f, f.severity >= 0.95) [unranked]',
    ],
    [/\n.*\{ escalate: .*/, '', 'rule 2 removed: escalate when findings.exists(f, f.violations.size() > 0) (violation) [looser]'],
    [
      'rules:\n',
      'rules:\n    - { deny: "request.size > 1", reason: large }\n',
      'rule 1 added: deny when request.size > 1 (large) [stricter]',
    ],
    ['{ escalate: ', '{ deny: ', 'rule 2 (violation): escalate → deny [stricter]'],
    [
      /deny: (.*), decisive: true/,
      'escalate: $1',
      'rule 1 (severe): deny → escalate [looser]',
      'rule 1 (severe): decisive: true → false [neither]',
    ],
    ['reason: severe', 'reason: grave', 'rule 1: reason: severe → grave [neither]'],
    [
      /( {4}- \{ deny.*\n)( {4}- \{ esc.*\n)/,
      '$2$1',
      'rules: their order changed, which changes no decision: none can lower another [neither]',
    ],
    ['otherwise: allow', 'otherwise: escalate', 'otherwise: allow → escalate [stricter]'],
    // what allow needs
    ['critics: [pii], coverage: 0.5', 'coverage: 0.5', 'allowNeeds: allow no longer needs pii [looser]'],
    [
      'critics: [pii], coverage: 0.5',
      'critics: [pii, finance], coverage: 0.4',
      'allowNeeds: allow now needs finance [stricter]',
      'allowNeeds.coverage: 0.5 → 0.4 [looser]',
    ],
    ['critics: [pii], coverage: 0.5', 'critics: [pii]', 'allowNeeds.coverage: 0.5 → none [looser]'],
    // critics
    [/ {2}quiet: .*\n/, '', 'quiet: removed (anything in deep_analysis, shadow) [neither]'],
    ['mode: shadow', 'mode: enforce', 'quiet: shadow → enforce [stricter]'],
    ['deep: { uses: anything,', 'deep: { uses: anything, mode: shadow,', 'deep: enforce → shadow [looser]'],
    ['critics:\n', 'critics:\n  extra: { uses: plain, stage: validation }\n', 'extra: added (plain in validation) [stricter]'],
    [
      'stage: core_analysis',
      'stage: fast_critics',
      'finance: stage: core_analysis → fast_critics (what gates see of it, and its own of others, changes) [unranked]',
    ],
    ['uses: anything, stage: core_analysis', 'uses: plain, stage: core_analysis', 'finance: uses: anything → plain [unranked]'],
    [
      'region: US, types: [card, email]',
      'region: EU, types: [card], more: 1',
      'pii: with.more: none → 1 [unranked]',
      'pii: with.region: "US" → "EU" [unranked]',
      'pii: with.types: ["card","email"] → ["card"] [unranked]',
    ],
    ['dependsOn: [pii, finance]', 'dependsOn: [finance, pii]', 'deep: dependsOn: only the order changed [neither]'],
    ['dependsOn: [pii, finance]', 'dependsOn: [pii]', 'deep: no longer depends on finance [unranked]'],
    [
      'requiredOutputFields: [score]',
      'requiredOutputFields: [uncertainty]',
      'deep: its finding need not have score any more [looser]',
      'deep: its finding must now have uncertainty [stricter]',
    ],
    ['validateOutput: "output.severity <= 1.0",', '', 'deep: validateOutput: output.severity <= 1.0 → none [looser]'],
    ['tags: [cheap]', 'tags: [dear]', 'pii: tags: cheap → dear [neither]'],
    [
      'uses: anything, stage: deep_analysis, mode: shadow',
      'uses: anything, stage: deep_analysis, mode: shadow, onFailure: ignore',
      'quiet: onFailure (failed, timed_out, unavailable, not_reached, cancelled): fail → ignore [neither]',
      'quiet: onFailure (invalid_output, over_budget): escalate → ignore [neither]',
    ],
    // fallbacks
    [
      'critics:\n',
      'critics:\n  spare: { uses: plain, stage: core_analysis, fallbackFor: finance }\n',
      'spare: added (plain in core_analysis, fallback for finance) [looser]',
    ],
    // risk
    ['default: medium', 'default: low', 'risk.default: medium → low [looser]'],
    ['floor: low', 'floor: high', 'risk.floor: low → high [stricter]'],
    [/, atLeast: \[.*\]/, '', 'risk: no longer at least high if has(context.domain) [looser]'],
    ['{ high: "has', '{ critical: "has', 'risk if has(context.domain): high → critical [stricter]'],
    ['"has(context.domain)"', '"has(context.topic)"', 'risk: at least high if has(context.domain) → has(context.topic) [unranked]'],
    // limits and times
    ['maxConcurrentCritics: 10, ', '', 'limits.maxConcurrentCritics: 10 → no limit [neither]'],
    ['fast_critics: 5', 'fast_critics: 4', 'limits.maxConcurrentPerStage.fast_critics: 5 → 4 [neither]'],
    ['stages: { fast_critics: 10s }', 'stages: { fast_critics: 5s }', 'timeouts.stages.fast_critics: 10000 ms → 5000 ms [neither]'],
    ['timeout: 40s', 'timeout: 30s', 'deep: timeout: 40000 ms → 30000 ms [neither]'],
    ['timeout: 40s', 'timeout: 40s, isolation: thread', 'deep: isolation: none → thread [neither]'],
    [
      'maxConcurrent: 1, rateLimitPerSecond: 2',
      'maxConcurrent: 2, rateLimitPerSecond: 0.5',
      'deep: maxConcurrent: 1 → 2 [neither]',
      'deep: rateLimitPerSecond: 2 → 0.5 [neither]',
    ],
    ['budget: { maxCost: 40 }', 'budget: { maxCost: 20 }', 'budget.maxCost: 40 → 20 [neither]'],
    ['tags: [cheap]', 'tags: [cheap], costWeight: 4', 'pii: costWeight: 1 → 4 [unranked]'],
  ];

  it.each(ROWS.map(([from, to, ...said]) => ({ from, to, said })))('$from → $to', async ({ from, to, said }) => {
    const got = await changes(from, to);
    expect(got).toEqual(said);
  });

  it('is none when defaults are only written down, and names are told apart by case', async () => {
    const same = diffPlans(
      await compiled(BASE),
      await compiled(changedText('finance: { uses: anything,', 'finance: { uses: anything, maxRetries: 2, priority: 5,')),
    );
    expect(same).toMatchObject({ same: true, changes: [], warnings: [] });
    expect(await changes('region: US', 'Region: US')).toEqual([
      'pii: with.Region: none → "US" [unranked]',
      'pii: with.region: "US" → none [unranked]',
    ]);
  });

  it('of critics in another order is said as such, with what it means for the budget', async () => {
    const lines = / {2}pii: .*\n/.exec(BASE)?.[0] ?? '';
    const moved = BASE.replace(lines, '').replace('  finance:', '  other: { uses: anything, stage: fast_critics }\n  finance:');
    const one = await compiled(moved.replace('  other:', `${lines}  other:`));
    const two = await compiled(moved.replace('  finance:', `${lines}  finance:`));
    expect(diffPlans(one, two).changes).toEqual([
      { about: 'critics', text: 'critics: only their order changed, by which the budget is shared out', direction: 'unranked' },
    ]);
    const noBudget = (plan: Plan): Plan => ({ ...plan, budget: {} });
    expect(diffPlans(noBudget(one), noBudget(two)).changes[0]?.direction).toBe('neither');
  });

  it('ranks neither less time, nor fewer attempts, nor a smaller budget where the plan ignores what comes of it', async () => {
    const ignoring = BASE.replace('onFailure: { timed_out: deny }', 'onFailure: ignore');
    const shorter = ignoring
      .replace('onFailure: ignore', 'onFailure: ignore, maxRetries: 0, attemptTimeout: 1s')
      .replace('global: 60s', 'global: 50s')
      .replace('maxCost: 40', 'maxCost: 2');
    const { changes: found } = diffPlans(await compiled(ignoring), await compiled(shorter));
    expect(found.map(({ about, direction }) => [about, direction])).toEqual([
      ['timeouts.global', 'unranked'],
      ['budget.maxCost', 'unranked'],
      ['finance', 'unranked'],
      ['finance', 'unranked'],
    ]);
  });

  it('warns when the plan changed and its version did not, or went back', async () => {
    const two = BASE.replace('version: 1', 'version: 2');
    const warned = async (a: string, b: string): Promise<readonly string[]> => diffPlans(await compiled(a), await compiled(b)).warnings;
    expect(await warned(BASE, BASE.replace('0.9', '0.8'))).toEqual([
      'the version is still 1 although the plan changed: reports of both say chat@1',
    ]);
    expect(await warned(BASE, two)).toEqual([]);
    expect(await warned(two, BASE)).toEqual(['the version went back from 2 to 1']);
  });

  it('overlooks no value of a compiled plan', async () => {
    const plan = await compiled(BASE);
    const paths = leavesOf(plan).filter((path) => path[0] !== 'hash');
    expect(paths.length).toBeGreaterThan(60);
    const overlooked = paths.filter((path) => {
      const { changes: found } = diffPlans(plan, { ...mutated(plan, path), hash: 'another' });
      return found.length === 0 || found.some((change) => change.text.startsWith('something else'));
    });
    expect(overlooked.map((path) => path.join('.'))).toEqual([]);
  });
});

type Path = readonly (string | number)[];

function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, Array.isArray(value) ? Number(key) : key]));
}

/** The plan with another value at the path. */
function mutated(plan: Plan, path: Path): Plan {
  const copy = structuredClone(plan);
  let at: unknown = copy;
  for (const step of path.slice(0, -1)) at = Reflect.get(Object(at), step);
  const last = path.at(-1) ?? '';
  const value: unknown = Reflect.get(Object(at), last);
  Reflect.set(Object(at), last, typeof value === 'number' ? value + 1 : typeof value === 'boolean' ? !value : `${String(value)}x`);
  return copy;
}

describe('tribunal plan diff', () => {
  let dir: string;
  const at = (name: string): string => join(dir, name);
  const TEXT = BASE.replaceAll('uses: anything', 'uses: scripted').replace('with: { region: US, types: [card, email] }, ', '');
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tribunal-plan-diff-'));
    await writeFile(at('a.yaml'), TEXT);
    await writeFile(at('b.yaml'), TEXT.replace('timed_out: deny', 'timed_out: escalate').replace('otherwise: allow', 'otherwise: deny'));
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it('tells two versions of a plan apart in words, and exits 0 unless asked', async () => {
    const { exit, stdout, stderr } = await runCli(['plan', 'diff', at('a.yaml'), at('b.yaml')]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toContain('! the version is still 1 although the plan changed');
    expect(stdout).toContain('\n  finance: onFailure.timed_out: deny → escalate (looser)\n  otherwise: allow → deny (stricter)\n');
    expect(stdout).toContain('2 changes: 1 looser, 1 stricter\n');
  });

  it('with --exit-code exits 1 when they differ and 0 when they are the same', async () => {
    expect((await runCli(['plan', 'diff', at('a.yaml'), at('b.yaml'), '--exit-code'])).exit).toBe(1);
    const same = await runCli(['plan', 'diff', at('a.yaml'), at('a.yaml'), '--exit-code']);
    expect(same.exit).toBe(0);
    expect(same.stdout).toContain('are the same plan');
  });

  it('with --json prints one object', async () => {
    const { stdout } = await runCli(['plan', 'diff', at('a.yaml'), at('b.yaml'), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      a: { plan: 'chat', version: 1 },
      same: false,
      changes: [
        { about: 'finance', direction: 'looser' },
        { about: 'otherwise', direction: 'stricter' },
      ],
      warnings: [expect.stringContaining('version')],
    });
  });

  it('refuses a file that is not there in one sentence', async () => {
    const { exit, stdout, stderr } = await runCli(['plan', 'diff', at('a.yaml'), at('none.yaml')]);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expect(stderr).toContain('none.yaml');
  });
});
