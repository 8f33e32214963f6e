/**
 * A gate in front of a handler: a text goes on only when the report says `allow`. Everything else holds it, each with its
 * status (README.md). The caller is told no reason: reasons may help those whom they stop.
 */
import { TribunalClient } from 'tribunal/client';

export interface Gate {
  /** @param key of the request, so that a caller's retry asks for the same judgement. */
  judge(text: string, key: string | undefined): Promise<Passage>;
  close(): Promise<void>;
}

/** `allow`: it may go on. `deny`: it was judged and may not. `held`: nobody has allowed it, for whatever reason. */
export type Passage = { readonly way: 'allow' } | { readonly way: 'deny' } | { readonly way: 'held'; readonly why: string };

export interface GateOptions {
  readonly plan: string;
  /** What a caller waits for at most, milliseconds. The evaluation goes on, and the same key finds it again. */
  readonly patienceMs: number;
}

export function makeGate({ plan, patienceMs }: GateOptions): Gate {
  let connecting: Promise<TribunalClient> | undefined;
  /** On first use, and again after a failure: a server that is away must not keep this service from starting. */
  const client = async (): Promise<TribunalClient> => {
    connecting ??= TribunalClient.connect();
    return await connecting.catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
  };
  const ask = async (text: string, key: string | undefined): Promise<Passage> => {
    const tribunal = await client();
    const report = await tribunal.evaluate({ plan, content: text, ...(key === undefined ? {} : { key }) }, { timeoutMs: patienceMs });
    if (report.decision === 'allow' || report.decision === 'deny') return { way: report.decision };
    // A person may still decide, or an operator make it judgeable.
    return { way: 'held', why: report.decision };
  };
  return {
    async judge(text, key) {
      let timer: NodeJS.Timeout | undefined;
      // Over everything: a connection that does not come about has a patience of its own.
      const late = new Promise<Passage>((resolve) => {
        timer = setTimeout(() => resolve({ way: 'held', why: 'no answer in time' }), patienceMs);
      });
      const asked = ask(text, key).catch((error: unknown): Passage => ({ way: 'held', why: codeOf(error) }));
      try {
        return await Promise.race([asked, late]);
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      await (await connecting?.catch(() => undefined))?.close();
    },
  };
}

/** The code of a TribunalError says enough for a log. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'an error';
}
