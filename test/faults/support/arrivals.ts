/** Requests that come at their own times, whatever becomes of those before them. Knows no test runner. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { OverloadedError } from '../../../src/client-errors.js';
import type { Fleet } from './fleet.js';
import { askOne, misjudged, type Ask, type Asked } from './load.js';

export interface Arrival {
  /** From the beginning, milliseconds. */
  readonly atMs: number;
  readonly ask: Ask;
}

/** What became of one of them. All times from the beginning, milliseconds. */
export interface Arrived {
  readonly atMs: number;
  /** When it was asked; later than it should have been where this process was busy. */
  readonly askedAtMs: number;
  /** The server has it; absent: it was refused. */
  readonly asked?: Asked;
  /** When the client had the handle, or the refusal. */
  readonly answeredAtMs: number;
  readonly judgedAtMs?: number;
  /** A sentence when it was lost, or judged otherwise than its script says. */
  readonly wrong?: string;
}

/** Asks each at its time, and waits until all that were let in are judged. @throws whatever is no refusal. */
export async function arriveAll({ client }: Pick<Fleet, 'client'>, arrivals: readonly Arrival[]): Promise<Arrived[]> {
  const begun = performance.now();
  const now = (): number => performance.now() - begun;
  return await Promise.all(
    arrivals.map(async ({ atMs, ask }): Promise<Arrived> => {
      await sleep(Math.max(0, atMs - now()));
      const askedAtMs = now();
      const asked = await askOne(client, ask).catch((error: unknown) => {
        if (error instanceof OverloadedError) return undefined;
        throw error;
      });
      const answered = { atMs, askedAtMs, answeredAtMs: now() };
      if (asked === undefined) return answered;
      const [wrong] = await misjudged([asked]);
      return { ...answered, asked, judgedAtMs: now(), ...(wrong !== undefined ? { wrong } : {}) };
    }),
  );
}

/** As many as this a second, evenly, for so long. */
export const evenly = (perSecond: number, forMs: number, ask: (index: number) => Ask): Arrival[] =>
  Array.from({ length: Math.floor((perSecond * forMs) / 1_000) }, (_, index) => ({ atMs: (index * 1_000) / perSecond, ask: ask(index) }));

/** One request of the real trace. */
export interface Traced {
  readonly atMs: number;
  readonly tokens: number;
}

/** The densest minute of a real service; see `data/CREDITS.md`. */
export function tracedArrivals(): Traced[] {
  const text = readFileSync(new URL('../data/azure-arrivals.jsonl', import.meta.url), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { arrival_ms: atMs, generated_tokens: tokens } = JSON.parse(line) as { arrival_ms: number; generated_tokens: number };
      return { atMs, tokens };
    });
}
