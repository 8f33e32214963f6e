/** `tribunal assess` as it is typed: what it prints and writes, and what it says to mistakes. */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli-io.js';

const folder = mkdtempSync(join(tmpdir(), 'assess-cli-'));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const set = file(
  'set.jsonl',
  [
    { id: 'card', text: 'my card is 4111 1111 1111 1111', labels: { pii: true }, expected: { verdict: 'deny' }, stratum: 'risky' },
    { id: 'name', text: 'my name\u001b[31m is Ann', labels: { pii: true }, expected: { verdict: 'deny' }, stratum: 'risky' },
    { id: 'plain', text: 'good day', labels: { pii: false }, expected: { verdict: 'allow' }, stratum: 'calm' },
  ]
    .map((row) => JSON.stringify(row))
    .join('\n'),
);
const plan = file(
  'plan.yaml',
  `plan: tried
version: 2
timeouts: { global: 10s }
critics:
  pii: { uses: pii, stage: fast_critics, dispatch: local }
  again: { uses: pattern, stage: deep_analysis, dependsOn: [pii], with: { words: [{ word: Ann, severity: 0.5 }] } }
verdict:
  rules: [{ deny: 'findings.exists(f, f.severity >= 0.9)', reason: severe }]
  otherwise: allow
`,
);

const assess = async (...args: readonly string[]) => await runCli(['assess', '--no-cache', '--set', set, ...args]);

describe('tribunal assess', () => {
  it('judges single critics with the options that are given', async () => {
    const all = await assess('--critics', 'pii,secrets');
    expect(all).toMatchObject({ exit: 0, stderr: '' });
    expect(all.stdout).toMatch(/Assessment of pii, secrets\n3 records from 1 file, 2 critics, 6 runs/);
    expect(all.stdout).toMatch(/pii +pii +3 +100 % \(20\.7–100\) +50 % \(9\.5–90\.5\)/);
    expect(all.stdout).not.toContain('Gating');
    const none = await assess('--critics', 'pii', '--with', 'pii={"types":["email"]}', '--json');
    expect(JSON.parse(none.stdout)).toMatchObject({ v: 1, critics: [{ families: [{ family: 'pii', hits: 0, misses: 2 }] }] });
  });

  it('judges a plan with its verdicts and gates', async () => {
    const { stdout, exit } = await assess('--plan', plan);
    expect(exit).toBe(0);
    expect(stdout).toContain('Assessment of plan tried@2');
    expect(stdout).toMatch(/deny +1 +0 +1 +0 +1 of 2/);
    expect(stdout).toContain('Gating over the sets: what it saves');
  });

  it('judges single critics of a plan, with what they wait for and without its verdict', async () => {
    const { stdout } = await assess('--plan', plan, '--critics', 'again', '--json');
    const assessment = JSON.parse(stdout) as { critics: { name: string }[] };
    expect(assessment.critics.map(({ name }) => name)).toEqual(['pii', 'again']);
    expect(assessment).not.toHaveProperty('gating');
  });

  it('writes JSON, Markdown and a page where asked', async () => {
    const out = join(folder, 'out');
    const { stderr } = await assess('--plan', plan, '--out', out);
    expect(stderr).toContain('assessment.html');
    expect(JSON.parse(readFileSync(join(out, 'assessment.json'), 'utf8'))).toMatchObject({ v: 1, plan: { name: 'tried' } });
    expect(readFileSync(join(out, 'assessment.md'), 'utf8')).toContain('# Assessment of plan tried@2');
    expect(readFileSync(join(out, 'assessment.html'), 'utf8')).toMatch(/^<!doctype html>/);
  });

  it('shows texts of records only where asked, and then so that no terminal obeys them', async () => {
    expect((await assess('--critics', 'pii')).stdout).not.toContain('Ann');
    const shown = await assess('--critics', 'pii', '--show-misses', '5');
    expect(shown.stdout).toContain('pii, pii, missed: name: my name\\u001b[31m is Ann');
    expect(shown.stdout).not.toContain('\u001b');
    const json = await assess('--critics', 'pii', '--show-misses', '5', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ misjudged: [{ id: 'name', what: 'missed' }] });
  });

  it('draws the same sample for the same seed, and says of how many', async () => {
    const draw = async (seed: string): Promise<{ strata: unknown; sample: unknown; records: number }> =>
      JSON.parse((await assess('--critics', 'pii', '--sample', '1', '--seed', seed, '--json')).stdout) as never;
    const first = await draw('1');
    expect(first).toMatchObject({ records: 1, sample: { of: 3, seed: 1 } });
    expect((await draw('1')).strata).toEqual(first.strata);
    const strata = await Promise.all(['1', '2', '3', '4', '5'].map(async (seed) => JSON.stringify((await draw(seed)).strata)));
    expect(new Set(strata).size).toBeGreaterThan(1);
  });

  it('looks at a mix and at a sweep', async () => {
    const mixed = await assess('--plan', plan, '--mix', 'calm=0.9,risky=0.1', '--mix-size', '20');
    expect(mixed.stdout).toMatch(/calm +90 % +18 +1 +calm/);
    const inFile = await assess('--plan', plan, '--mix', file('mix.json', '{"calm": 1}'), '--mix-size', '4');
    expect(inFile.stdout).toMatch(/calm +100 % +4 +1 +calm/);
    const swept = await assess('--plan', plan, '--sweep', 'pii.severities.credit_card=0.8..1:0.1');
    expect(swept.stdout).toContain('Sweep of pii.severities.credit_card');
    expect(swept.stdout).toMatch(/0\.8 .* 0 % \([^)]+\)\n/);
    expect(swept.stdout).toMatch(/0\.9 .* 50 % \([^)]+\)\n/);
  });
});

describe('docs/assess.md', () => {
  const paper = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'assess.md'), 'utf8');

  it('shows a row that is read as it says', async () => {
    const [, row = ''] = /```json\n(.+)\n```/.exec(paper) ?? [];
    const { stdout } = await runCli(['assess', '--no-cache', '--critics', 'pii', '--json', '--set', file('paper.jsonl', row)]);
    expect(JSON.parse(stdout)).toMatchObject({
      critics: [{ families: [{ hits: 1 }], spans: { types: [{ type: 'CREDIT_CARD', found: 1 }] } }],
    });
  });

  it('names options that there are', async () => {
    const { stdout } = await runCli(['assess', '--help']);
    const named = new Set(Array.from(paper.matchAll(/--[a-z][a-z-]+/g), ([option]) => option));
    expect(named.size).toBeGreaterThan(10);
    expect([...named].filter((option) => !stdout.includes(option))).toEqual([]);
  });

  it('begins with a command that finds what the example set holds', async () => {
    const { exit, stdout } = await runCli([
      'assess',
      '--no-cache',
      '--critics',
      'pii,secrets',
      '--set',
      'examples/sets/support-chat.jsonl',
    ]);
    expect(exit).toBe(0);
    expect(stdout).toContain('8 records from 1 file');
    expect(stdout).toMatch(/personal +3 of 3 = 100 %/);
  });
});

describe('a mistake', () => {
  const bad = file('bad.jsonl', '{"text":"good"}\n{"text":"hidden words","labels":{"pii":"yes"}}\nhidden words\n');

  it.each([
    [
      'rows that are no records',
      ['--critics', 'pii', '--set', bad],
      /bad\.jsonl:2: labels\.pii must be true or false[^]*bad\.jsonl:3: [^]*nothing was run/,
    ],
    ['a set that is not there', ['--critics', 'pii', '--set', 'nowhere'], /nowhere: there is no such file or folder/],
    ['a critic that is not there', ['--critics', 'pi'], /no implementation called "pi"/],
    [
      'options that the critic refuses',
      ['--critics', 'pii', '--with', 'pii={"types":["emial"]}'],
      /critics\.pii\.with\.types\.0 must be one of/,
    ],
    ['options that are not JSON', ['--critics', 'pii', '--with', 'pii={types}'], /--with pii: the options are not JSON/],
    ['options of another critic', ['--critics', 'pii', '--with', 'secrets={}'], /secrets is not among --critics pii/],
    ['options beside a plan', ['--plan', plan, '--with', 'pii={}'], /a plan has its own options/],
    ['a critic that the plan has not', ['--plan', plan, '--critics', 'tone'], /plan tried has no critic "tone"; it has pii, again/],
    ['a sample of none', ['--critics', 'pii', '--sample', '0'], /--sample: "0" is no whole number/],
    ['a sweep of no range', ['--plan', plan, '--sweep', 'pii.x=1'], /is not of the form critic\.option=from\.\.to/],
    ['a sweep that the critic refuses', ['--plan', plan, '--sweep', 'pii.x=0..1'], /pii refuses x = 0/],
    ['a mix whose shares are not 1 together', ['--plan', plan, '--mix', 'calm=0.9,risky=0.15'], /the shares add up to 1\.05/],
    ['a mix of unknown strata', ['--plan', plan, '--mix', 'calmm=1'], /no record is of the stratum "calmm"/],
    ['a severity beyond 1', ['--critics', 'pii', '--flag-severity', '2'], /--flag-severity: "2" is no number from 0 to 1/],
    ['a family for nobody', ['--critics', 'pii', '--judges', 'pii'], /is not of the form critic=family/],
  ])('in %s exits 2 with one sentence, and nothing is written', async (_, args, sentence) => {
    const out = join(folder, 'never');
    const { exit, stdout, stderr } = await assess(...args, '--out', out);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain('hidden words');
    expect(existsSync(out)).toBe(false);
  });

  it('in the plan is told as by every other command', async () => {
    const { exit, stderr } = await assess('--plan', file('broken.yaml', 'plan: broken\n'));
    expect(exit).toBe(1);
    expect(stderr).toContain('broken.yaml');
  });
});
