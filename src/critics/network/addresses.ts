/**
 * Which addresses critics may ask. Only public ones, unless the deployment names the host: a plan's URL, or a name that
 * somebody else's DNS answers, must not reach what stands beside the worker. Pure: nothing is looked up here.
 */
import ipaddr from 'ipaddr.js';
import { parseHost, plainHost, type NamedHost } from '../../schemas/host.js';
import { CriticError } from '../critic.js';

/** The hosts that a deployment names, read once. */
export type NamedHosts = readonly NamedHost[];

/** @throws Error with one sentence for a text that names no host. */
export function readHosts(texts: readonly string[]): NamedHosts {
  return texts.map((text) => {
    const host = parseHost(text);
    if (host === undefined)
      throw new Error(`hosts: ${JSON.stringify(text.slice(0, 80))} is no host: write for example judge.internal or 127.0.0.1:8080`);
    return host;
  });
}

export function isNamed({ hostname, port }: Target, named: NamedHosts): boolean {
  const host = plainHost(hostname);
  return named.some((one) => one.host === host && (one.port === undefined || one.port === port));
}

export interface Target {
  /** As `URL` has it: addresses in whatever form were written are in their plain one, IPv6 is in brackets. */
  readonly hostname: string;
  readonly port: number;
}

const DEFAULT_PORT: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

export const targetOf = ({ hostname, port, protocol }: URL): Target => ({
  hostname,
  port: port === '' ? (DEFAULT_PORT[protocol] ?? 0) : Number(port),
});

/** All that is routed in the world today; what is outside is a way to write something else, such as `::127.0.0.1`. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');
/** The door through which machines on Azure ask about themselves; its address looks public. */
const METADATA: ReadonlySet<string> = new Set(['168.63.129.16']);

/** Why an address may not be asked, in a word; `undefined` for a public one. Anything that is no address is refused too. */
export function addressProblem(text: string): string | undefined {
  if (!ipaddr.isValid(text)) return 'no address';
  // Mapped forms (`::ffff:127.0.0.1`) are what they hold.
  const address = unwrap(ipaddr.process(text));
  if (METADATA.has(address.toString())) return 'metadata';
  const range = address.range();
  if (range !== 'unicast') return range;
  return address instanceof ipaddr.IPv6 && !address.match(GLOBAL_UNICAST) ? 'not routed' : undefined;
}

/** 64:ff9b::/96 is IPv4 behind a translator, and how networks without IPv4 reach everybody: what counts is the address inside. */
function unwrap(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (!(address instanceof ipaddr.IPv6) || !address.match(ipaddr.parseCIDR('64:ff9b::/96'))) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

/** An address written out in a URL; `undefined` for a name. */
export function literalOf(hostname: string): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return ipaddr.isValid(bare) ? bare : undefined;
}

/** What a URL names by itself, without a lookup, when that is not public and the deployment does not name it. */
export function literalTarget(url: string, named: NamedHosts): Target | undefined {
  if (!URL.canParse(url)) return undefined;
  const target = targetOf(new URL(url));
  if (isNamed(target, named)) return undefined;
  const literal = literalOf(target.hostname);
  const isPrivate = literal === undefined ? /(?:^|\.)localhost$/.test(plainHost(target.hostname)) : addressProblem(literal) !== undefined;
  return isPrivate ? target : undefined;
}

export const showTarget = ({ hostname, port }: Target): string => `${plainHost(hostname)}:${port}`;

/** What to write so that a host may be asked. */
export function howToName(target: Target): string {
  const entry = showTarget(target);
  return `name it in the deployment: hosts: ['${entry}'] in tribunal.yaml, or --allow-host ${entry}`;
}

/** Permanent: the next attempt would meet the same address. */
export function addressRefused(target: Target, problem: string): CriticError {
  const kind = problem === 'no address' ? 'something that is no address' : `an address that is not public (${problem})`;
  return new CriticError('permanent', 'ADDRESS_REFUSED', `${showTarget(target)} is ${kind}: ${howToName(target)}`);
}
