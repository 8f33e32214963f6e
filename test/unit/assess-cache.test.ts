/** Findings that are kept between runs: what is in them, what is not, and what survives a kill. */
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCache } from '../../src/assess/cache.js';
import type { AnyCritic } from '../../src/critics/critic.js';
import { assessed, record, subjectOf } from './assess-fixture.js';

const SECRET = 'the words of the record';

/** Counts its calls, and quotes the content wherever a finding has room for it. */
function quoting(calls: unknown[], evaluate?: AnyCritic['evaluate']): AnyCritic {
  return {
    name: 'quoting',
    version: '1.2.0',
    evaluate:
      evaluate ??
      (({ content }) => {
        calls.push(content);
        const text = JSON.stringify(content);
        return {
          severity: 0.5,
          uncertainty: 0.25,
          violations: [{ code: 'rude', message: text, severity: 0.5, span: { start: 0, end: 3 } }],
          evidence: [text],
          details: { text },
          cost: { inputTokens: 10 },
        };
      }),
  };
}

const plan = { critics: { one: { uses: 'quoting', stage: 'fast_critics', tags: ['judges:rude'] } } };
const records = [record('a', `${SECRET} 1`, { labels: { rude: true } }), record('b', `${SECRET} 2`, { labels: { rude: false } })];
const folder = (): string => join(mkdtempSync(join(tmpdir(), 'assess-cache-')), 'kept');

function onlyFile(cache: string): string {
  const [file = '', ...more] = readdirSync(cache);
  expect(more).toEqual([]);
  return join(cache, file);
}

describe('kept findings', () => {
  it('answer the next run without a call, with the time and cost that were recorded', async () => {
    const [calls, cache] = [[] as unknown[], folder()];
    const subject = await subjectOf(plan, [quoting(calls)]);
    const first = await assessed(subject, records, { cache });
    const second = await assessed(subject, records, { cache });
    expect(calls).toHaveLength(2);
    const { kept, ...figures } = second.critics[0] ?? {};
    expect(kept).toBe(2);
    const { kept: none, ...before } = first.critics[0] ?? {};
    expect(none).toBe(0);
    expect(figures).toEqual(before);
  });

  it('hold nothing of the content, though the finding quoted it everywhere', async () => {
    const cache = folder();
    await assessed(await subjectOf(plan, [quoting([])]), records, { cache });
    const text = readFileSync(onlyFile(cache), 'utf8');
    expect(text.split('\n').filter(Boolean)).toHaveLength(2);
    expect(text).not.toContain(SECRET);
    expect(text).toContain('"code":"rude"');
  });

  it('are stripped by the cache itself as well, whoever hands them over', async () => {
    const cache = folder();
    const [critic] = (await subjectOf(plan, [quoting([])])).plan.critics;
    if (critic === undefined) throw new Error('the plan has a critic');
    const kept = openCache(cache, critic);
    const violations = [{ code: 'rude', message: SECRET }];
    kept.put('key', { finding: { severity: 1, violations, evidence: [SECRET], details: { text: SECRET } }, ranMs: 1 });
    kept.close();
    expect(readFileSync(onlyFile(cache), 'utf8')).not.toContain(SECRET);
  });

  it('are asked anew for another version, other options, another content and another context', async () => {
    const [calls, cache] = [[] as unknown[], folder()];
    const [first] = records;
    if (first === undefined) throw new Error('there is a record');
    await assessed(await subjectOf(plan, [quoting(calls)]), [first], { cache });
    await assessed(await subjectOf(plan, [{ ...quoting(calls), version: '1.3.0' }]), [first], { cache });
    await assessed(await subjectOf(plan, [quoting(calls)]), [{ ...first, context: { domain: 'medical' } }], { cache });
    await assessed(await subjectOf(plan, [quoting(calls)]), [{ ...first, content: 'other' }], { cache });
    expect(calls).toHaveLength(4);
  });

  it('survive a line that was torn: it alone is asked again', async () => {
    const [calls, cache] = [[] as unknown[], folder()];
    const subject = await subjectOf(plan, [quoting(calls)]);
    await assessed(subject, records, { cache });
    const file = onlyFile(cache);
    truncateSync(file, readFileSync(file).length - 20);
    await assessed(subject, records, { cache });
    expect(calls).toHaveLength(3);
    // The torn line did not swallow the new one.
    await assessed(subject, records, { cache });
    expect(calls).toHaveLength(3);
  });

  it('that somebody broke count as not there', async () => {
    const [calls, cache] = [[] as unknown[], folder()];
    const subject = await subjectOf(plan, [quoting(calls)]);
    await assessed(subject, records, { cache });
    const file = onlyFile(cache);
    const clean = readFileSync(file, 'utf8').replaceAll('"severity":0.5', '"severity":"none"');
    truncateSync(file, 0);
    appendFileSync(file, `${clean}null\n[]\n{"key":1}\n`);
    const { critics } = await assessed(subject, records, { cache });
    expect(calls).toHaveLength(4);
    expect(critics[0]?.families[0]).toMatchObject({ hits: 1, falseAlarms: 1 });
  });

  it('are never failures: those are tried again', async () => {
    const cache = folder();
    const calls: unknown[] = [];
    const failing = quoting(calls, () => {
      calls.push('failed');
      throw new Error('down');
    });
    await assessed(await subjectOf(plan, [failing]), records, { cache });
    const { critics } = await assessed(await subjectOf(plan, [quoting(calls)]), records, { cache });
    expect(calls).toHaveLength(4);
    expect(critics[0]?.outcomes).toEqual({ succeeded: 2 });
  });

  it('are priced by the plan of today', async () => {
    const cache = folder();
    const priced = (inputPerMillion: number) => ({
      prices: { small: { inputPerMillion, outputPerMillion: 0 } },
      critics: {
        one: {
          uses: 'scripted',
          stage: 'fast_critics',
          with: { model: 'small', finding: { cost: { inputTokens: 1_000_000 } } },
        },
      },
    });
    const usd = async (price: number) => (await assessed(await subjectOf(priced(price)), records, { cache })).critics[0]?.cost.usd;
    expect(await usd(1)).toBe(2);
    expect(await usd(3)).toBe(6);
  });

  it('are not made of built-in critics that only compute', async () => {
    const cache = folder();
    await assessed(await subjectOf({ critics: { pii: { uses: 'pii', stage: 'fast_critics' } } }), records, { cache });
    expect(() => readdirSync(cache)).toThrow('ENOENT');
  });
});

describe('a run that is stopped', () => {
  it('rejects instead of giving figures of a part, and what had ended is kept', async () => {
    const [calls, cache] = [[] as unknown[], folder()];
    const stop = new AbortController();
    const subject = await subjectOf(plan, [quoting(calls)]);
    const stopped = assessed(subject, records, { cache, concurrency: 1, signal: stop.signal, onRun: () => stop.abort() });
    await expect(stopped).rejects.toThrow(/^stopped:/);
    expect(calls).toHaveLength(1);
    await assessed(subject, records, { cache });
    expect(calls).toHaveLength(2);
  });

  it('rejects while the plan is gone through as well, and without a cache says nothing of one', async () => {
    const stop = new AbortController();
    const subject = await subjectOf(plan, [quoting([])]);
    const stopped = assessed(subject, records, { signal: stop.signal, onReplay: () => stop.abort() });
    await expect(stopped).rejects.toThrow(/^stopped$/);
  });
});
