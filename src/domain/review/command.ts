/**
 * Commands as they come: anything at all, read without trust. Pure, total and small, since it runs in the validators of
 * updates, where a throw is a refusal and a slow look fails the workflow task.
 */
import { utf8Bytes } from '../bytes.js';
import type { JsonObject } from '../request.js';
import { digestOf } from './crypto.js';
import { PERSON_ID_FORM } from './people.js';
import { REVIEW_TIERS, type ReviewTier } from './policy.js';
import { DISPOSITIONS, type Disposition, type ReviewAction } from './review.js';

/** Of one text, UTF-8. */
export const MAX_TEXT_BYTES = 4_096;
/** A decision with a reason for each of many signals is the largest. */
export const MAX_COMMAND_CHARS = 65_536;
/** A payload is two levels deep. */
const MAX_DEPTH = 4;
const MAX_ANSWERS = 256;
/** Made by whoever sends; unique among the commands of one review. */
export const COMMAND_ID_FORM = /^[A-Za-z0-9._-]{8,64}$/;
const CODE = /^[a-z][a-z0-9_]{0,63}$/;

export const RECUSALS = ['CONFLICT', 'WELLBEING', 'LANGUAGE', 'EXPERTISE', 'OTHER'] as const;

export interface Answer {
  readonly id: string;
  readonly reason: string;
}

/** By action: what a payload may hold. */
export interface Payloads {
  claim: Readonly<Record<never, never>>;
  unclaim: { readonly epoch: number };
  decide: {
    readonly disposition: Disposition;
    readonly epoch: number;
    /** Triage. */
    readonly code?: string;
    /** Acknowledgement and determination. */
    readonly signals?: readonly Answer[];
    /** Determination. */
    readonly rationale?: string;
  };
  undo: Readonly<Record<never, never>>;
  comment: { readonly text: string };
  escalate: { readonly to: ReviewTier; readonly reason: string };
  recuse: { readonly code: (typeof RECUSALS)[number] };
  assign: { readonly to: string };
  withdraw: { readonly reason: string };
}

/** What a person sends. */
export interface ReviewCommand {
  readonly v: 1;
  /** Made once, the same in every retry. */
  readonly commandId: string;
  readonly payload: JsonObject;
  /** Compact JWS; without it only a deployment that accepts unsigned commands takes the command, from `as`. */
  readonly assertion?: string;
  readonly as?: string;
}

export interface ReadCommand<Action extends ReviewAction = ReviewAction> {
  readonly action: Action;
  readonly commandId: string;
  readonly payload: Payloads[Action];
  readonly payloadDigest: string;
  readonly textBytes: number;
  readonly assertion?: string;
  readonly as?: string;
}

/** For tables that reach each entry by its own action alone. */
export const payloadOf = <Action extends ReviewAction>(command: ReadCommand, _action: Action): Payloads[Action] =>
  command.payload as Payloads[Action];

/** `undefined`: it is no command of this action. */
export function readCommand<Action extends ReviewAction>(action: Action, given: unknown): ReadCommand<Action> | undefined {
  if (!isObject(given) || !isSmall(given)) return undefined;
  const { v, commandId, payload, assertion, as, ...more } = given;
  if (Object.keys(more).length > 0 || v !== 1 || typeof commandId !== 'string' || !COMMAND_ID_FORM.test(commandId)) return undefined;
  if (!isObject(payload) || !(assertion === undefined || typeof assertion === 'string')) return undefined;
  if (!(as === undefined || (typeof as === 'string' && PERSON_ID_FORM.test(as)))) return undefined;
  if (!PAYLOADS[action](payload)) return undefined;
  const texts = textsOf(payload);
  if (texts.some((text) => utf8Bytes(text) > MAX_TEXT_BYTES)) return undefined;
  const payloadDigest = digestIn(payload);
  if (payloadDigest === undefined) return undefined;
  return {
    action,
    commandId,
    // What the check above has looked at, field by field.
    payload: payload as unknown as Payloads[Action],
    payloadDigest,
    textBytes: texts.reduce((sum, text) => sum + utf8Bytes(text), 0),
    ...(assertion !== undefined ? { assertion } : {}),
    ...(as !== undefined ? { as } : {}),
  };
}

/** Lone surrogates have no canonical form. */
function digestIn(payload: Fields): string | undefined {
  try {
    return digestOf(payload);
  } catch {
    return undefined;
  }
}

type Fields = Readonly<Record<string, unknown>>;

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';
const isEpoch = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
const isOneOf = (values: readonly string[], value: unknown): boolean => typeof value === 'string' && values.includes(value);
const only = (payload: Fields, ...known: readonly string[]): boolean => Object.keys(payload).every((key) => known.includes(key));

const PAYLOADS: Readonly<Record<ReviewAction, (payload: Fields) => boolean>> = {
  claim: (payload) => only(payload),
  unclaim: (payload) => only(payload, 'epoch') && isEpoch(payload['epoch']),
  decide: (payload) =>
    only(payload, 'disposition', 'epoch', 'code', 'signals', 'rationale') &&
    isOneOf(DISPOSITIONS, payload['disposition']) &&
    isEpoch(payload['epoch']) &&
    (payload['code'] === undefined || (typeof payload['code'] === 'string' && CODE.test(payload['code']))) &&
    (payload['signals'] === undefined || isAnswers(payload['signals'])) &&
    (payload['rationale'] === undefined || isText(payload['rationale'])),
  undo: (payload) => only(payload),
  comment: (payload) => only(payload, 'text') && isText(payload['text']),
  escalate: (payload) => only(payload, 'to', 'reason') && isOneOf(REVIEW_TIERS, payload['to']) && isText(payload['reason']),
  recuse: (payload) => only(payload, 'code') && isOneOf(RECUSALS, payload['code']),
  assign: (payload) => only(payload, 'to') && typeof payload['to'] === 'string' && PERSON_ID_FORM.test(payload['to']),
  withdraw: (payload) => only(payload, 'reason') && isText(payload['reason']),
};

function isAnswers(value: unknown): value is readonly Answer[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_ANSWERS &&
    value.every((one: unknown) => isObject(one) && only(one, 'id', 'reason') && typeof one['id'] === 'string' && isText(one['reason']))
  );
}

/** Own fields of a plain object alone; JSON has no other. */
function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.hasOwn(value, '__proto__');
}

/** Looks no further than a command can go, so that nothing large or deep costs more than that. */
function isSmall(value: unknown): boolean {
  let left = MAX_COMMAND_CHARS;
  const fits = (part: unknown, depth: number): boolean => {
    if (depth > MAX_DEPTH) return false;
    left -= 8;
    if (typeof part === 'string') left -= part.length;
    if (typeof part !== 'object' || part === null) return left >= 0;
    for (const key in part) {
      if (!Object.hasOwn(part, key)) continue;
      left -= key.length;
      if (left < 0 || !fits((part as Fields)[key], depth + 1)) return false;
    }
    return left >= 0;
  };
  return fits(value, 0);
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
