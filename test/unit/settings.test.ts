import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { describeServer, loadSettings, resolveServer } from '../../src/settings.js';
import { findRunningServer, forgetRunningServer, recordRunningServer } from '../../temporal/running.js';

describe('settings', () => {
  test('an empty environment gives the defaults', () => {
    expect(loadSettings({ PATH: '/bin', TRIBUNAL_LOG: '' })).toEqual({
      ok: true,
      settings: { deployment: 'tribunal', shutdownGraceMs: 30_000, logLevel: 'warn', logFormat: 'text', codecAcceptsPlain: false },
    });
  });

  test('every variable that is set is read', () => {
    const env = {
      TRIBUNAL_DEPLOYMENT: 'moderation',
      TRIBUNAL_CACHE: '/cache',
      TRIBUNAL_SHUTDOWN_GRACE: '2m',
      TRIBUNAL_LOG: 'debug',
      TRIBUNAL_LOG_FORMAT: 'json',
      TRIBUNAL_METRICS: ':9464',
      TRIBUNAL_DATA_CONVERTER: 'own.mjs',
      TRIBUNAL_CODEC_KEYS: `k1:${'A'.repeat(43)}=`,
      TRIBUNAL_CODEC_ACCEPT_PLAIN: 'yes',
    };
    expect(loadSettings(env)).toEqual({
      ok: true,
      settings: {
        deployment: 'moderation',
        shutdownGraceMs: 120_000,
        logLevel: 'debug',
        logFormat: 'json',
        metrics: { port: 9464 },
        dataConverter: 'own.mjs',
        codecKeys: [{ id: 'k1', key: expect.anything() }],
        codecAcceptsPlain: true,
      },
    });
  });

  test('all problems are told at once, each with its variable, the value met and what is known', () => {
    const result = loadSettings({
      TRIBUNAL_LGO: 'info',
      TRIBUNAL_LOG: 'loud',
      TRIBUNAL_SHUTDOWN_GRACE: '30',
      TRIBUNAL_DEPLOYMENT: 'My Team',
    });
    expect(result.ok).toBe(false);
    const problems = result.ok ? [] : result.problems;
    expect(problems).toHaveLength(4);
    expect(problems[0]).toMatch(/^TRIBUNAL_LGO: there is no such setting; did you mean "TRIBUNAL_LOG"\?; known are TRIBUNAL_DEPLOYMENT, /);
    expect(problems).toContainEqual(expect.stringMatching(/^TRIBUNAL_LOG: must be one of debug, info, warn, error, is "loud"/));
    expect(problems).toContainEqual(expect.stringMatching(/^TRIBUNAL_SHUTDOWN_GRACE: "30" is not a duration/));
    expect(problems).toContainEqual(expect.stringMatching(/^TRIBUNAL_DEPLOYMENT: "My Team" is no name of a deployment/));
  });
});

describe('the server', () => {
  let dir: string;
  let server: Server;
  let address: string;

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tribunal-settings-'));
    server = createServer();
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
    const bound = server.address();
    address = `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
  });

  afterEach(async () => {
    await new Promise((settle) => server.close(settle));
    rmSync(dir, { recursive: true });
  });

  /** Without the profile of whoever runs the test. */
  const env = (values: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({ TEMPORAL_CONFIG_FILE: join(dir, 'temporal.toml'), ...values });

  test('that TEMPORAL_ADDRESS names comes before the running one', async () => {
    recordRunningServer(dir, { address, pid: process.pid });
    const values = env({ TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'prod', TEMPORAL_API_KEY: 'secret-key' });
    const found = await resolveServer({ env: values, dir });
    expect(found).toMatchObject({
      namespace: 'prod',
      source: 'environment',
      connectionOptions: { address: 'temporal.example:7233', apiKey: 'secret-key', tls: true },
    });
    expect(describeServer(found)).toBe('temporal.example:7233, namespace prod, TLS, with an API key (environment)');
  });

  test('that a profile names is found, with the namespace of the profile', async () => {
    writeFileSync(join(dir, 'temporal.toml'), '[profile.default]\naddress = "from.profile:7233"\nnamespace = "p"\n');
    expect(await resolveServer({ env: env(), dir })).toEqual({
      connectionOptions: { address: 'from.profile:7233' },
      namespace: 'p',
      source: 'profile',
    });
  });

  test('that runs in the project is found from a folder below it, when nothing else is named', async () => {
    recordRunningServer(dir, { address, uiUrl: 'http://127.0.0.1:8233', pid: process.pid });
    const found = await resolveServer({ env: env(), dir: join(dir, 'a', 'b') });
    expect(found).toEqual({
      connectionOptions: { address },
      namespace: 'default',
      source: 'running server',
      uiUrl: 'http://127.0.0.1:8233',
    });
  });

  test('is the running one alone when the environment is ignored', async () => {
    recordRunningServer(dir, { address, pid: process.pid });
    const values = env({ TEMPORAL_ADDRESS: 'temporal.example:7233', TEMPORAL_NAMESPACE: 'prod' });
    expect(await resolveServer({ env: values, dir, ignoreEnvironment: true })).toEqual({
      connectionOptions: { address },
      namespace: 'default',
      source: 'running server',
    });
  });

  test('that cannot be found gives one sentence with what to do', async () => {
    await expect(resolveServer({ env: env(), dir })).rejects.toThrow(
      /^Could not find a Temporal server: .*`tribunal dev`, or set TEMPORAL_ADDRESS\.$/,
    );
    await expect(resolveServer({ env: env(), dir, ignoreEnvironment: true })).rejects.toThrow(
      /: none runs in this project; start .* `tribunal dev`\.$/,
    );
  });

  test('of a broken profile file is refused without a word of the key that stands in it', async () => {
    writeFileSync(join(dir, 'temporal.toml'), '[profile.default]\napi_key = "secret-key\naddress = "x:1"\n');
    const error = await resolveServer({ env: env(), dir }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).toHaveProperty(
      'message',
      expect.stringMatching(/^Could not read the Temporal configuration .*temporal\.toml, profile default/),
    );
    expect(JSON.stringify([String(error), error instanceof Error && error.cause])).not.toContain('secret-key');
  });

  test('is not taken for running when its process is gone, when its port is shut, or when it is on another machine', async () => {
    recordRunningServer(dir, { address, pid: 2 ** 30 });
    expect(await findRunningServer(dir)).toBeUndefined();
    recordRunningServer(dir, { address: '127.0.0.1:1', pid: process.pid });
    expect(await findRunningServer(dir)).toBeUndefined();
    recordRunningServer(dir, { address: address.replace('127.0.0.1', 'localhost'), pid: process.pid });
    expect(await findRunningServer(dir)).toBeUndefined();
  });

  test('is forgotten only by the record of its own process', async () => {
    recordRunningServer(dir, { address, pid: process.pid });
    forgetRunningServer(dir, 2 ** 30);
    expect(await findRunningServer(dir)).toMatchObject({ address, pid: process.pid });
    forgetRunningServer(dir, process.pid);
    expect(await findRunningServer(dir)).toBeUndefined();
  });
});
