/** The example of a judge: its plan, its rubric file and its records, against its stand-in for a model as a real process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDeployment, type Deployment } from '../../src/deployment.js';
import { registryRunner } from '../../src/in-process-runner.js';
import { evaluateInProcess } from '../../src/in-process.js';

const EXAMPLE = 'examples/judge';
/** The port that its files name; a test takes one that is free. */
const PORT = '8090';

function startModel(): Promise<{ child: ChildProcess; port: string }> {
  const child = spawn(process.execPath, [join(EXAMPLE, 'model.mjs')], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the model ended with ${code}`)));
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const port = /listening on http:\/\/127\.0\.0\.1:(\d+)\/v1\n/.exec(said)?.[1];
      if (port !== undefined) resolve({ child, port });
    });
  });
}

describe('the example of a judge', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tribunal-judge-'));
  let model: ChildProcess;
  let deployment: Deployment;
  let hosts: readonly string[];
  beforeAll(async () => {
    const { child, port } = await startModel();
    model = child;
    hosts = [`127.0.0.1:${port}`];
    cpSync(EXAMPLE, dir, { recursive: true });
    for (const name of ['plan.yaml', 'tribunal.yaml']) {
      const file = join(dir, name);
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll(`127.0.0.1:${PORT}`, `127.0.0.1:${port}`));
    }
    deployment = await loadDeployment({ file: join(dir, 'tribunal.yaml') });
  });
  afterAll(() => {
    model.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  const records = readFileSync(join(EXAMPLE, 'records.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { key: string; content: { input: string; output: string } });

  it('decides its records as its README says', async () => {
    const plan = deployment.plans.get('household');
    if (plan === undefined) throw new Error('the example has no plan household');
    const runCritic = registryRunner({ registry: deployment.registry, hosts });
    const decisions: Record<string, unknown> = {};
    for (const { key, content } of records) {
      const { verdict, records: ends } = await evaluateInProcess({ plan, content }, { runCritic });
      const judge = ends.get('judge');
      decisions[key] = verdict.decision;
      expect(judge).toMatchObject({ outcome: 'succeeded' });
      const finding = judge?.finding;
      expect(finding?.cost?.usd).toBeGreaterThan(0);
      for (const { code, span } of finding?.violations ?? []) {
        expect(code).toBe('mixing');
        expect(content.output.slice(span?.start, span?.end)).toMatch(/^Mix bleach with\s+vinegar$/);
      }
    }
    expect(decisions).toEqual({ tea: 'allow', drain: 'deny', orders: 'deny' });
  });

  it('pins its rubric file in the plan', () => {
    expect(deployment.plans.get('household')?.critics.find(({ name }) => name === 'judge')?.with).toMatchObject({
      rubric: readFileSync(join(EXAMPLE, 'rubric.md'), 'utf8').trimEnd(),
    });
  });
});
