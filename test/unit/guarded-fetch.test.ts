/** The one way from a critic to the network: what it refuses, and that it connects to what it checked. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeGuardedFetch, type LookupAll } from '../../src/critics/network/guarded-fetch.js';
import { networkFailure } from '../../src/critics/network/provider-failure.js';

/** Forged and private hosts, as somebody would write them into a URL. */
const REFUSED = `
  127.0.0.1 127.1 127.0.1 127.255.255.254 2130706433 017700000001 0177.0.0.1 0x7f000001 0x7f.0.0.1 0x7f.1 127.0.0.1.
  0.0.0.0 0 0.1.2.3 %31%32%37.0.0.1 １２７.0.0.1 127。0。0。1 ①②⑦.0.0.1 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1
  3232235777 0xc0a80101 100.64.0.1 100.100.100.200 169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 168.63.129.16
  192.0.0.192 198.18.0.1 192.0.2.1 203.0.113.7 192.88.99.1 224.0.0.1 240.0.0.1 255.255.255.255 [::1] [::]
  [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:a9fe:a9fe] [::127.0.0.1] [::ffff:0:127.0.0.1]
  [64:ff9b::127.0.0.1] [64:ff9b::a00:1] [64:ff9b:1::a00:1] [2002:7f00:1::] [2002:c0a8:101::1] [2001:0:7f00:1::] [fe80::1]
  [fc00::1] [fd00:ec2::254] [fec0::1] [ff02::1] [100::1] [2001:db8::1] [3fff::1] [5f00::1] [4000::1]
`
  .trim()
  .split(/\s+/);

/** Answers of a name server. */
const RESOLVED: readonly (readonly string[])[] = [
  ['127.0.0.1'],
  ['10.1.2.3'],
  ['::1'],
  ['fe80::1%eth0'],
  ['::ffff:192.168.0.1'],
  ['64:ff9b::a9fe:a9fe'],
  ['93.184.215.14', '127.0.0.1'],
  ['2606:4700::1111', 'fd00::1'],
  ['not an address'],
  [],
];

const answering =
  (addresses: readonly string[]): LookupAll =>
  (_hostname, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );

const refused = { name: 'CriticError', kind: 'permanent', code: 'ADDRESS_REFUSED' };

let server: Server;
let port = 0;
let hits = 0;
beforeAll(async () => {
  server = createHttp((request, response) => {
    hits += 1;
    if (request.url === '/redirect') response.writeHead(302, { location: '/' }).end();
    else response.end(request.headers['x-from'] ?? 'here');
  });
  port = await listen(server);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function listen(one: Server): Promise<number> {
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  return (one.address() as AddressInfo).port;
}

describe('a guarded fetch', () => {
  it.each(REFUSED)('refuses the address %s, in whatever form it is written', async (host) => {
    await expect(makeGuardedFetch()(`http://${host}:${port}/`)).rejects.toMatchObject(refused);
    await expect(makeGuardedFetch()(`https://${host}/`)).rejects.toMatchObject(refused);
    expect(hits).toBe(0);
  });

  it('refuses at least forty of them', () => {
    expect(new Set(REFUSED).size).toBeGreaterThanOrEqual(40);
  });

  it.each(RESOLVED.map((addresses) => [addresses.join(' and ') || 'nothing', addresses] as const))(
    'refuses a name that stands for %s',
    async (_told, addresses) => {
      const guarded = makeGuardedFetch({ lookup: answering(addresses) });
      await expect(guarded(`http://judge.example:${port}/`)).rejects.toMatchObject(refused);
      expect(hits).toBe(0);
    },
  );

  it.each(['localhost', 'LOCALHOST'])("refuses %s as the system's resolver answers it", async (host) => {
    await expect(makeGuardedFetch()(`http://${host}:${port}/`)).rejects.toMatchObject(refused);
    expect(hits).toBe(0);
  });

  it.each(['file:///etc/passwd', 'data:text/plain,x', 'ftp://judge.example/', 'blob:http://x/y'])('refuses %s', async (url) => {
    await expect(makeGuardedFetch({ hosts: ['judge.example'] })(url)).rejects.toMatchObject(refused);
  });

  it('says which host it was and what to write', async () => {
    await expect(makeGuardedFetch()('http://0x7f.1:8080/')).rejects.toThrow(
      /^127\.0\.0\.1:8080 is an address that is not public \(loopback\): name it in the deployment: hosts: \['127\.0\.0\.1:8080'\] in tribunal\.yaml, or --allow-host 127\.0\.0\.1:8080$/,
    );
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '2130706433'],
    ['127.1', '127.0.0.1.'],
    ['localhost', 'LOCALHOST.'],
    ['localhost.', 'localhost'],
  ])('asks a host that the deployment names: %s as %s', async (named, host) => {
    const before = hits;
    const lookup = answering(['127.0.0.1']);
    const answer = await makeGuardedFetch({ hosts: [`${named}:${port}`], lookup })(`http://${host}:${port}/`, {
      headers: new Headers({ 'x-from': 'a test' }),
    });
    expect(await answer.text()).toBe('a test');
    expect(await (await makeGuardedFetch({ hosts: [named], lookup })(`http://${host}:${port}/`)).text()).toBe('here');
    expect(hits).toBe(before + 2);
  });

  it('asks only the port that was named', async () => {
    const guarded = makeGuardedFetch({ hosts: [`127.0.0.1:${port + 1}`, 'localhost:9'] });
    await expect(guarded(`http://127.0.0.1:${port}/`)).rejects.toMatchObject(refused);
    await expect(guarded(`http://localhost:${port}/`)).rejects.toMatchObject(refused);
  });

  it('refuses what machines ask about themselves even behind a name that the deployment has, unless the address itself is named', async () => {
    for (const address of ['169.254.169.254', 'fe80::1', '168.63.129.16', '::ffff:169.254.169.254']) {
      const guarded = makeGuardedFetch({ hosts: ['judge.internal'], lookup: answering([address]) });
      await expect(guarded('http://judge.internal/')).rejects.toMatchObject(refused);
    }
  });

  it('connects to the address that was checked, whatever the name stands for a moment later', async () => {
    const before = hits;
    // Public, and given to nobody: what asks there gets no answer.
    const answers = ['2d00::1', '127.0.0.1', '127.0.0.1'];
    let asked = 0;
    const lookup: LookupAll = (hostname, done) => answering([answers[asked++] ?? '127.0.0.1'])(hostname, done);
    const guarded = makeGuardedFetch({ lookup });
    const first: unknown = await guarded(`http://rebind.example:${port}/`, { signal: AbortSignal.timeout(500) }).catch(
      (error: unknown) => error,
    );
    expect(first).toBeInstanceOf(Error);
    expect(first).not.toMatchObject(refused);
    expect(asked).toBe(1);
    await expect(guarded(`http://rebind.example:${port}/`)).rejects.toMatchObject(refused);
    expect(hits).toBe(before);
  });

  it('follows no redirect and takes no way of its caller around it', async () => {
    const before = hits;
    const guarded = makeGuardedFetch({ hosts: [`127.0.0.1:${port}`] });
    const ways: object = { redirect: 'follow', dispatcher: { dispatch: () => expect.unreachable('its own dispatcher was used') } };
    expect((await guarded(`http://127.0.0.1:${port}/redirect`, ways)).status).toBe(302);
    expect(hits).toBe(before + 1);
  });

  it('takes a Request as well, and looks at its address', async () => {
    const guarded = makeGuardedFetch({ hosts: [`127.0.0.1:${port}`] });
    const request = (url: string): Request => new Request(url, { method: 'POST', body: 'x', headers: { 'x-from': 'a request' } });
    expect(await (await guarded(request(`http://127.0.0.1:${port}/`))).text()).toBe('a request');
    await expect(guarded(request('http://127.0.0.1:8080/'))).rejects.toMatchObject(refused);
  });

  it.each(['', 'http://x', 'a b', '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:65536', 'fd00::1', '10.0.0.0/8', '*.internal', 'x/y', 'u@x'])(
    'cannot be made with %j among its hosts',
    (host) => {
      expect(() => makeGuardedFetch({ hosts: [host] })).toThrow(/^hosts: .* is no host: write for example/);
    },
  );
});

describe('a guarded fetch over TLS', () => {
  const file = (name: string): string => join(import.meta.dirname, '..', 'support', 'tls', name);
  const tls = createHttps({ key: readFileSync(file('key.pem')), cert: readFileSync(file('cert.pem')) }, (_request, response) =>
    response.end('over TLS'),
  );
  let url = '';
  beforeAll(async () => {
    url = `https://localhost:${await listen(tls)}/`;
  });
  afterAll(() => {
    tls.closeAllConnections();
    tls.close();
  });

  it('refuses a certificate that nobody vouches for, for good', async () => {
    const thrown: unknown = await makeGuardedFetch({ hosts: ['localhost'] })(url).catch((error: unknown) => error);
    expect(networkFailure(thrown, 'localhost')).toMatchObject({ kind: 'permanent', code: 'HTTP_TLS' });
  });

  it('refuses it whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      // The control: others do obey it.
      expect(await (await fetch(url)).text()).toBe('over TLS');
      await expect(makeGuardedFetch({ hosts: ['localhost'] })(url)).rejects.toThrow('fetch failed');
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
    }
  });

  it('takes a certificate that the operator trusts, and only for the name that it has', async () => {
    const script = `
      const { makeGuardedFetch } = await import('./src/critics/network/guarded-fetch.ts');
      const guarded = makeGuardedFetch({ hosts: ['localhost', '127.0.0.1'] });
      const of = (url) => guarded(url).then((answer) => answer.text(), (error) => error.cause?.code ?? error.message);
      const url = ${JSON.stringify(url)};
      console.log(JSON.stringify([await of(url), await of(url.replace('localhost', '127.0.0.1'))]));`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: file('cert.pem') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let written = '';
    child.stdout.on('data', (chunk: Buffer) => (written += chunk.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    expect(JSON.parse(written)).toEqual(['over TLS', 'ERR_TLS_CERT_ALTNAME_INVALID']);
  });
});
