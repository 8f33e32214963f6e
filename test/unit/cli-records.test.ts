import { describe, expect, it } from 'vitest';
import { CliError } from '../../src/cli/exit.js';
import { parseRecords } from '../../src/cli/records.js';

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
