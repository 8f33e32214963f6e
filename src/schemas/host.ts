/**
 * How people name hosts that critics may ask although their addresses are private: `judge.internal`, `127.0.0.1:8080`,
 * `[fd00::7]`. Imports zod alone.
 */
import { z } from 'zod';

export interface NamedHost {
  /** As `URL` writes it, without a last dot: `127.0.0.1`, `[fd00::7]`, `judge.internal`. */
  readonly host: string;
  /** Absent: every port. */
  readonly port?: number;
}

const FORM = /^(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@[\]\\*]+)(?::(\d{1,5}))?$/;
const LAST_PORT = 65_535;

/** `undefined` when the text names no host. */
export function parseHost(text: string): NamedHost | undefined {
  const [, written, digits] = FORM.exec(text) ?? [];
  if (written === undefined || !URL.canParse(`http://${written}`)) return undefined;
  const host = plainHost(new URL(`http://${written}`).hostname);
  const port = digits === undefined ? undefined : Number(digits);
  if (host === '' || (port !== undefined && (port < 1 || port > LAST_PORT))) return undefined;
  return { host, ...(port !== undefined ? { port } : {}) };
}

/** A last dot means the same host, and must not be a way around its name. */
export const plainHost = (hostname: string): string => hostname.toLowerCase().replace(/\.$/, '');

export const hostProblem = (text: string): string | undefined =>
  parseHost(text) === undefined
    ? `${JSON.stringify(text.slice(0, 80))} is no host: write a name or an address, with a port or without, such as judge.internal, 127.0.0.1:8080 or [fd00::7]:8080`
    : undefined;

export const HostSchema = z.string().superRefine((text, context) => {
  const message = hostProblem(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});
