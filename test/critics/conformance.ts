/**
 * What every critic owes its host, whatever it judges. A new critic's test calls this first, then adds what is special.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { cleanFinding } from '../../src/critics/clean-finding.js';
import type { Critic, CriticInput, CriticTools } from '../../src/critics/critic.js';
import { textPieces } from '../../src/critics/text.js';
import type { Finding, Json } from '../../src/domain/finding.js';

export interface ConformanceCase<Options> {
  /** Options as a plan writes them. */
  readonly good: Json;
  /** Content with something in it that must not stand in a message, and that thing. */
  readonly telling?: { readonly content: Json; readonly secret: string };
  /** Options with which an attempt waits for at least a minute. Absent: the critic never waits. */
  readonly waiting?: Json;
  /** Whatever the plan's options lack, such as the port of a server that the test starts. */
  readonly options?: () => Options;
}

const CONTENTS: Readonly<Record<string, Json>> = {
  'an empty text': '',
  'a text of 256 KB': 'All work and no play makes Jack a dull boy. '.repeat(5_958),
  'one word of 256 KB': 'a'.repeat(262_144),
  'digits and separators of 256 KB': '1 2-3.4:5@6/'.repeat(21_845),
  'a structure': { input: 'Where is my order?', output: ['On its way.', { note: null, stars: 5, sure: true }] },
  'an empty structure': {},
  'names that need escaping': { 'a/b': { '~': 'Hello.' }, '': 'Good bye.' },
  'hostile characters': '\u0000\u001b[2J\u202eevil\u202c\u200b\ufeff\u2028 𝕬 e\u0301 🏳️‍🌈 ﷽ \r\n',
  'lone surrogates': 'a\ud800b\udc00c',
  'a structure nested as deep as a request may be': JSON.parse(`${'['.repeat(100)}"deep"${']'.repeat(100)}`) as Json,
};

export const toolsFor = <Options>(options: Options, more: Partial<CriticTools<Options>> = {}): CriticTools<Options> => ({
  options,
  signal: new AbortController().signal,
  heartbeat: () => {},
  log: () => {},
  idempotencyKey: 'key-1',
  attempt: 1,
  secret: () => undefined,
  ...more,
});

export const inputFor = (content: Json, more: Partial<CriticInput> = {}): CriticInput => ({ content, context: {}, findings: {}, ...more });

/** What the critic's schema makes of a plan's options. */
export function optionsOf<Options>(critic: Critic<Options>, written: Json): Options {
  if (critic.options === undefined) throw new Error(`${critic.name} has no options schema`);
  return critic.options.parse(written);
}

export function conformance<Options>(critic: Critic<Options>, { good, telling, waiting, options }: ConformanceCase<Options>): void {
  const optionsToUse = (): Options => options?.() ?? optionsOf(critic, good);
  const judge = async (content: Json, tools: Partial<CriticTools<Options>> = {}): Promise<unknown> =>
    critic.evaluate(inputFor(content), toolsFor(optionsToUse(), tools));

  describe(`${critic.name} as a critic`, () => {
    it('has a name and a version of the right form', () => {
      expect(critic.name).toMatch(/^[a-z][a-z0-9_]{0,63}$/);
      expect(critic.version).toMatch(/^\d+\.\d+\.\d+$/);
    });

    it('accepts good options, refuses an unknown one', () => {
      expect(critic.options?.safeParse(good).success).toBe(true);
      expect(critic.options?.safeParse({ ...asObject(good), unheardOf: 1 }).success).toBe(false);
    });

    it('accepts its own checked options once more, unchanged, since plans pin them so', () => {
      const pinned: Json = JSON.parse(JSON.stringify(optionsOf(critic, good)));
      expect(optionsOf(critic, pinned)).toEqual(pinned);
    });

    it.each(Object.entries(CONTENTS))('gives a clean finding for %s, twice the same', async (_name, content) => {
      await critic.warm?.(optionsToUse());
      const frozen = deepFreeze(structuredClone(content));
      const finding = expectClean(await judge(frozen), critic);
      expectSpansInside(finding, content);
      expect(expectClean(await judge(frozen), critic)).toEqual(finding);
    });

    it.runIf(telling)('never quotes what it found in a message or a code', async () => {
      const finding = expectClean(await judge(telling?.content ?? ''), critic);
      expect(finding.violations).not.toEqual([]);
      for (const { code, message } of finding.violations) expect(`${code} ${message}`).not.toContain(telling?.secret);
    });

    it.runIf(waiting)('stops waiting when its signal is aborted', async () => {
      const stop = new AbortController();
      const reason = new Error('stop');
      const running = Promise.resolve(
        critic.evaluate(inputFor('Hello.'), toolsFor(optionsOf(critic, waiting ?? {}), { signal: stop.signal })),
      );
      const ended = thrownBy(running);
      await delay(0);
      stop.abort(reason);
      expect(await ended).toBe(reason);
    });
  });
}

export function expectClean(returned: unknown, critic: { readonly output?: Critic['output'] } = {}): Finding {
  const cleaned = cleanFinding(returned, critic.output);
  if (!cleaned.ok) throw new Error(cleaned.message);
  // Nothing was dropped or changed on the way.
  expect(cleaned.finding).toEqual(returned);
  return cleaned.finding;
}

/** Every span points at a part of a text that is there. */
export function expectSpansInside(finding: Finding, content: Json): void {
  const texts = new Map(textPieces(content).map(({ path, text }) => [path, text]));
  for (const { span } of finding.violations) {
    if (span === undefined) continue;
    const text = texts.get(span.path ?? '');
    expect(text, span.path).toBeDefined();
    expect(span.start).toBeLessThan(span.end);
    expect(span.end).toBeLessThanOrEqual(text?.length ?? 0);
  }
}

const asObject = (value: Json): object => (typeof value === 'object' && value !== null ? value : {});

function deepFreeze(content: Json): Json {
  const open: Json[] = [content];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'object' && next !== null) open.push(...Object.values(Object.freeze(next)));
  }
  return content;
}

/** What a promise was rejected with; fails when it was not. */
export async function thrownBy(running: Promise<unknown>): Promise<unknown> {
  const nothing = Symbol('nothing');
  const thrown: unknown = await running.then(
    () => nothing,
    (error: unknown) => error,
  );
  if (thrown === nothing) throw new Error('it was not rejected');
  return thrown;
}
