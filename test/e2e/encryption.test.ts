/**
 * What stands in the server's database of evaluations that were encrypted, and of the same ones that were not: the whole
 * file is searched for texts that every part of them carries. Worker and command line are real processes.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { EvaluationCancelled, RequestRefused } from '../../src/client-errors.js';
import { TribunalClient } from '../../src/client.js';
import { encryption } from '../../src/codec/index.js';
import type { Json } from '../../src/domain/finding.js';
import type { JsonObject } from '../../src/domain/request.js';
import { localCommandSigner } from '../../src/review/sign.js';
import { startDevServer } from '../../temporal/dev-server.js';
import { criticOf, makeHarness } from '../support/harness.js';
import { build, eventually, run, says, startWorker, writePlan } from '../support/processes.js';
import { makePerson, writePeople } from '../support/reviews.js';

/** One word for each place in which content, or what was said of it, can stand. */
const CANARIES = {
  content: 'canaryOfTheContent',
  context: 'canaryOfTheContext',
  refused: 'canaryOfTheRefused',
  options: 'canaryOfTheOptions',
  reason: 'canaryOfTheReason',
  localEvidence: 'canaryOfLocalEvidence',
  remoteEvidence: 'canaryOfRemoteEvidence',
  details: 'canaryOfTheDetails',
  localFailure: 'canaryOfLocalFailure',
  remoteFailure: 'canaryOfRemoteFailure',
  http: 'canaryOfTheHttpError',
  heartbeat: 'CANARY_OF_THE_HEARTBEAT',
  partial: 'canaryOfThePartialReport',
  answer: 'canaryOfTheAnswer',
  comment: 'canaryOfTheComment',
  alias: 'canaryOfTheAlias',
} as const;

/** What critics find and how they fail. `GATE` and `BEGUN` are files of the test. */
const CRITICS = (gate: string, begun: string): string => `
  import { appendFileSync, existsSync } from 'node:fs';
  import { CriticError } from ${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url).href)};
  const finds = (name, word, severity) => ({ name, version: '1.0.0', evaluate: () => ({
    severity,
    violations: [{ code: 'seen', message: 'saw ' + word }],
    evidence: [word],
    details: { word: '${CANARIES.details}' },
  }) });
  const fails = (name, kind, message) => ({ name, version: '1.0.0', evaluate: () => { throw new CriticError(kind, 'SAID', message); } });
  export default [
    finds('finds_locally', '${CANARIES.localEvidence}', 0.3),
    finds('finds_remotely', '${CANARIES.remoteEvidence}', 0.95),
    finds('finds_partly', '${CANARIES.partial}', 0.3),
    fails('fails_locally', 'permanent', 'met ${CANARIES.localFailure}'),
    fails('fails_remotely', 'permanent', 'met ${CANARIES.remoteFailure}'),
    fails('asks', 'transient', 'POST https://judge.example/v1 answered 503: ${CANARIES.http}'),
    { name: 'dies', version: '1.0.0', async evaluate(_, { attempt, signal }) {
      if (attempt === 1) throw new CriticError('transient', '${CANARIES.heartbeat}', 'once more');
      appendFileSync(${JSON.stringify(begun)}, process.pid + '\\n');
      while (!existsSync(${JSON.stringify(gate)})) { signal.throwIfAborted(); await new Promise((resolve) => setTimeout(resolve, 20)); }
      return { severity: 0, violations: [] };
    } },
  ];`;

const ignored = { failed: 'ignore' };
const plan = (name: string, critics: object, more: object = {}) => ({
  plan: name,
  version: 1,
  timeouts: { global: '120s' },
  critics,
  verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.9)', reason: CANARIES.reason }], otherwise: 'allow' },
  ...more,
});
const local = { stage: 'fast_critics', dispatch: 'local' };
const remote = { stage: 'core_analysis', retryBackoffBase: 1 };

const MODERATOR = makePerson('mod', ['moderators'], { aliases: [`${CANARIES.alias}@example.com`] });

const PLANS = (dir: string) => [
  plan(
    'asks_people',
    { finds_locally: { uses: 'finds_locally', ...local } },
    {
      verdict: { rules: [{ escalate: 'findings.size() > 0', reason: CANARIES.reason }], otherwise: 'allow' },
      review: { reviewers: { acknowledgement: ['moderators'], determination: ['moderators'] } },
    },
  ),
  plan('allows', {
    options: { uses: 'scripted', ...local, with: { name: CANARIES.options } },
    finds_locally: { uses: 'finds_locally', ...local },
    fails_locally: { uses: 'fails_locally', ...local, onFailure: ignored },
    fails_remotely: { uses: 'fails_remotely', ...remote, onFailure: ignored },
    behind: { uses: 'scripted', ...remote, dependsOn: ['finds_locally'], with: { echo: true } },
  }),
  plan('denies', { finds_remotely: { uses: 'finds_remotely', ...remote } }),
  plan('fails', { asks: { uses: 'asks', ...remote, maxRetries: 1 } }),
  plan('refuses', { any: { uses: 'scripted', ...local } }, { limits: { maxContentBytes: 10 } }),
  plan('dies', { dies: { uses: 'dies', ...remote, maxRetries: 1, attemptTimeout: '60s' } }),
  plan('waits', {
    finds_partly: { uses: 'finds_partly', ...local },
    waits: { uses: 'scripted', ...remote, attemptTimeout: '60s', with: { waitFor: join(dir, 'never') } },
  }),
];

interface Scene {
  /** Everything that the server has written, after its end. */
  readonly recorded: Buffer;
  /** What worker and command line have said. */
  readonly said: string;
}

/** The same evaluations, with keys and without. */
async function play(keys: string | undefined): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'tribunal-canary-'));
  const dbFile = join(dir, 'temporal.db');
  const server = await startDevServer({ dbFile, uiPort: false });
  const ends: (() => Promise<unknown>)[] = [() => server.stop()];
  const said: string[] = [];
  try {
    const connection = await Connection.connect({ address: server.address });
    ends.push(() => connection.close());
    const client = await TribunalClient.connect({
      connection,
      deployment: 'canary',
      ...(keys !== undefined ? { dataConverter: encryption({ keys }) } : {}),
    });
    const env = keys === undefined ? {} : { TRIBUNAL_DATA_CONVERTER: 'tribunal/codec', TRIBUNAL_CODEC_KEYS: keys };
    const [gate, begun] = [join(dir, 'gate'), join(dir, 'begun')];
    mkdirSync(join(dir, 'plans'));
    writeFileSync(join(dir, 'critics.mjs'), CRITICS(gate, begun));
    for (const one of PLANS(dir)) writePlan(join(dir, 'plans'), one);
    writePeople(dir, [MODERATOR]);
    const notices = join(dir, 'notices.jsonl');
    const notify = { moderators: { file: notices }, app: { file: notices, events: ['verdict', 'review_decided'] } };
    writeFileSync(join(dir, 'tribunal.yaml'), JSON.stringify({ plans: ['plans/*.yaml'], critics: ['critics.mjs'], notify }));
    const args = ['--address', server.address, '--file', join(dir, 'tribunal.yaml')];
    const worker = async () => {
      const started = await startWorker(connection, 'canary', args, { cwd: dir, env });
      ends.push(async () => {
        await started.destroy();
        said.push(started.stdout(), started.stderr());
      });
      return started;
    };
    const cli = async (...command: string[]) => {
      const ended = await run([...command, '--address', server.address, '--deployment', 'canary'], { cwd: dir, env });
      said.push(ended.stdout, ended.stderr);
      return ended;
    };
    const content = { output: CANARIES.content };
    const context = { note: CANARIES.context };

    const first = await worker();
    const [handle] = await Promise.all([
      client.start({ plan: 'dies', content, context }),
      eventually('the second attempt runs', () => (existsSync(begun) ? true : undefined)),
    ]);
    first.kill('SIGKILL');
    await worker();
    writeFileSync(gate, '');
    expect(criticOf(await handle.result(), 'dies').attempts).toBeGreaterThan(2);

    expect(await client.evaluate({ plan: 'allows', content, context })).toMatchObject({ decision: 'allow' });
    expect(await client.evaluate({ plan: 'fails', content, context })).toMatchObject({ decision: 'not_judged' });
    await expect(client.evaluate({ plan: 'refuses', content: CANARIES.refused, context })).rejects.toBeInstanceOf(RequestRefused);
    const record = join(dir, 'record.json');
    writeFileSync(record, JSON.stringify({ content, context, key: 'by-hand' }));
    expect(await cli('evaluate', record, '--plan', 'denies')).toMatchObject({ exit: 10, stdout: expect.stringContaining(CANARIES.reason) });
    const waiting = await client.start({ plan: 'waits', content, context });
    await eventually('a critic waits', async () => (await waiting.progress()).running.find(({ name }) => name === 'waits'));
    expect((await cli('show', waiting.evaluationId)).exit).toBe(14);
    expect((await cli('cancel', waiting.evaluationId)).exit).toBe(0);
    const cancelled: unknown = await waiting.result().catch((error: unknown) => error);
    if (!(cancelled instanceof EvaluationCancelled) || cancelled.report === undefined) throw cancelled;
    expect(criticOf(cancelled.report, 'finds_partly').outcome).toBe('succeeded');
    expect((await cli('show', waiting.evaluationId)).stdout).toContain(CANARIES.partial);
    expect((await cli('show', 'by-hand', '--json')).stdout).toContain(CANARIES.remoteEvidence);
    expect((await cli('list')).stdout).toContain('default/by-hand');
    await haveDecided(client, content, context);
    await eventually('the decision is told', () => (readFileSync(notices, 'utf8').includes('review_decided') ? true : undefined));
    said.push(readFileSync(notices, 'utf8'));
  } finally {
    for (const end of ends.toReversed()) await end();
  }
  const files = ['', '-wal', '-shm', '.log'].map((suffix) => dbFile + suffix).filter((file) => existsSync(file));
  const recorded = Buffer.concat(files.map((file) => readFileSync(file)));
  rmSync(dir, { recursive: true });
  return { recorded, said: said.join('\n') };
}

/** A person who says why lets it pass. */
async function haveDecided(client: TribunalClient, content: Json, context: JsonObject): Promise<void> {
  const { evaluationId, review } = await client.evaluate({ plan: 'asks_people', key: 'by-people', content, context });
  if (review === undefined) throw new Error('no review was opened');
  const by = { signer: localCommandSigner(MODERATOR), packetDigest: review.packetDigest };
  const { epoch = 0 } = await client.reviews.act('claim', review.id, {}, by);
  await client.reviews.act('comment', review.id, { text: `I wonder about ${CANARIES.comment}` }, by);
  const signals = [{ id: 'r1', reason: `it is meant kindly, says ${CANARIES.answer}` }];
  await client.reviews.act('decide', review.id, { disposition: 'PROCEED', epoch, signals }, by);
  await eventually('it is released', async () => ((await client.release(evaluationId, { content })).ok ? true : undefined));
}

/** A text as it may stand in a file: as it is, in UTF-16, in hexadecimal, and in base64 at each of its three alignments. */
function formsOf(text: string): Buffer[] {
  const utf16 = Buffer.from(text, 'utf16le');
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.from('\0'.repeat(shift) + text).toString('base64');
    // Only the characters that the text alone decides.
    return encoded.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + text.length) * 8) / 6));
  });
  const hex = Buffer.from(text).toString('hex');
  return [text, hex, hex.toUpperCase(), ...base64].map((form) => Buffer.from(form)).concat(utf16, Buffer.from(utf16).swap16());
}

const found = (where: Buffer, text: string): boolean => formsOf(text).some((form) => where.includes(form));

describe('what the server keeps', () => {
  const secret = randomBytes(32);
  const keys = `k1:${secret.toString('base64')}`;
  let encrypted: Scene;
  let plain: Scene;
  beforeAll(async () => {
    build();
    [encrypted, plain] = [await play(keys), await play(undefined)];
  }, 360_000);

  test('without encryption holds content, findings, failures, plans, heartbeats and what people say: the search below finds what is there', () => {
    expect(Object.values(CANARIES).filter((canary) => !found(plain.recorded, canary))).toEqual([]);
  });

  test('with encryption holds not one of them, in no form', () => {
    expect(Object.values(CANARIES).filter((canary) => found(encrypted.recorded, canary))).toEqual([]);
    // It is the same evaluations that it holds.
    expect(encrypted.recorded.includes('default/by-hand')).toBe(true);
    expect(encrypted.recorded.includes('Encoded failure')).toBe(true);
  });

  test('with encryption does not hold the key either, and nobody has said it', () => {
    const forms = [secret, secret.toString('base64'), secret.toString('hex'), secret.toString('base64url')];
    const everything = Buffer.concat([encrypted.recorded, Buffer.from(encrypted.said)]);
    expect(forms.filter((form) => everything.includes(form))).toEqual([]);
  });

  test.each(['content', 'context', 'refused', 'options', 'heartbeat', 'answer', 'comment', 'alias'] as const)(
    'leaves the %s out of what worker and commands say',
    (place) => {
      for (const { said } of [encrypted, plain]) expect(found(Buffer.from(said), CANARIES[place])).toBe(false);
      expect(encrypted.said).toContain('what Temporal records goes through tribunal/codec');
    },
  );

  test.each(Object.keys(CANARIES).map((place) => [place]))('%s would be found in each form in which it is looked for', (place) => {
    const canary = CANARIES[place as keyof typeof CANARIES];
    for (const text of [canary, `x${canary}`, `xy${canary}`, `${canary}z`])
      for (const written of [text, Buffer.from(text).toString('base64'), Buffer.from(text).toString('hex'), Buffer.from(text, 'utf16le')])
        expect(found(Buffer.concat([Buffer.from('before'), Buffer.from(written), Buffer.from('after')]), canary)).toBe(true);
  });
});

test('a worker without the key says which one it lacks, and judges nothing', async ({ onTestFinished }) => {
  build();
  const [own, other] = [7, 8].map((byte) => Buffer.alloc(32, byte).toString('base64'));
  const harness = await makeHarness({ plans: [], worker: false, dataConverter: encryption({ keys: `lost:${own}` }) });
  onTestFinished(() => harness.close());
  const file = writePlan(harness.dir, plan('any', { only: { uses: 'scripted', ...local } }));
  const args = ['--address', inject('server').address, '--plan', file, '--data-converter', 'tribunal/codec'];
  const worker = await startWorker(harness.connection, harness.deployment, args, { env: { TRIBUNAL_CODEC_KEYS: `k2:${other}` } });
  onTestFinished(() => worker.destroy());
  const { evaluationId } = await harness.client.start({ plan: 'any', content: CANARIES.content });
  const [line] = await says(worker, /^.*the key lost, which is not here.*$/m);
  expect(line).toBe(
    'error: Failed to process Workflow Activation: a payload is encrypted with the key lost, which is not here: add it behind the current one',
  );
  expect(worker.stderr()).not.toContain(CANARIES.content);
  expect(await harness.client.handle(evaluationId).status()).toMatchObject({ status: 'running' });
  await harness.temporal.workflow.getHandle(evaluationId).terminate();
});
