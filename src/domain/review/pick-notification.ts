/**
 * A notification, made anew of the fields that one has. What leaves goes through here: a field that somebody adds to the
 * object, on purpose or not, stays inside. Pure.
 */
import type { Notification } from './notification.js';

/** Ids, names, codes and times: longer than any of them. */
const MAX_TEXT_CHARS = 1_000;
/** Groups or people. */
const MAX_TO = 1_000;
/** Is the value of a header, too. */
const ID_FORM = /^[\x21-\x7e]{1,1000}$/;
const EVENT_FORM = /^[a-z_]{1,64}$/;

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string' && value.length <= MAX_TEXT_CHARS;
const isTexts: Check = (value) => Array.isArray(value) && value.length <= MAX_TO && value.every(isText);
const isOf =
  (form: RegExp): Check =>
  (value) =>
    typeof value === 'string' && form.test(value);

/** In the order in which they are written. */
const FIELDS = {
  id: isOf(ID_FORM),
  event: isOf(EVENT_FORM),
  at: isText,
  tenant: isText,
  evaluationId: isText,
  plan: isText,
  reviewId: isText,
  tier: isText,
  queue: isText,
  to: isTexts,
  due: isText,
  outcome: isText,
  rung: Number.isSafeInteger,
} satisfies Record<keyof Notification, Check>;

const NEEDED: ReadonlySet<string> = new Set<keyof Notification>(['id', 'event', 'at']);

export type Picked = { readonly ok: true; readonly notification: Notification } | { readonly ok: false; readonly field: string };

/** @returns the name of a field that is missing or not of its form, or the notification. */
export function pickNotification(value: unknown): Picked {
  const given: Readonly<Record<string, unknown>> = typeof value === 'object' && value !== null ? { ...value } : {};
  const picked: Record<string, unknown> = {};
  for (const [field, isRight] of Object.entries(FIELDS)) {
    const one = given[field];
    if (one === undefined && !NEEDED.has(field)) continue;
    if (!isRight(one)) return { ok: false, field };
    picked[field] = Array.isArray(one) ? [...one] : one;
  }
  return { ok: true, notification: picked as unknown as Notification };
}
