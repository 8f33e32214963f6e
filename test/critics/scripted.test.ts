import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanFinding } from '../../src/critics/clean-finding.js';
import { HOSTILE_RETURNS } from '../../src/critics/scripted/hostile.js';
import { scripted } from '../../src/critics/scripted.js';
import type { CriticInput, CriticTools } from '../../src/critics/critic.js';
import type { ScriptedOptions } from '../../src/critics/scripted.js';
import type { Json } from '../../src/domain/finding.js';
import { conformance, inputFor, optionsOf, toolsFor, thrownBy } from './conformance.js';

conformance(scripted, { good: { sleep: '1ms', finding: { severity: 0.4, score: 0.2 } }, waiting: { sleep: '5m' } });

const run = async (options: Json, tools: Partial<CriticTools<ScriptedOptions>> = {}, input: Partial<CriticInput> = {}): Promise<unknown> =>
  scripted.evaluate(inputFor('Hello.', input), toolsFor(optionsOf(scripted, options), tools));

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'scripted-'));

describe('scripted', () => {
  it('finds nothing unless told', async () => {
    expect(await run({})).toEqual({ severity: 0, violations: [] });
  });

  it('refuses a sleep without a unit', () => {
    expect(scripted.options?.safeParse({ sleep: '50' }).success).toBe(false);
    expect(scripted.options?.safeParse({ sleep: 50 }).success).toBe(false);
  });

  it('refuses a finding that is none and a field that findings do not have', () => {
    expect(scripted.options?.safeParse({ finding: { severity: 2 } }).success).toBe(false);
    expect(scripted.options?.safeParse({ finding: { sevrity: 1 } }).success).toBe(false);
  });

  it('fails the first attempts and then succeeds', async () => {
    const options = { failTimes: 2, finding: { severity: 0.5 } };
    await expect(run(options, { attempt: 1 })).rejects.toMatchObject({ kind: 'transient' });
    await expect(run(options, { attempt: 2 })).rejects.toMatchObject({ kind: 'transient' });
    expect(await run(options, { attempt: 3 })).toMatchObject({ severity: 0.5 });
  });

  it('says when to come back when it is rate limited', async () => {
    const options = { throw: 'rate_limited', retryAfter: '2s' };
    await expect(run(options)).rejects.toMatchObject({ kind: 'rate_limited', extra: { retryAfterMs: 2_000 } });
  });

  it('throws what is no error, when told', async () => {
    await expect(run({ throw: 'string' })).rejects.toBe('scripted text');
  });

  it('throws what cannot even be looked at, when told', async () => {
    const thrown = await run({ throw: 'hostile' }).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    expect(() => thrown?.error instanceof Error).toThrow('must not be read');
  });

  it.each(Object.keys(HOSTILE_RETURNS))('returns %s, which is never a finding of severity 0', async (name) => {
    const cleaned = cleanFinding(await run({ return: name }));
    expect(cleaned.ok && cleaned.finding.severity === 0).toBe(false);
  });

  it('records start and end, also of an attempt that fails', async () => {
    const record = join(newFolder(), 'calls.jsonl');
    const given = { findings: { earlier: { severity: 0, violations: [] } }, context: {} };
    await expect(run({ record, name: 'slow', throw: 'permanent' }, { attempt: 3, idempotencyKey: 'k' }, given)).rejects.toMatchObject({
      kind: 'permanent',
    });
    const lines = readFileSync(record, 'utf8').trimEnd().split('\n');
    const common = { name: 'slow', attempt: 3, key: 'k', findings: ['earlier'], pid: process.pid, at: expect.any(Number) };
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { event: 'start', ...common },
      { event: 'end', ...common },
    ]);
  });

  it('waits at a barrier until enough critics have come; a retry does not count twice', async () => {
    const dir = newFolder();
    const barrier = { dir, count: 2 };
    const stop = new AbortController();
    const first = run({ barrier }, { idempotencyKey: 'a', signal: stop.signal });
    const retry = run({ barrier }, { idempotencyKey: 'a', attempt: 2 });
    expect(readdirSync(dir)).toEqual(['a']);
    await run({ barrier }, { idempotencyKey: 'b' });
    await Promise.all([first, retry]);
  });

  it('leaves a barrier when its signal is aborted', async () => {
    const stop = new AbortController();
    const reason = new Error('stop');
    const waiting = thrownBy(run({ barrier: { dir: newFolder(), count: 2 } }, { signal: stop.signal }));
    stop.abort(reason);
    expect(await waiting).toBe(reason);
  });

  it('waits for a file', async () => {
    const waitFor = join(newFolder(), 'go');
    const running = run({ waitFor, finding: { severity: 0.3 } });
    writeFileSync(waitFor, '');
    expect(await running).toMatchObject({ severity: 0.3 });
  });

  it('hangs on after its signal is aborted', async () => {
    const stop = new AbortController();
    const hanging = run({ hang: true }, { signal: stop.signal });
    stop.abort(new Error('stop'));
    expect(await Promise.race([hanging, run({ sleep: '30ms' }).then(() => 'still hanging')])).toBe('still hanging');
  });

  it('echoes the findings that it received', async () => {
    const findings = { earlier: { severity: 0.7, violations: [] } };
    expect(await run({ echo: true }, {}, { findings })).toEqual({ severity: 0, violations: [], details: findings });
  });
});
