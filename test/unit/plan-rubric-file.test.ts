/** A rubric in a file of its own: read when the plan is loaded, and pinned with it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeRegistry } from '../../src/critics/registry.js';
import { formatProblem, loadPlan, readPlanInput } from '../../src/plan-loader.js';

const dir = mkdtempSync(join(tmpdir(), 'tribunal-rubric-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const planOf = (options: string): string => `plan: judged
version: 1
timeouts: { global: 30s }
critics:
  harm:
    uses: llm_judge
    stage: core_analysis
    with: { model: small, url: 'https://models.example/v1', ${options} }
verdict: { otherwise: allow }
`;

async function load(options: string, uses = 'llm_judge') {
  writeFileSync(join(dir, 'plan.yaml'), planOf(options).replace('llm_judge', uses));
  return loadPlan(await readPlanInput(join(dir, 'plan.yaml')), makeRegistry());
}

async function problemsOf(options: string, uses?: string): Promise<string[]> {
  const loaded = await load(options, uses);
  if (loaded.ok) throw new Error('the plan was accepted');
  return loaded.problems.map((problem) => formatProblem(problem).replace(`${dir}/`, ''));
}

describe('rubricFile', () => {
  it('is read from the folder of the plan, and the pinned plan holds its text', async () => {
    mkdirSync(join(dir, 'rubrics'));
    writeFileSync(join(dir, 'rubrics/harm.md'), '\ufeffNothing that hurts people.\n\nSchön.\n\n');
    const loaded = await load('rubricFile: rubrics/harm.md');
    const inline = await load(String.raw`rubric: "Nothing that hurts people.\n\nSchön."`);
    if (!loaded.ok || !inline.ok) throw new Error(JSON.stringify([loaded, inline]));
    expect(loaded.plan.critics[0]?.with).toEqual({
      model: 'small',
      url: 'https://models.example/v1',
      rubric: 'Nothing that hurts people.\n\nSchön.',
    });
    expect(loaded.plan.hash).toBe(inline.plan.hash);
  });

  it('changes the hash of the plan when its text changes', async () => {
    writeFileSync(join(dir, 'rubric.md'), 'One.');
    const one = await load('rubricFile: rubric.md');
    writeFileSync(join(dir, 'rubric.md'), 'Another.');
    const other = await load('rubricFile: rubric.md');
    expect(one.ok && other.ok && one.plan.hash !== other.plan.hash).toBe(true);
  });

  it.each([
    ['rubricFile: nowhere.md', 'the file nowhere.md cannot be read: there is no such file'],
    ['rubricFile: .', 'the file . cannot be read: it is no file'],
    ['rubricFile: latin1.md', 'the file latin1.md cannot be read: it is not UTF-8'],
    ['rubricFile: long.md', 'the file long.md has 8193 bytes, and all options of a critic have at most 8192'],
    ['rubricFile: 7', 'must be the path of a file, from the folder of the plan'],
    ['rubric: Mine., rubricFile: long.md', 'write rubric or rubricFile, not both'],
  ])('with %s is refused in one sentence, at its place in the file', async (options, message) => {
    writeFileSync(join(dir, 'latin1.md'), Buffer.from('sch\xf6n', 'latin1'));
    writeFileSync(join(dir, 'long.md'), 'x'.repeat(8_193));
    const problems = await problemsOf(options);
    expect(problems).toEqual([expect.stringMatching(/^plan\.yaml:8:\d+ critics\.harm\.with\.rubricFile /)]);
    expect(problems[0]).toContain(message);
  });

  it('of an empty text, and one that leaves no room for the other options, are refused in one sentence', async () => {
    writeFileSync(join(dir, 'empty.md'), ' \n');
    expect(await problemsOf('rubricFile: empty.md')).toEqual([expect.stringContaining('must say what to judge by')]);
    writeFileSync(join(dir, 'full.md'), 'x'.repeat(8_192));
    expect(await problemsOf('rubricFile: full.md')).toEqual([
      expect.stringMatching(/critics\.harm\.with the options of a critic have at most 8192 bytes as JSON, these have \d+/),
    ]);
  });

  it('of another critic is an option like any other', async () => {
    expect((await problemsOf('rubricFile: nowhere.md', 'http')).join('\n')).toContain('unknown field "rubricFile"');
  });
});
