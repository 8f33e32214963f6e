/**
 * TLS in front of the development server, which speaks none: a port that takes nobody without a certificate of the test's
 * own authority and hands on what comes. Keys and certificates are made by `openssl` for this run alone.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

export interface Certificates {
  /** Of the authority that has signed the others. */
  readonly ca: string;
  readonly server: string;
  readonly client: string;
  /** Of another authority. */
  readonly stranger: string;
}

/** Paths of certificates in `dir`; each has its key beside it, as `<name>.key`. */
export function makeCertificates(dir: string): Certificates {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = (name: string): void =>
    openssl('req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '2');
  const signed = (name: string, by: string, extension: string): void => {
    writeFileSync(join(dir, `${name}.ext`), extension);
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signer = ['-CA', `${by}.pem`, '-CAkey', `${by}.key`, '-CAcreateserial'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...signer, '-out', `${name}.pem`, '-days', '2', '-extfile', `${name}.ext`);
  };
  authority('ca');
  authority('other');
  signed('server', 'ca', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  signed('client', 'ca', 'extendedKeyUsage=clientAuth');
  signed('stranger', 'other', 'extendedKeyUsage=clientAuth');
  const path = (name: string): string => join(dir, `${name}.pem`);
  return { ca: path('ca'), server: path('server'), client: path('client'), stranger: path('stranger') };
}

export const keyOf = (certificate: string): string => certificate.replace(/\.pem$/, '.key');

export interface TlsProxy {
  readonly address: string;
  close(): Promise<void>;
}

/** Mutual TLS in front of `upstream`. */
export async function startTlsProxy(upstream: string, certificates: Certificates): Promise<TlsProxy> {
  const [host = '', port = ''] = upstream.split(':');
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    {
      key: readFileSync(keyOf(certificates.server)),
      cert: readFileSync(certificates.server),
      ca: readFileSync(certificates.ca),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['h2'],
    },
    (socket) => {
      sockets.add(socket);
      const onward = connect(Number(port), host);
      const end = (): void => {
        sockets.delete(socket);
        socket.destroy();
        onward.destroy();
      };
      for (const side of [socket, onward]) side.on('error', end).on('close', end);
      socket.pipe(onward).pipe(socket);
    },
  );
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  return {
    address: `localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((settle) => server.close(settle));
    },
  };
}
