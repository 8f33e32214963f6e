/** Durations of plans: a whole number and a unit, `250ms`, `10s`, `5m`, `2h`, `7d`. Imports zod alone. */
import { z } from 'zod';
import { show } from './issues.js';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const FORM = /^(\d+)(ms|s|m|h|d)$/;
// A typing error beyond this; also how long the embedded server keeps what has closed.
const LONGEST = '30d';

/** A parsed duration. An object, so that nobody takes its number for seconds. */
export interface Duration {
  readonly ms: number;
}

export type DurationResult = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly message: string };

/** @param longest the most that is accepted, as a duration. */
export function parseDuration(text: string, longest = LONGEST): DurationResult {
  const ms = msOf(text);
  if (ms === undefined) return { ok: false, message: badForm(text) };
  if (ms === 0) return { ok: false, message: `${show(text)} leaves no time: a duration is at least 1ms` };
  if (ms > (msOf(longest) ?? 0)) return { ok: false, message: `${show(text)} is too long: a duration is at most ${longest}` };
  return { ok: true, ms };
}

function msOf(text: string): number | undefined {
  const [, digits, unit] = FORM.exec(text) ?? [];
  const unitMs = UNITS_MS[unit ?? ''];
  return digits === undefined || unitMs === undefined ? undefined : Number(digits) * unitMs;
}

const badForm = (value: unknown): string =>
  `${show(value)} is not a duration: write a whole number and a unit, such as 250ms, 10s, 5m, 2h or 7d`;

/** A field that holds a duration, of 30 days at most unless told otherwise; parsed to {@link Duration}. */
export function durationField(description: string, longest = LONGEST) {
  return z
    .string({ error: (issue) => (issue.input === undefined ? undefined : badForm(issue.input)) })
    .transform((text, context): Duration => {
      const parsed = parseDuration(text, longest);
      if (parsed.ok) return { ms: parsed.ms };
      context.issues.push({ code: 'custom', message: parsed.message, input: text });
      return z.NEVER;
    })
    .meta({ description, pattern: FORM.source });
}
