/**
 * The `fetch` that critics are handed. It asks public addresses only, unless the deployment names the host; it connects to
 * the very address that was checked, so that a name cannot mean one thing when it is checked and another when it is asked;
 * it follows no redirect, goes through no proxy and verifies certificates whatever the environment says.
 */
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { addressProblem, addressRefused, isNamed, literalOf, readHosts, targetOf, type NamedHosts, type Target } from './addresses.js';
import { CriticError } from '../critic.js';

/** Looks up every address of a name. */
export type LookupAll = (hostname: string, done: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void;

export interface GuardedFetchOptions {
  /** Hosts that may be asked whatever their addresses are: `judge.internal`, `127.0.0.1:8080`. Default: none. */
  readonly hosts?: readonly string[];
  /** Default: the system's. */
  readonly lookup?: LookupAll;
}

const lookupAll: LookupAll = (hostname, done) => systemLookup(hostname, { all: true }, done);

/**
 * @returns a `fetch` that fails with a permanent `CriticError` `ADDRESS_REFUSED` where it may not go, and otherwise as any
 * other `fetch` does. Its time is the caller's: hand it a signal.
 * @throws Error with one sentence when an entry of `hosts` names no host.
 */
export function makeGuardedFetch({ hosts = [], lookup = lookupAll }: GuardedFetchOptions = {}): typeof fetch {
  const named = readHosts(hosts);
  let network: Promise<Ask> | undefined;
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new CriticError('permanent', 'ADDRESS_REFUSED', `${url.protocol} is not asked: only http and https are`);
    // Loaded on first use: most workers have critics that ask nobody.
    const ask = await (network ??= makeNetwork(named, lookup));
    // A Request of the platform is not one of the library: what counts of it is taken over.
    const given = input instanceof Request ? { ...partsOf(input), ...init } : init;
    try {
      return await ask(url, given);
    } catch (error) {
      throw refusalIn(error) ?? error;
    }
  };
}

const partsOf = ({ method, headers, body, signal }: Request): RequestInit => ({
  method,
  headers,
  signal,
  ...(body === null ? {} : { body, duplex: 'half' }),
});

type Ask = (url: URL, init: RequestInit | undefined) => Promise<Response>;

async function makeNetwork(named: NamedHosts, lookup: LookupAll): Promise<Ask> {
  const { Agent, buildConnector: connector, fetch: undiciFetch } = await import('undici');
  // Never switched off, also not by NODE_TLS_REJECT_UNAUTHORIZED.
  const verified = { rejectUnauthorized: true } as const;
  const connect = (target: Target): buildConnector.connector =>
    connector({ ...verified, lookup: checkedLookup(target, isNamed(target, named), lookup) });
  const dispatcher = new Agent({
    connect: (options, done) => {
      const target = targetOf(new URL(`${options.protocol}//${bracketed(options.hostname)}:${options.port}`));
      const literal = literalOf(target.hostname);
      const problem = literal === undefined || isNamed(target, named) ? undefined : addressProblem(literal);
      // An address is connected to without a lookup.
      if (problem !== undefined) done(addressRefused(target, problem), null);
      else connect(target)(options, done);
    },
  });
  // The two sets of types are of one standard; a critic's own dispatcher or redirect must not win.
  return async (url, init) => await undiciFetch(url, { ...(init as object), redirect: 'manual', dispatcher });
}

/** Sockets name an IPv6 address without brackets. */
const bracketed = (hostname: string): string => (hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname);

/**
 * Answers a socket with addresses that were checked, every one of them: a name with one private address among public ones
 * is refused whole. For a named host all but link-local ones are right: those are for machines to ask about themselves, and
 * whoever means one writes the address itself.
 */
function checkedLookup(target: Target, named: boolean, lookup: LookupAll): LookupFunction {
  return (hostname, { all }, done) => {
    lookup(hostname, (error, addresses) => {
      if (error !== null) return done(error, [], 0);
      const problems = addresses.map(({ address }) => addressProblem(address));
      const problem = problems.find(
        (one) => one !== undefined && (!named || one === 'linkLocal' || one === 'metadata' || one === 'no address'),
      );
      const [first] = addresses;
      if (problem !== undefined || first === undefined) return done(addressRefused(target, problem ?? 'no address'), [], 0);
      if (all === true) done(null, [...addresses]);
      else done(null, first.address, first.family);
    });
  };
}

/** `fetch` wraps what its sockets say, sometimes more than once. */
function refusalIn(error: unknown): CriticError | undefined {
  for (let one = error; one instanceof Error; one = one.cause) if (one instanceof CriticError) return one;
  return undefined;
}
