/** Where a process listens: `127.0.0.1:9464`, `[::1]:9464`, or `:9464` for all addresses of the machine. */
import { show } from './issues.js';

export interface ListenAddress {
  /** Absent: all addresses. */
  readonly host?: string;
  /** 0: a free one. */
  readonly port: number;
}

export type ListenAddressResult = { readonly ok: true; readonly address: ListenAddress } | { readonly ok: false; readonly message: string };

const FORM = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))?:(\d{1,5})$/;
export const MAX_PORT = 65_535;

export function parseListenAddress(text: string): ListenAddressResult {
  const [, ipv6, name, digits] = FORM.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > MAX_PORT)
    return { ok: false, message: `${show(text)} is no address to listen at: write host:port or :port, such as 127.0.0.1:9464 or :9464` };
  const host = ipv6 ?? name;
  return { ok: true, address: { ...(host !== undefined ? { host } : {}), port } };
}
