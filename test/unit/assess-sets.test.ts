/** Labelled sets: the form for one's own, the public sets' forms, and everything that can be wrong with a row. */
import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSets } from '../../src/assess/sets/read-sets.js';

async function folderOf(files: Readonly<Record<string, readonly unknown[]>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assess-sets-'));
  for (const [name, rows] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'));
  }
  return folder;
}

async function readRows(...rows: readonly unknown[]) {
  const folder = await folderOf({ 'mine.jsonl': rows });
  return (await readSets([join(folder, 'mine.jsonl')])).records;
}

/** A row as the public sets have them here. */
const shared = (source: string, labels: object, verdict: string | null, more: object = {}) => ({
  id: 'row-1',
  prompt: 'made up for this test',
  response: null,
  labels: { source, ...labels },
  expected: { verdict, accept: verdict === null ? [] : [verdict], families: [] },
  ...more,
});

describe('a set of one’s own', () => {
  it('needs no more than a text; the id is the place, the stratum is the file', async () => {
    expect(await readRows({ text: 'hello' })).toEqual([
      { id: 'mine.jsonl:1', stratum: 'mine', content: 'hello', context: {}, labels: {}, accept: [] },
    ]);
  });

  it('with a response becomes what was asked and answered, and spans stand in the text that they name', async () => {
    const spans = [
      { type: 'EMAIL', start: 0, end: 2 },
      { type: 'EMAIL', start: 1, end: 3, field: 'response' },
    ];
    const [record] = await readRows({ text: 'ask', response: 'tell', spans, labels: { pii: true }, expected: { verdict: 'deny' } });
    expect(record).toMatchObject({
      content: { input: 'ask', output: 'tell' },
      spans: [{ path: '/input' }, { path: '/output' }],
      labels: { pii: true },
      verdict: 'deny',
      accept: ['deny'],
    });
  });

  it('may bring structured content with spans at JSON Pointers', async () => {
    const [record] = await readRows({ content: { a: ['xyz'] }, spans: [{ type: 'T', start: 0, end: 1, field: '/a/0' }] });
    expect(record?.spans).toEqual([{ type: 'T', start: 0, end: 1, path: '/a/0' }]);
  });

  it('has families that a row does not name as unknown, and is not scored on a verdict that is null', async () => {
    const [record] = await readRows({ text: 'a', expected: { verdict: null } });
    expect(record?.labels).toEqual({});
    expect(record).not.toHaveProperty('verdict');
  });

  it.each([
    [{ text: 'a', content: 'b' }, 'needs either text or content, and not both'],
    [{ content: 'b', response: 'c' }, 'response goes with text'],
    [{ text: 'ab', spans: [{ type: 'T', start: 0, end: 9 }] }, 'does not lie in its text'],
    [{ text: 'ab', spans: [{ type: 'T', start: 1, end: 1 }] }, 'does not lie in its text'],
    [{ content: { a: 1 }, spans: [{ type: 'T', start: 0, end: 1, field: '/b' }] }, 'names no text'],
    [{ text: 'ab', labels: { pii: 1 } }, 'labels.pii must be true or false'],
    [{ text: 'ab', lables: {} }, 'unknown field "lables"; did you mean "labels"'],
    [{ text: 'ab', expected: { verdict: 'block' } }, 'expected.verdict must be one of'],
    [{ prompt: 'ab' }, 'is of no form that is known'],
    [['ab'], 'is not a JSON object'],
    ['{"text": ', 'is not a JSON object'],
  ])('is refused with its line for %j', async (row, sentence) => {
    await expect(readRows({ text: 'good' }, row)).rejects.toThrow(sentence);
    await expect(readRows({ text: 'good' }, row)).rejects.toThrow(/mine\.jsonl:2: /);
    await expect(readRows({ text: 'good' }, row)).rejects.toThrow('nothing was run');
  });

  it('is told with all that is wrong at once, and never with a text of it', async () => {
    const secret = 'the text of the record';
    const refused = readRows({ text: [secret] }, { content: 'a', response: secret }, { context: secret, text: 'a' });
    await expect(refused).rejects.toThrow(/:1: [^]*:2: [^]*:3: /);
    await expect(refused).rejects.not.toThrow(secret);
  });

  it('refuses an id that is there twice, naming both places', async () => {
    await expect(readRows({ id: 'a', text: 'x' }, { id: 'a', text: 'y' })).rejects.toThrow(/mine\.jsonl:2: has the id of .*mine\.jsonl:1/);
  });
});

describe('the public sets', () => {
  it('know categories that nobody labelled as unknown, and harmless only where all eight were', async () => {
    const source = 'openai/moderation-api-release';
    const all = {
      sexual: 0,
      hate: 0,
      violence: 0,
      harassment: 0,
      'self-harm': 0,
      'sexual/minors': 0,
      'hate/threatening': 0,
      'violence/graphic': 0,
    };
    const [some, none, one] = await readRows(
      shared(source, { categories: { hate: 0 } }, null),
      { ...shared(source, { categories: all }, 'allow'), id: 'row-2' },
      { ...shared(source, { categories: { hate: 1 } }, 'deny'), id: 'row-3' },
    );
    expect(some).toMatchObject({ stratum: 'moderation/unscored', labels: { hate: false } });
    expect(some?.labels).not.toHaveProperty('toxicity');
    expect(some).not.toHaveProperty('verdict');
    expect(none).toMatchObject({ stratum: 'moderation/harmless', labels: { toxicity: false }, verdict: 'allow' });
    expect(one).toMatchObject({ stratum: 'moderation/harmful', labels: { hate: true, toxicity: true } });
    expect(Object.keys(one?.labels ?? {})).toEqual(['hate', 'toxicity']);
  });

  it('tell personal data with a form of its own from mere mentions', async () => {
    const source = 'microsoft/presidio-research';
    const [mention, card] = await readRows(
      shared(source, { level: 'mention', spans: [{ type: 'PERSON', start: 0, end: 4, value: 'made' }] }, 'allow'),
      { ...shared(source, { level: 'high', spans: [{ type: 'CREDIT_CARD', start: 0, end: 4, value: 'made' }] }, 'deny'), id: 'row-2' },
    );
    expect(mention).toMatchObject({ stratum: 'pii/mention', labels: { pii: false, pii_pattern: false } });
    expect(card).toMatchObject({ stratum: 'pii/high', labels: { pii: true, pii_pattern: true } });
    expect(card?.spans).toEqual([{ type: 'CREDIT_CARD', start: 0, end: 4, path: '' }]);
  });

  it('say of an attack that it is an injection and no more, of a harmless request that it is of no family', async () => {
    const source = 'meta-llama/PurpleLlama';
    const [attack, harmless, chat] = await readRows(
      shared(source, { family: 'injection', variant: 'persuasion', channel: 'user' }, 'deny'),
      { ...shared(source, { family: 'benign', kind: 'borderline-cyber' }, 'allow'), id: 'row-2' },
      { ...shared('lm-sys/arena-hard-auto', { family: 'benign' }, 'allow', { response: 'an answer' }), id: 'row-3' },
    );
    expect(attack).toMatchObject({ stratum: 'injection/user/persuasion', labels: { injection: true } });
    expect(Object.keys(attack?.labels ?? {})).toEqual(['injection']);
    expect(harmless).toMatchObject({ stratum: 'harmless-security', labels: { injection: false, pii: false, toxicity: false } });
    expect(chat).toMatchObject({ stratum: 'ordinary-chat', content: { input: 'made up for this test', output: 'an answer' } });
  });

  it('are refused where a row has not the form of its set, without its text', async () => {
    const row = shared('microsoft/presidio-research', { level: 'unheard of', spans: [] }, 'deny');
    await expect(readRows(row)).rejects.toThrow('mine.jsonl:1: labels.level is not of the form of this set');
  });
});

describe('a folder', () => {
  it('stands for all files of JSON lines below it; those of numbers alone are left out and named', async () => {
    const folder = await folderOf({
      'a/one.jsonl': [{ text: 'x' }],
      'two.jsonl': [{ text: 'y' }],
      'times.jsonl': [{ arrival_ms: 1 }],
      'notes.md': ['#'],
    });
    const sets = await readSets([folder]);
    expect(sets.records.map(({ content }) => content)).toEqual(['x', 'y']);
    expect(sets.skipped).toEqual([join(folder, 'times.jsonl')]);
  });

  it('that is empty, a file that is missing and one that is not UTF-8 are told together', async () => {
    const folder = await folderOf({ 'bad.jsonl': [] });
    await writeFile(join(folder, 'bad.jsonl'), Uint8Array.of(0xff, 0xfe));
    await mkdir(join(folder, 'empty'));
    const refused = readSets([join(folder, 'empty'), join(folder, 'none'), join(folder, 'bad.jsonl')]);
    await expect(refused).rejects.toThrow(/holds no file[^]*there is no such file or folder[^]*is not UTF-8/);
  });
});
