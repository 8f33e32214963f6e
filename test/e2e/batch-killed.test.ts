/** A batch whose command line is killed in the middle: run again, every record ends once in the file and once on the server. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { build, callsOf, eventually, run, start } from '../support/processes.js';
import { makeScene, type Scene } from '../support/scene.js';

beforeAll(build);

const RECORDS = 40;
/** Records that are judged at once; the others wait for the file `gate`. */
const QUICK = 15;
const CONCURRENCY = 6;

/** Text of a critics module: records say in their content whether they wait. */
const critics = (file: Scene['file']): string => `
  import { appendFileSync, existsSync } from 'node:fs';
  export default [{ name: 'holds', version: '1.0.0', async evaluate({ content }, { attempt, idempotencyKey: key }) {
    const line = { event: 'start', attempt, key, at: Date.now(), findings: [], pid: process.pid, name: content };
    appendFileSync(${JSON.stringify(file('calls'))}, JSON.stringify(line) + '\\n');
    while (content.startsWith('held') && !existsSync(${JSON.stringify(file('gate'))})) await new Promise((resolve) => setTimeout(resolve, 20));
    return { severity: 0, violations: [] };
  } }];`;

interface Line {
  readonly at: string;
  readonly evaluationId: string;
  readonly decision: string;
}

const linesOf = (path: string): Line[] =>
  (existsSync(path) ? readFileSync(path, 'utf8') : '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

describe('a batch that is killed', () => {
  test('and run again ends every record once, with and without keys of their own, and starts nothing twice', async (context) => {
    const scene = await makeScene(
      context,
      () => ({ critics: { holds: { uses: 'holds', stage: 'core_analysis', attemptTimeout: '50s' } } }),
      critics,
    );
    await scene.worker();
    const [records, out] = [scene.file('records.jsonl'), scene.file('results.jsonl')];
    const key = (index: number): object => (index % 2 === 0 ? { key: `${scene.deployment}-${index}` } : {});
    // Every fourth text stands there twice, both times without a key.
    const text = (index: number): string => `${index < QUICK ? 'quick' : 'held'} ${index % 4 === 3 ? index - 2 : index}`;
    const all = Array.from({ length: RECORDS }, (_, index) => JSON.stringify({ ...key(index), content: text(index) }));
    writeFileSync(records, `${all.join('\n')}\n`);
    const { address } = inject('server');
    const args = ['evaluate', records, '--plan', 'scene', '--out', out, '--concurrency', String(CONCURRENCY)];
    const server = ['--address', address, '--deployment', scene.deployment];

    const first = start([...args, ...server]);
    context.onTestFinished(() => first.destroy());
    await eventually(`${QUICK} results in the file`, () => (linesOf(out).length >= QUICK ? true : undefined));
    await callsOf(scene.file('calls'), 'start', QUICK + CONCURRENCY);
    first.kill('SIGKILL');
    expect(await first.ended).toMatchObject({ exit: null, signal: 'SIGKILL' });
    expect(linesOf(out)).toHaveLength(QUICK);
    // As if the kill had come in the middle of a line.
    appendFileSync(out, readFileSync(out, 'utf8').slice(0, 100));
    scene.release('gate');

    const second = await run([...args, ...server]);
    expect(second).toMatchObject({ exit: 0, signal: null });
    expect(second.stderr).toContain(`${QUICK} of ${RECORDS} records had their result already`);
    expect(second.stdout).toContain(`${RECORDS} records`);
    expect(second.stdout).toMatch(new RegExp(`allow\\s+${RECORDS}`));

    const lines = linesOf(out);
    expect(lines.map(({ at }) => at).toSorted()).toEqual(all.map((_, index) => `${records}:${index + 1}`).toSorted());
    expect(new Set(lines.map(({ evaluationId }) => evaluationId)).size).toBe(RECORDS);
    expect(lines.every(({ decision }) => decision === 'allow')).toBe(true);
    const query = `TaskQueue = '${scene.deployment}' AND WorkflowType = 'evaluate'`;
    await eventually(`${RECORDS} closed evaluations on the server`, async () => {
      const { count } = await scene.temporal.workflow.count(`${query} AND ExecutionStatus = 'Completed'`);
      return count === RECORDS ? true : undefined;
    });
    expect((await scene.temporal.workflow.count(query)).count).toBe(RECORDS);
    // One call of the critic for each record: what was under way when the kill came was taken up, not asked again.
    expect(await callsOf(scene.file('calls'), 'start', RECORDS)).toHaveLength(RECORDS);

    const third = await run([...args, ...server]);
    expect(third).toMatchObject({ exit: 0 });
    expect(third.stderr).toContain(`${RECORDS} of ${RECORDS} records had their result already`);
    expect(linesOf(out)).toHaveLength(RECORDS);
  });
});
