import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CliError } from '../../src/cli/exit.js';
import { openRecords, parseRecords, type RecordAt } from '../../src/cli/records.js';
import { withDefaults } from '../../src/cli/request-context.js';
import { fakeIo } from '../support/cli-io.js';

const refusal = (text: string): string => {
  try {
    parseRecords('r.jsonl', text);
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
  return 'nothing was refused';
};

describe('records of a file', () => {
  it('stand one a line; empty lines and CRLF are passed over, and line numbers stay those of the file', () => {
    expect(parseRecords('r.jsonl', '\r\n{"content":1}\r\n\n{"content":2}')).toEqual([
      { at: 'r.jsonl:2', record: { content: 1 } },
      { at: 'r.jsonl:4', record: { content: 2 } },
    ]);
  });

  it('may be a single one laid out over many lines', () => {
    expect(parseRecords('r.json', '{\n  "content": {\n    "input": "a"\n  }\n}\n')).toEqual([
      { at: 'r.json', record: { content: { input: 'a' } } },
    ]);
  });

  it('that are missing, or a list, are refused', () => {
    expect(refusal(' \n')).toContain('holds no record');
    expect(refusal('[{"content":1}]')).toContain('must be an object');
    expect(refusal('[\n{"content":1}\n]')).toContain('must be an object');
  });

  it('with more mistakes than anyone reads are cut after twenty', () => {
    const told = refusal('{}\n'.repeat(50)).split('\n');
    expect(told).toHaveLength(22);
    expect(told[20]).toBe('and 30 more');
  });

  it('that are not JSON have none of their text in the message', () => {
    expect(refusal('{"content":"secret" oops}')).not.toContain('secret');
  });
});

describe('a key that stands twice in one file', () => {
  it('is refused before anything starts: which of the two would be judged is a race', () => {
    const lines = ['{"key":"a","content":"x"}', '{"key":"b","content":"y"}', '{"key":"a","content":"z"}'].join('\n');
    expect(() => parseRecords('r.jsonl', lines)).toThrow('r.jsonl:3: has the key of r.jsonl:1');
    const tenants = ['{"key":"a","tenant":"one","content":"x"}', '{"key":"a","tenant":"two","content":"x"}'].join('\n');
    expect(parseRecords('r.jsonl', tenants)).toHaveLength(2);
  });
});

describe('a file of JSON lines', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tribunal-records-'));
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });
  const written = async (text: string | Uint8Array): Promise<string> => {
    const file = join(dir, 'r.jsonl');
    await writeFile(file, text);
    return file;
  };
  const opened = async (text: string | Uint8Array) => await openRecords(await written(text), fakeIo().stdin);
  const all = async (records: AsyncIterable<RecordAt>): Promise<RecordAt[]> => {
    const found: RecordAt[] = [];
    for await (const record of records) found.push(record);
    return found;
  };

  it('is read piece by piece to the same records as a text, also where a piece ends inside a character', async () => {
    // Pieces of a file are 64 KB: the long lines put their borders at every place of a four-byte character.
    const lines = Array.from({ length: 40 }, (_, index) =>
      JSON.stringify({ key: `k${index}`, content: 'x'.repeat(index) + '😀'.repeat(5_000) }),
    );
    const text = `\uFEFF${lines.join('\r\n')}\n\n`;
    const records = await opened(text);
    expect(records).toMatchObject({ count: 40, first: { record: { key: 'k0' } } });
    const whole = parseRecords(join(dir, 'r.jsonl'), lines.join('\r\n'));
    expect(await all(records.read())).toEqual(whole);
    expect((await all(records.read())).length).toBe(40);
  });

  it('is checked to its end before the first record is handed out', async () => {
    const text = `${'{"content":"x"}\n'.repeat(20_000)}{"content":\n`;
    await expect(opened(text)).rejects.toThrow('r.jsonl:20001: is not JSON');
    await expect(opened(`${'{"content":"x"}\n'.repeat(20_000)}{"key":"a","content":1}\n{"key":"a","content":2}`)).rejects.toThrow(
      /r\.jsonl:20002: has the key of .*r\.jsonl:20001/,
    );
  });

  it('that changes while it is judged is not read on', async () => {
    const records = await opened('{"content":"x"}\n{"content":"y"}\n');
    await written('{"content":"x"}\n{"contnt":"y"}\n');
    await expect(all(records.read())).rejects.toThrow('r.jsonl:2: the file has changed since it was checked');
  });

  it('with bytes that are not UTF-8, or a line that no record can be, is refused', async () => {
    await expect(opened(Buffer.from('{"content":"\xe9"}\n{"content":1}\n', 'latin1'))).rejects.toThrow('is not UTF-8');
    await expect(opened(`{"content":1}\n{"content":"${'x'.repeat(4_200_000)}`)).rejects.toThrow(
      'r.jsonl:2: is longer than 4194304 characters',
    );
  });

  it('of one record, or one object laid out over many lines, is one record', async () => {
    expect(await opened('{"content":1}')).toMatchObject({ count: 1, first: { at: expect.stringMatching(/r\.jsonl:1$/) } });
    expect(await opened('{\n "content": 1\n}\n')).toMatchObject({ count: 1, first: { at: expect.stringMatching(/r\.jsonl$/) } });
    await expect(opened('\n \n')).rejects.toThrow('holds no record');
  });
});

describe('a record and the options of evaluate', () => {
  const defaults = { plan: 'p', context: {} };

  it('has the requester and author of the options where it names nobody, so that they do not decide its review', () => {
    expect(withDefaults({ content: 'x' }, defaults, { requester: 'ann', author: 'eve' })).toMatchObject({
      requester: 'ann',
      author: 'eve',
    });
    expect(withDefaults({ content: 'x' }, defaults, {})).toEqual({ plan: 'p', content: 'x', context: {} });
  });

  it('keeps those that it names', () => {
    const record = { content: 'x', requester: 'bob' };
    expect(withDefaults(record, defaults, { requester: 'ann', author: 'eve' })).toMatchObject({ requester: 'bob', author: 'eve' });
  });
});
