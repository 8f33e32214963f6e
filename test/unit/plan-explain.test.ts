/** Which critics of a plan would run over a record, and why, without a server. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, type CliRun } from '../support/cli-io.js';

const PLAN = `plan: explained
version: 4
risk: { default: low, floor: medium, atLeast: [{ high: "has(context.domain) && context.domain == 'medical'" }, { critical: "has(context.age) && context.age < 10" }] }
timeouts: { global: 60s, stages: { core_analysis: 20s } }
limits: { maxConcurrentPerStage: { core_analysis: 3 } }
critics:
  pii: { uses: pattern, with: { patterns: [{ re: forbidden, severity: 0.4, code: word }] }, stage: fast_critics, dispatch: local }
  tone: { uses: scripted, stage: core_analysis, executionPolicy: on_violation, costWeight: 3, timeout: 8s }
  doctor: { uses: scripted, stage: core_analysis, executionPolicy: on_high_risk }
  money: { uses: scripted, stage: core_analysis, executionPolicy: conditional, condition: "has(context.amount) && context.amount > 1000.0" }
  unsure: { uses: scripted, stage: core_analysis, executionPolicy: on_uncertainty }
  after: { uses: scripted, stage: deep_analysis, dependsOn: [tone] }
verdict:
  rules: [{ escalate: 'findings.exists(f, f.violations.size() > 0)', reason: violation }]
  otherwise: allow
`;

let dir: string;
const at = (name: string): string => join(dir, name);
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tribunal-explain-'));
  // A remote critic that was asked would leave a file.
  await writeFile(
    at('plan.yaml'),
    PLAN.replace('doctor: { uses: scripted,', `doctor: { uses: scripted, with: { record: ${JSON.stringify(at('calls'))} },`),
  );
  await writeFile(at('tribunal.yaml'), 'name: own\nplans: [plan.yaml]\n');
  const records = ['{"content":"nothing"}', '', '{"content":"a forbidden word","context":{"domain":"medical","amount":5000}}'];
  await writeFile(at('records.jsonl'), records.join('\n'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

const explain = (...args: readonly string[]): Promise<CliRun> => runCli(['plan', 'explain', ...args]);
/** The line of a critic in the first table, without the blanks that align it. */
const lineOf = (stdout: string, critic: string): string | undefined =>
  new RegExp(`^ {2}${critic} .*$`, 'm').exec(stdout)?.[0].trim().replace(/ {2,}/g, ' | ');

describe('tribunal plan explain', () => {
  it('says of every critic whether it would run and why, with each condition and the values that it saw', async () => {
    const { exit, stdout, stderr } = await explain(at('plan.yaml'), '--content', 'x');
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toContain('1 of 6 critics would run, cost weight 1 of 8');
    expect(['pii', 'tone', 'doctor', 'money', 'unsure', 'after'].map((name) => lineOf(stdout, name))).toEqual([
      'pii | fast_critics | run | always',
      'tone | core_analysis | gated | on_violation (violations = 0); looks at pii',
      'doctor | core_analysis | gated | on_high_risk, which begins at high (riskTier = "medium")',
      'money | core_analysis | gated | if has(context.amount) && context.amount > 1000.0: false',
      'unsure | core_analysis | gated | on_uncertainty (threshold = 0.7, mostUncertain = 0); looks at pii',
      'after | deep_analysis | gated | gated with tone (tone = "gated")',
    ]);
    expect(stdout).toContain('No critic was run: all are assumed to succeed and to find nothing.');
    expect(stdout).toContain('With these findings the decision would be allow');
  });

  it('says how the risk tier came: the caller or the default, the floor, each rule with its values', async () => {
    const { stdout } = await explain(at('plan.yaml'), `${at('records.jsonl')}:3`);
    expect(stdout).toContain('Risk: high\n');
    expect(stdout).toMatch(/the plan's default\s+low, since the caller says nothing/);
    expect(stdout).toMatch(/at least\s+medium by the plan's floor/);
    expect(stdout).toMatch(/at least high\s+if has\(context.domain\) && .*: true \(context.domain = "medical"\)/);
    expect(stdout).toMatch(/at least critical\s+if .*: false/);
    expect(lineOf(stdout, 'doctor')).toBe('doctor | core_analysis | run | on_high_risk, which begins at high (riskTier = "high")');
    expect(lineOf(stdout, 'money')).toContain('run | if has(context.amount) && context.amount > 1000.0: true (context.amount = 5000)');
    expect((await explain(at('plan.yaml'), '--content', 'x', '--risk', 'critical')).stdout).toMatch(/the caller says\s+critical/);
  });

  it('says that a condition or risk rule erred, and that it therefore counts', async () => {
    const { stdout } = await explain(at('plan.yaml'), '--content', 'x', '--context', 'amount=much', '--context', 'age=nine');
    expect(stdout).toContain('Risk: critical');
    expect(stdout).toMatch(/at least critical\s+if .*: erred, so it holds: /);
    expect(lineOf(stdout, 'money')).toMatch(/^money \| core_analysis \| run \| if .*: it erred, so the critic runs: /);
  });

  it('assumes other findings and ends where asked', async () => {
    const violation = '{"severity":0.4,"violations":[{"code":"email","message":"an address"}],"uncertainty":0.9}';
    const given = await explain(at('plan.yaml'), '--content', 'x', '--findings', `pii=${violation}`);
    expect(lineOf(given.stdout, 'tone')).toBe(
      'tone | core_analysis | run | on_violation (violations = 1, pii = "succeeded"); looks at pii',
    );
    expect(lineOf(given.stdout, 'unsure')).toContain('| run |');
    expect(lineOf(given.stdout, 'after')).toContain('| run |');
    expect(given.stdout).toMatch(/the decision would be escalate, if tone, [a-z, ]+ find nothing:\n {2}escalate: violation/);
    await writeFile(at('findings.json'), `{"pii":${violation}}`);
    expect((await explain(at('plan.yaml'), '--content', 'x', '--findings', at('findings.json'))).stdout).toBe(given.stdout);

    const failed = await explain(at('plan.yaml'), '--content', 'x', '--outcomes', 'pii=timed_out', '--outcomes', 'tone=failed');
    expect(lineOf(failed.stdout, 'tone')).toContain('| run | on_violation (violations = 0, pii = "timed_out")');
    expect(lineOf(failed.stdout, 'after')).toBe('after | deep_analysis | skipped | skipped with tone (tone = "failed")');
    expect(failed.stdout).toContain('the decision would be not judged');
  });

  it('runs the local critics where asked, and no remote one', async () => {
    const { exit, stdout } = await explain(at('plan.yaml'), `${at('records.jsonl')}:3`, '--run-local');
    expect(exit).toBe(0);
    expect(lineOf(stdout, 'doctor')).toContain('| run |');
    expect(existsSync(at('calls'))).toBe(false);
    expect(stdout).toContain('Local critics were run; remote ones are assumed to find nothing.');
    expect(lineOf(stdout, 'tone')).toBe('tone | core_analysis | run | on_violation (violations = 1, pii = "succeeded"); looks at pii');
    // What is assumed of a local critic goes over running it.
    const assumed = await explain(at('plan.yaml'), `${at('records.jsonl')}:3`, '--run-local', '--findings', 'pii=0');
    expect(lineOf(assumed.stdout, 'tone')).toContain('| gated |');
  });

  it('shows lanes, limits and time-outs', async () => {
    const { stdout } = await explain('explained', '--file', at('tribunal.yaml'), '--content', 'x');
    const [, where = ''] = stdout.split('Where, and for how long');
    expect(lineOf(where, 'pii')).toBe('pii | 1s | 60s | 0 | 1 | - | local');
    expect(lineOf(where, 'tone')).toBe('tone | 5s | 8s | 2 | 3 | 3 in its stage | own/p/explained/core_analysis');
    expect(lineOf(where, 'doctor')).toBe('doctor | 5s | 20s | 2 | 1 | 3 in its stage | own/p/explained/core_analysis');
    expect(lineOf(where, 'after')).toBe('after | 5s | 60s | 2 | 1 | - | own/p/explained');
  });

  it('with --json prints one object', async () => {
    const { stdout } = await explain(at('plan.yaml'), '--content', 'x', '--gating', 'off', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      plan: 'explained',
      version: 4,
      at: '--content',
      bytes: 5,
      risk: {
        tier: 'medium',
        said: 'low',
        saidBy: 'default',
        floor: 'medium',
        rules: [
          { tier: 'high', holds: false },
          { tier: 'critical', holds: false },
        ],
      },
      critics: expect.arrayContaining([
        expect.objectContaining({
          name: 'money',
          runs: true,
          gate: { open: true, by: 'gating_off', policy: 'conditional' },
          lane: 'tribunal/p/explained/core_analysis',
          timeoutMs: 20_000,
        }),
      ]),
      decision: 'allow',
    });
  });

  it('shows nothing of the content, and obeys no escape of the record', async () => {
    await writeFile(at('escape.json'), JSON.stringify({ content: 'SECRET-CONTENT', context: { domain: '\u001b[31mred' } }));
    const { stdout } = await explain(at('plan.yaml'), at('escape.json'));
    expect(stdout).not.toContain('SECRET-CONTENT');
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain('red');
  });

  const REFUSED: readonly (readonly [what: string, args: () => readonly string[], says: string])[] = [
    ['no record', () => [at('plan.yaml')], 'name one record'],
    ['a record and a text', () => [at('plan.yaml'), at('records.jsonl'), '--content', 'x'], 'name one record'],
    ['a file of many records', () => [at('plan.yaml'), at('records.jsonl')], 'holds 2 records: name one, such as'],
    ['a line without a record', () => [at('plan.yaml'), `${at('records.jsonl')}:2`], 'there is no record on this line'],
    ['a file that is not there', () => [at('plan.yaml'), at('none.json')], 'there is no such file'],
    ['a plan that the deployment does not have', () => ['other', '--file', at('tribunal.yaml'), '--content', 'x'], 'it has explained'],
    ['a critic that the plan does not have', () => [at('plan.yaml'), '--content', 'x', '--findings', 'pi=0.5'], 'has no critic "pi"'],
    [
      'what is no finding',
      () => [at('plan.yaml'), '--content', 'x', '--findings', 'pii={"severity":2}'],
      '--findings pii.severity must be',
    ],
    ['a finding that is not JSON', () => [at('plan.yaml'), '--content', 'x', '--findings', 'pii=high'], 'is not JSON'],
    ['an unknown outcome', () => [at('plan.yaml'), '--content', 'x', '--outcomes', 'pii=dead'], 'outcomes are succeeded, failed'],
    [
      'an outcome that follows from others',
      () => [at('plan.yaml'), '--content', 'x', '--outcomes', 'pii=skipped'],
      'follows from how others end',
    ],
    ['content beyond all limits', () => [at('plan.yaml'), '--content', 'x'.repeat(300_000)], '262144'],
  ];
  it.each(REFUSED)('refuses %s in one sentence with exit code 2', async (_, args, says) => {
    const { exit, stdout, stderr } = await explain(...args());
    expect({ exit, stdout }, stderr).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toMatch(/^tribunal: /);
    expect(stderr).toContain(says);
  });
});
