/** The codec without a server: what it refuses, and what of a payload stands in clear. */
import { inspect } from 'node:util';
import type { Payload, SerializationContext } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeAesGcmCodec, type CodecOptions } from '../../src/codec/aes-gcm.js';
import { CodecError } from '../../src/codec/codec-error.js';
import { encryption, environmentEncryption } from '../../src/codec/index.js';
import { parseKeys } from '../../src/codec/keys.js';
import { loadSettings } from '../../src/settings.js';

const KEY = Buffer.alloc(32, 1).toString('base64');
const OTHER = Buffer.alloc(32, 2).toString('base64');

function codecOf(keys: string, options: Omit<CodecOptions, 'keys'> = {}) {
  const parsed = parseKeys(keys);
  if (!parsed.ok) throw new Error(parsed.problem);
  return makeAesGcmCodec({ keys: parsed.keys, ...options });
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const json = (text: string): Payload => ({ metadata: { encoding: bytes('json/plain') }, data: bytes(JSON.stringify(text)) });

const WORKFLOW: SerializationContext = { type: 'workflow', namespace: 'n', workflowId: 't/k' };
const ACTIVITY: SerializationContext = { type: 'activity', namespace: 'n', workflowId: 't/k', activityId: 'deep/a', isLocal: false };

const codec = codecOf(`k1:${KEY}`);
const encoded = async (payload: Payload, context?: SerializationContext, by = codec): Promise<Payload> => {
  const [first] = await by.encode([payload], context);
  if (first === undefined) throw new Error('no payload came back');
  return first;
};
/** The code with which a payload is refused, or `undefined`. */
const refusal = async (payload: Payload, context?: SerializationContext, by = codec): Promise<string | undefined> => {
  try {
    await by.decode([payload], context);
    return undefined;
  } catch (error) {
    return error instanceof CodecError ? error.code : 'SOMETHING_ELSE';
  }
};

describe('the codec', () => {
  it('leaves the workflow of a deployment in clear, which outlives every key, and takes nothing in clear elsewhere', async () => {
    const contexts = [
      { type: 'workflow', namespace: 'n', workflowId: 'deployment:tribunal' },
      { type: 'activity', namespace: 'n', workflowId: 'deployment:tribunal', activityId: 'lanes/1', isLocal: false },
    ] as const;
    for (const context of contexts) {
      expect(await encoded(json('names'), context)).toEqual(json('names'));
      expect(await codec.decode([json('names')], context)).toEqual([json('names')]);
    }
    expect(await refusal(json('names'), WORKFLOW)).toBe('PLAIN_PAYLOAD');
    expect(await refusal(json('names'))).toBe('PLAIN_PAYLOAD');
  });

  it('takes what a workflow without a result returns, whose bytes are an empty list', async () => {
    const nothing = { metadata: { encoding: bytes('binary/null') }, data: [] as unknown as Uint8Array };
    const [back] = await codec.decode([await encoded(nothing, WORKFLOW)], WORKFLOW);
    expect([back?.metadata?.['encoding']?.toString(), back?.data?.length]).toEqual([Buffer.from('binary/null').toString(), 0]);
  });

  it('gives back every payload as it was, byte by byte', async () => {
    const metadata = fc.dictionary(fc.string(), fc.uint8Array());
    const payload = fc.record({ metadata, data: fc.uint8Array({ maxLength: 2_000 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(payload), fc.constantFrom(undefined, WORKFLOW, ACTIVITY), async (payloads, context) => {
        const back = await codec.decode(await codec.encode(payloads, context), context);
        const plain = ({ metadata: named, data }: Payload) => ({
          metadata: Object.entries(named ?? {}).map(([name, value]) => [name, [...value]]),
          data: [...(data ?? [])],
        });
        expect(back.map(plain)).toEqual(payloads.map(plain));
      }),
    );
  });

  it('leaves the name of its key and what the payload belongs to in clear, and nothing else', async () => {
    const { metadata, data } = await encoded(json('canary'), ACTIVITY);
    expect(Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual([
      ['encoding', 'binary/encrypted'],
      ['encryption-key-id', 'k1'],
      ['bound-to', '["n","t/k","deep/a"]'],
    ]);
    expect(Buffer.from(data ?? []).includes('canary')).toBe(false);
    expect(Buffer.from(data ?? []).includes('json/plain')).toBe(false);
  });

  it('encrypts the same payload to other bytes each time', async () => {
    const nonces = await Promise.all(Array.from({ length: 1_000 }, () => encoded(json('same'), WORKFLOW)));
    expect(new Set(nonces.map(({ data }) => Buffer.from(data ?? []).toString('hex', 0, 12))).size).toBe(1_000);
  });

  it('refuses a payload of which any one bit was changed', async () => {
    const payload = await encoded(json('x'), WORKFLOW);
    const size = payload.data?.length ?? 0;
    for (let bit = 0; bit < size * 8; bit += 1) {
      const data = Uint8Array.from(payload.data ?? []);
      data[bit >> 3] = (data[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await refusal({ ...payload, data }, WORKFLOW)).toBe('NOT_AUTHENTIC');
    }
    for (const length of [0, 1, 11, 12, 27, 28, size - 1])
      expect(await refusal({ ...payload, data: payload.data?.slice(0, length) ?? null }, WORKFLOW)).toBe('NOT_AUTHENTIC');
    expect(await refusal(payload, WORKFLOW)).toBeUndefined();
  });

  it.each([
    ['another evaluation', { ...WORKFLOW, workflowId: 't/other' }],
    ['another namespace', { ...WORKFLOW, namespace: 'other' }],
    ['a critic of the same evaluation', ACTIVITY],
  ])('refuses a payload of an evaluation in %s, also when it says that it belongs there', async (_place, place) => {
    const payload = await encoded(json('x'), WORKFLOW);
    expect(await refusal(payload, place)).toBe('WRONG_PLACE');
    const target = await encoded(json('y'), place);
    const disguised = { ...payload, metadata: { ...payload.metadata, 'bound-to': target.metadata?.['bound-to'] ?? bytes('') } };
    expect(await refusal(disguised, place)).toBe('NOT_AUTHENTIC');
    const unbound = { ...payload, metadata: { ...payload.metadata, 'bound-to': bytes('[]') } };
    expect(await refusal(unbound, place)).toBe('NOT_AUTHENTIC');
  });

  it('refuses the result of one critic in the place of another', async () => {
    expect(await refusal(await encoded(json('x'), ACTIVITY), { ...ACTIVITY, activityId: 'deep/b' })).toBe('WRONG_PLACE');
  });

  it('takes what was made where the SDK does not say what it belongs to, and reads everything there', async () => {
    expect(await refusal(await encoded(json('x')), WORKFLOW)).toBeUndefined();
    expect(await refusal(await encoded(json('x'), ACTIVITY))).toBeUndefined();
  });

  it('reads with every key and encrypts with the first', async () => {
    const rotated = codecOf(`k2:${OTHER},k1:${KEY}`);
    expect(await refusal(await encoded(json('x'), WORKFLOW), WORKFLOW, rotated)).toBeUndefined();
    expect(await refusal(await encoded(json('x'), WORKFLOW, rotated), WORKFLOW)).toBe('UNKNOWN_KEY');
    expect(await refusal(await encoded(json('x'), WORKFLOW), WORKFLOW, codecOf(`k1:${OTHER}`))).toBe('NOT_AUTHENTIC');
  });

  it('refuses a payload that is not encrypted, unless it is told to take it', async () => {
    expect(await refusal(json('x'), WORKFLOW)).toBe('PLAIN_PAYLOAD');
    expect(await refusal({}, WORKFLOW)).toBe('PLAIN_PAYLOAD');
    const migrating = codecOf(`k1:${KEY}`, { acceptPlain: true });
    expect(await migrating.decode([json('x')], WORKFLOW)).toEqual([json('x')]);
    expect((await encoded(json('x'), WORKFLOW, migrating)).metadata?.['encoding']).toEqual(Buffer.from('binary/encrypted'));
  });

  it('says nothing of a payload when it refuses it, and of a key its name alone', async () => {
    const forged = {
      metadata: { encoding: bytes('binary/encrypted'), 'encryption-key-id': bytes('\u001b[31mcanary') },
      data: bytes('canary'),
    };
    await expect(codec.decode([forged])).rejects.toThrow('with a key without a name');
    await expect(codec.decode([json('canary')])).rejects.not.toThrow('canary');
    await expect(codecOf(`k2:${OTHER}`).decode([await encoded(json('canary'))])).rejects.toThrow('the key k1, which is not here');
  });
});

describe('keys', () => {
  it.each([
    ['nothing', ''],
    ['a key without a name', KEY],
    ['a name without a key', 'k1'],
    ['a name without a key behind the colon', 'k1:'],
    ['a key that is too short', `k1:${Buffer.alloc(16, 7).toString('base64')}`],
    ['a key that is too long', `k1:${Buffer.alloc(33, 7).toString('base64')}`],
    ['something that is no base64', `k1:${'*'.repeat(43)}=`],
    ['a key in the place of its name', `${KEY}:k1`],
    ['a name with a space', `k 1:${KEY}`],
    ['two colons', `k1:x:${KEY}`],
    ['an empty entry', `k1:${KEY},`],
    ['the same name twice', `k1:${KEY},k1:${OTHER}`],
  ])('that are %s are refused in one sentence, which does not quote them', (_what, text) => {
    const loaded = loadSettings({ TRIBUNAL_CODEC_KEYS: text });
    // An empty variable counts as unset.
    const problems = text === '' ? [`TRIBUNAL_CODEC_KEYS: ${problemOf(text)}`] : loaded.ok ? [] : loaded.problems;
    expect(problems).toEqual([expect.stringMatching(/^TRIBUNAL_CODEC_KEYS: entry [12] (must|has) /)]);
    const quotable = text.split(/[,:]/).filter((part) => part.length > 8);
    expect(quotable.filter((part) => problems.join().includes(part))).toEqual([]);
    expect(() => encryption({ keys: text })).toThrow(/^keys: entry [12] /);
  });

  const problemOf = (text: string): string => {
    const parsed = parseKeys(text);
    return parsed.ok ? '' : parsed.problem;
  };

  it('do not show their bytes in whatever is printed of settings and converters', () => {
    const env = { TRIBUNAL_CODEC_KEYS: `k1:${KEY}, k2:${OTHER}` };
    const loaded = loadSettings(env);
    const printed = [loaded, environmentEncryption(env), codec].map(
      (value) => inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value),
    );
    expect(loaded).toMatchObject({ ok: true, settings: { codecKeys: [{ id: 'k1' }, { id: 'k2' }], codecAcceptsPlain: false } });
    for (const form of [KEY, Buffer.from(KEY, 'base64').toString('hex'), '01 01 01', '1, 1, 1']) expect(printed.join()).not.toContain(form);
  });

  it('that are not there are asked for by the ready converter', () => {
    expect(() => environmentEncryption({})).toThrow(/^tribunal\/codec needs keys: set TRIBUNAL_CODEC_KEYS to id:key/);
  });
});
