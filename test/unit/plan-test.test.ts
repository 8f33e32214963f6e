/** Plans tested like code: their cases, run without a server. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPlan } from '../../src/plan-loader.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { testPlan, type PlanTest } from '../../src/plan-cases.js';
import { runCli } from '../support/cli-io.js';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'plans', 'example.yaml');

async function tested(text: string): Promise<PlanTest> {
  const loaded = await loadPlan({ file: 'plan.yaml', text }, makeRegistry());
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems, undefined, 2));
  return await testPlan(loaded.plan, loaded.cases);
}

const failuresOf = ({ cases }: PlanTest): string[] => cases.filter((one) => !one.passed).map((one) => one.name);

/** The text with one part changed; the part must be there. */
function planted(text: string, from: string | RegExp, to: string): string {
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`there is no ${String(from)}`);
  return changed;
}

const PLAN = `plan: guarded
version: 1
risk: { default: low, atLeast: [{ high: "has(context.domain) && context.domain == 'medical'" }] }
timeouts: { global: 60s }
defaults: { dispatch: local }
critics:
  pii: { uses: pii, stage: fast_critics, onFailure: deny }
  tone: { uses: scripted, stage: core_analysis, executionPolicy: on_violation }
  doctor: { uses: scripted, stage: core_analysis, executionPolicy: on_high_risk, onFailure: { failed: escalate, timed_out: ignore } }
  after: { uses: scripted, stage: core_analysis, dependsOn: [tone], costWeight: 3 }
verdict:
  rules:
    - { deny: 'findings.exists(f, f.severity >= 0.9)', reason: severe }
    - { escalate: 'findings.exists(f, f.violations.size() > 0)', reason: violation }
  allowNeeds: { critics: [pii] }
  otherwise: allow
cases:
`;
const withCases = (...lines: readonly string[]): string => PLAN + lines.map((line) => `  - ${line}\n`).join('');

describe('a plan for a chat product', () => {
  it.each(['chat.yaml', 'chat_with_judges.yaml'])('%s passes its cases, and they try every rule, gate and failure', async (name) => {
    const { cases, coverage } = await tested(await readFile(join(EXAMPLE, '..', name), 'utf8'));
    expect(cases.filter((one) => !one.passed)).toEqual([]);
    expect(cases.length).toBeGreaterThan(10);
    expect(coverage.filter(({ covered }) => !covered)).toEqual([]);
  });
});

describe('a case of a plan', () => {
  it('gives every critic that it does not name a clean success', async () => {
    const { cases } = await tested(
      withCases('{ name: clean, expect: { decision: allow, gated: [tone, doctor, after], ran: [pii], outcomes: { pii: succeeded } } }'),
    );
    expect(cases).toEqual([{ name: 'clean', passed: true, differences: [], notes: [] }]);
  });

  it('compares lists as sets, to the last name, and tells in words what came out otherwise', async () => {
    const { cases } = await tested(
      withCases(
        '{ name: order, expect: { decision: allow, gated: [after, doctor, tone] } }',
        '{ name: short, expect: { decision: deny, gated: [tone, pii], ran: [], outcomes: { doctor: failed } } }',
      ),
    );
    expect(cases[0]?.passed).toBe(true);
    expect(cases[1]).toMatchObject({
      passed: false,
      differences: [
        'decision: expected deny, got allow, for no rule held and nothing failed',
        'gated: pii is expected there and ended as succeeded',
        'gated: doctor is there (gated) and not expected',
        'gated: after is there (gated) and not expected',
        'ran: pii is there (succeeded) and not expected',
        'doctor: expected failed, got gated',
      ],
    });
  });

  it('reaches gates and risk rules by findings, context and tier, as a request does', async () => {
    const result = await tested(
      withCases(
        '{ name: violation, given: { findings: { pii: { severity: 0.2, violations: [{ code: a, message: b }] } } }, expect: { decision: escalate, ran: [pii, tone, after] } }',
        '{ name: medical, given: { context: { domain: medical } }, expect: { decision: allow, ran: [pii, doctor] } }',
        '{ name: tier, given: { riskTier: critical }, expect: { decision: allow, ran: [pii, doctor] } }',
        '{ name: tier of the context, given: { context: { riskTier: high } }, expect: { decision: allow, ran: [pii, doctor] } }',
      ),
    );
    expect(failuresOf(result)).toEqual([]);
  });

  it('has a dead critic mean what the plan says about it', async () => {
    const result = await tested(
      withCases(
        '{ name: deny, given: { outcomes: { pii: unavailable } }, expect: { decision: deny } }',
        '{ name: escalate, given: { riskTier: high, outcomes: { doctor: failed } }, expect: { decision: escalate } }',
        '{ name: ignore, given: { riskTier: high, outcomes: { doctor: timed_out } }, expect: { decision: allow } }',
        '{ name: fail, given: { riskTier: high, outcomes: { doctor: unavailable } }, expect: { decision: not_judged } }',
      ),
    );
    expect(failuresOf(result)).toEqual([]);
  });

  it('that gives an end which only follows from others, or a request that would be refused, fails and says why', async () => {
    const { cases } = await tested(
      withCases(
        '{ name: gated, given: { outcomes: { pii: gated } }, expect: { decision: allow } }',
        '{ name: both, given: { findings: { pii: { severity: 1 } }, outcomes: { pii: failed } }, expect: { decision: deny } }',
        '{ name: tiers, given: { riskTier: low, context: { riskTier: high } }, expect: { decision: allow } }',
      ),
    );
    expect(cases.map(({ passed, differences }) => [passed, differences[0]])).toEqual([
      [false, 'given: pii cannot be made to end as gated, which follows from how others end'],
      [false, 'given: pii has a finding and ends as failed; only what succeeds has a finding'],
      [false, expect.stringContaining('given: context.riskTier is high and riskTier is low')],
    ]);
  });

  it('that gives something for a critic which never ran is told so', async () => {
    const { cases } = await tested(withCases('{ name: unasked, given: { outcomes: { tone: failed } }, expect: { decision: allow } }'));
    expect(cases[0]).toMatchObject({ passed: true, notes: ['tone did not run (gated), so that what is given for it was not used'] });
  });
});

describe('the coverage of cases', () => {
  it('names each rule that never fired, each gate that only stood one way, and each critic that never failed', async () => {
    const { coverage, coverageShare } = await tested(withCases('{ name: clean, expect: { decision: allow } }'));
    expect(coverage.filter((item) => !item.covered).map((item) => item.gap)).toEqual([
      'rule 1 (severe) never fired',
      'rule 2 (violation) never fired',
      'risk rule 1 (at least high) never held',
      'tone: its gate was never open',
      'doctor: its gate was never open',
      'pii failed in no case',
      'tone failed in no case',
      'doctor failed in no case',
      'after failed in no case',
    ]);
    expect(coverageShare).toBeCloseTo(2 / 11);
  });

  it('counts what a dependency or a fallback made of a critic as no decision of its gate and no failure of its own', async () => {
    const skipped =
      '{ name: skipped, given: { findings: { pii: { severity: 0.2, violations: [{ code: a, message: b }] } }, outcomes: { tone: failed } }, expect: { decision: not_judged, outcomes: { after: skipped } } }';
    const { coverage } = await tested(planted(withCases(skipped), 'after: {', 'after: { executionPolicy: on_violation,'));
    const covered = coverage.filter((item) => item.covered).map(({ kind, subject }) => `${kind} ${subject}`);
    expect(covered).toEqual(['rule 2', 'gate_open tone', 'gate_closed doctor', 'failure tone']);
  });

  it('of rules that share a reason looks at each alone', async () => {
    const twins = planted(
      withCases('{ name: severe, given: { findings: { pii: { severity: 1 } } }, expect: { decision: deny } }'),
      'reason: violation',
      'reason: severe',
    );
    const { coverage } = await tested(twins);
    expect(coverage.filter((item) => item.kind === 'rule').map((item) => item.covered)).toEqual([true, false]);
  });
});

describe('a rule that was made looser', () => {
  /** What somebody might write without a word, each of which lets more pass. */
  const PLANTED: readonly (readonly [what: string, from: string | RegExp, to: string])[] = [
    ['a threshold that was raised', 'f.severity >= 0.9', 'f.severity >= 0.95'],
    ['a condition that became strict', 'f.severity >= 0.9', 'f.severity > 0.9'],
    ['a deny that became an escalate', /deny: (.*), decisive: true/, 'escalate: $1'],
    ['a deny rule that was removed', /\n\s+- \{ deny: .*/, ''],
    ['an escalate rule that was removed', /\n\s+- \{ escalate: .*/, ''],
    [
      'a critic that looks no more at everything',
      'pii: { uses: pii,',
      'pii: { uses: pii, executionPolicy: conditional, condition: "request.size > 1000",',
    ],
    ['a failure that is ignored', 'pii: { uses: pii,', 'pii: { uses: pii, onFailure: ignore,'],
    ['a critic whose findings change nothing', /secrets: \{ uses: secrets,/, 'secrets: { uses: scripted, mode: shadow,'],
    ['a condition that opens no more', "context.domain == 'financial'", "context.domain == 'finance'"],
    ['a gate that opens no more', 'executionPolicy: on_violation', 'executionPolicy: on_high_risk'],
  ];

  it.each(PLANTED)('is found by the cases of the example plan: %s', async (_, from, to) => {
    const text = await readFile(EXAMPLE, 'utf8');
    expect(failuresOf(await tested(text))).toEqual([]);
    // Shadow critics may not be needed; that refusal is another guard.
    const changed = planted(text, from, to).replace('allowNeeds: { critics: [secrets, pii] }', 'allowNeeds: { coverage: 0.1 }');
    expect(failuresOf(await tested(changed))).not.toEqual([]);
  });

  it('is found by a case that has the critic fail: deny → ignore, deny → escalate', async () => {
    const text = withCases('{ name: a dead pii denies, given: { outcomes: { pii: failed } }, expect: { decision: deny } }');
    expect(failuresOf(await tested(text))).toEqual([]);
    for (const effect of ['ignore', 'escalate', 'fail'])
      expect(failuresOf(await tested(planted(text, 'onFailure: deny', `onFailure: ${effect}`)))).toEqual(['a dead pii denies']);
  });
});

describe('tribunal plan test', () => {
  let dir: string;
  const at = (name: string): string => join(dir, name);
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tribunal-plan-test-'));
    await writeFile(at('good.yaml'), withCases('{ name: clean, expect: { decision: allow } }'));
    await writeFile(at('wrong.yaml'), planted(withCases('{ name: clean, expect: { decision: deny } }'), 'guarded', 'other'));
    await writeFile(at('none.yaml'), PLAN.replace('cases:\n', ''));
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  it('exits 0 when all cases pass and says what was never tried', async () => {
    const { exit, stdout, stderr } = await runCli(['plan', 'test', at('good.yaml')]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toContain('  ok    clean\n');
    expect(stdout).toContain('1 cases: 1 passed, 0 failed');
    expect(stdout).toContain('2 of 11 rules, gates and failures were tried (18.2 %); not tried:\n    rule 1 (severe) never fired\n');
  });

  it('exits 1 when one fails and says what differed', async () => {
    const { exit, stdout } = await runCli(['plan', 'test', at('good.yaml'), at('wrong.yaml')]);
    expect(exit).toBe(1);
    expect(stdout).toContain('  FAIL  clean\n          decision: expected deny, got allow');
  });

  it('exits 1 when less is covered than was asked for', async () => {
    expect((await runCli(['plan', 'test', at('good.yaml'), '--min-coverage', '10'])).exit).toBe(0);
    const { exit, stdout } = await runCli(['plan', 'test', at('good.yaml'), '--min-coverage', '50']);
    expect(exit).toBe(1);
    expect(stdout).toContain('the cases cover too little: 18.2 %, 50 % are asked for');
    expect(await runCli(['plan', 'test', at('good.yaml'), '--min-coverage', 'all'])).toMatchObject({ exit: 2, stdout: '' });
  });

  it('warns of a plan without cases, which is no failure unless a coverage is asked for', async () => {
    const { exit, stdout } = await runCli(['plan', 'test', at('none.yaml')]);
    expect(exit).toBe(0);
    expect(stdout).toContain('warning: has no cases, so nothing of it was tested');
    expect((await runCli(['plan', 'test', at('none.yaml'), '--min-coverage', '1'])).exit).toBe(1);
  });

  it('with --json prints one object a plan', async () => {
    const { exit, stdout } = await runCli(['plan', 'test', at('wrong.yaml'), '--json']);
    expect(exit).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      plan: 'other',
      version: 1,
      passed: 0,
      failed: 1,
      cases: [{ name: 'clean', passed: false, differences: [expect.stringContaining('expected deny, got allow')] }],
      coverage: { items: 11, gaps: expect.arrayContaining([{ kind: 'rule', subject: '1', gap: 'rule 1 (severe) never fired' }]) },
    });
  });

  it('tells a plan that does not load like any other command', async () => {
    await writeFile(at('broken.yaml'), PLAN.replace('fast_critics', 'fast_critic'));
    const { exit, stdout, stderr } = await runCli(['plan', 'test', at('broken.yaml')]);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expect(stderr).toContain('broken.yaml:');
  });
});
