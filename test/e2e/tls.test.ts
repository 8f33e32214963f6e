/** A server behind TLS: worker and commands take certificates and keys as the tools of Temporal do, and tell none of them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer, type Http2SecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { build, eventually, run, says, start, writePlan } from '../support/processes.js';
import { hasOpenssl, keyOf, makeCertificates, startTlsProxy, type Certificates, type TlsProxy } from '../support/tls-proxy.js';

const PLAN = {
  plan: 'scene',
  version: 1,
  timeouts: { global: '60s' },
  critics: { words: { uses: 'scripted', stage: 'core_analysis', with: { finding: { severity: 0.1 } } } },
  verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe' }], otherwise: 'allow' },
};
const DEPLOYMENT = 'behind-tls';

describe.skipIf(!hasOpenssl)('a server that asks for mutual TLS (skipped where there is no openssl to make certificates with)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tribunal-tls-'));
  let certificates: Certificates;
  let proxy: TlsProxy;
  beforeAll(async () => {
    build();
    certificates = makeCertificates(dir);
    proxy = await startTlsProxy(inject('server').address, certificates);
  });
  afterAll(async () => {
    await proxy.close();
    rmSync(dir, { recursive: true });
  });

  const none = { TEMPORAL_CONFIG_FILE: join(dir, 'none.toml') };
  const variables = (client: string | undefined): NodeJS.ProcessEnv => ({
    ...none,
    TEMPORAL_ADDRESS: proxy.address,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.ca,
    ...(client !== undefined ? { TEMPORAL_TLS_CLIENT_CERT_PATH: client, TEMPORAL_TLS_CLIENT_KEY_PATH: keyOf(client) } : {}),
  });
  const profile = (): NodeJS.ProcessEnv => {
    const file = join(dir, 'temporal.toml');
    const tls = `server_ca_cert_path = "${certificates.ca}"\nclient_cert_path = "${certificates.client}"\nclient_key_path = "${keyOf(certificates.client)}"\n`;
    writeFileSync(file, `[profile.cluster]\naddress = "${proxy.address}"\nnamespace = "default"\n[profile.cluster.tls]\n${tls}`);
    return { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'cluster' };
  };

  test.each([
    ['the variables of the environment', () => variables(certificates.client)],
    ['a profile of the configuration file', profile],
  ])('judges for worker and client that have their certificates from %s', async (_, environment) => {
    const env = environment();
    const worker = start(['worker', '--deployment', DEPLOYMENT, '--plan', writePlan(dir, PLAN)], { cwd: dir, env });
    try {
      await says(worker, /^worker of /m);
      const judged = await eventually('the worker polls, so that a client may start', async () => {
        const ended = await run(['evaluate', '--json', '--deployment', DEPLOYMENT, '--plan', 'scene', '--content', 'x'], { cwd: dir, env });
        return ended.stderr.includes('NO_WORKER') ? undefined : ended;
      });
      expect(judged).toMatchObject({ exit: 0, stderr: '' });
      expect(JSON.parse(judged.stdout)).toMatchObject({ decision: 'allow' });
      const doctor = await run(['doctor', '--deployment', DEPLOYMENT], { cwd: dir, env });
      expect(doctor).toMatchObject({ exit: 0, stdout: expect.stringContaining(`${proxy.address} (`) });
    } finally {
      await worker.destroy();
    }
  });

  test.each([
    ['no certificate', () => undefined],
    ["a stranger's certificate", () => certificates.stranger],
  ])('refuses worker, client and doctor with %s, in one sentence each', async (_, client) => {
    const env = variables(client());
    const at = `cannot connect to ${proxy.address}`;
    const why = /the Temporal server did not answer in time: .* whether it asks for TLS, a certificate or a key\n$/;
    const plan = writePlan(dir, PLAN);
    const [worker, list, doctor] = await Promise.all([
      run(['worker', '--plan', plan], { cwd: dir, env }),
      run(['list'], { cwd: dir, env }),
      run(['doctor'], { cwd: dir, env }),
    ]);
    for (const { exit, stdout, stderr } of [worker, list]) {
      expect([exit, stdout]).toEqual([1, '']);
      expect(stderr).toMatch(why);
      expect(stderr.startsWith(`tribunal: ${at}`)).toBe(true);
    }
    expect(doctor).toMatchObject({ exit: 1, stderr: '', stdout: expect.stringMatching(/^fail server [^\n]+\n$/) });
    expect(doctor.stdout).toContain(at);
    expect(doctor.stdout).toMatch(why);
  });

  test('is not believed when an authority vouches for it that the client does not know', async () => {
    const env = { ...variables(certificates.client), TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.stranger };
    expect(await run(['list'], { cwd: dir, env })).toMatchObject({ exit: 1, stderr: expect.stringContaining('cannot connect to') });
    expect(await run(['worker', '--plan', writePlan(dir, PLAN)], { cwd: dir, env })).toMatchObject({ exit: 1, stdout: '' });
  });

  describe('and for an API key', () => {
    let server: Http2SecureServer;
    const told = new Set<string>();
    beforeAll(async () => {
      const { server: certificate } = certificates;
      server = createSecureServer({ key: readFileSync(keyOf(certificate)), cert: readFileSync(certificate) });
      // Whatever is asked: no permission.
      server.on('stream', (stream, headers) => {
        told.add(String(headers.authorization));
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7' }, { endStream: true });
      });
      await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
    });
    afterAll(() => void server.close());

    test('is told it by worker and client alike, and nobody else is', async () => {
      const TEMPORAL_ADDRESS = `localhost:${(server.address() as AddressInfo).port}`;
      const env = { ...none, TEMPORAL_ADDRESS, TEMPORAL_TLS_SERVER_CA_CERT_PATH: certificates.ca, TEMPORAL_API_KEY: 'key-of-the-test' };
      for (const command of [['list'], ['doctor'], ['worker', '--log-format', 'json', '--plan', writePlan(dir, PLAN)]]) {
        told.clear();
        const { exit, stdout, stderr } = await run(command, { cwd: dir, env });
        expect([exit, [...told]]).toEqual([1, ['Bearer key-of-the-test']]);
        expect(stdout + stderr).not.toContain('key-of-the-test');
      }
    });
  });
});
