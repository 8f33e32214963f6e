/**
 * Makes a finding out of whatever a critic returned, or says why it is none. Total: nothing that a critic can return
 * makes it throw, and nothing of the value stands in its messages. Knows no host: must not import `@temporalio/*`.
 */
import type { z } from 'zod';
import { jsonBytes } from '../domain/bytes.js';
import type { Finding, Json } from '../domain/finding.js';
import { FindingSchema } from '../schemas/finding.js';

export type CleanFinding =
  | { readonly ok: true; readonly finding: Finding }
  | { readonly ok: false; readonly code: 'NOT_A_FINDING' | 'FINDING_TOO_LARGE'; readonly message: string };

/** Findings travel on: a thousand of them in a history, dozens in the input of one dependent. */
export const MAX_FINDING_BYTES = 16_384;
/** Beyond this nothing is copied any more, whatever would be dropped later. */
const MAX_RAW_CHARS = 262_144;
/** The copier recurses; JSON that means something is never so deep. */
const MAX_DEPTH = 64;

const FINDING_FIELDS = Object.keys(FindingSchema.shape);
/** Names that may stand in a message; every other name may be content. */
const SPEAKABLE = new Set([...FINDING_FIELDS, 'code', 'message', 'span', 'path', 'start', 'end', 'usd', 'inputTokens', 'outputTokens']);
/** Names that other programs read as something else than data. */
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const LONE_SURROGATES = /\p{Surrogate}/gu;

type Path = readonly (string | number)[];

/**
 * @param output further checks of the critic on its finding; what it makes of the value is not used.
 */
export function cleanFinding(value: unknown, output?: z.ZodType): CleanFinding {
  const copied = copyFinding(value);
  if (!copied.ok) return copied;
  const parsed = FindingSchema.safeParse(copied.fields);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0] ?? { path: [], message: 'is not a finding' };
    // Everything under `details` is JSON by now, so that only its size can be wrong.
    return refusal(path[0] === 'details' ? 'FINDING_TOO_LARGE' : 'NOT_A_FINDING', path, message);
  }
  if (jsonBytes(parsed.data) > MAX_FINDING_BYTES) return refusal('FINDING_TOO_LARGE', [], `must have at most ${MAX_FINDING_BYTES} bytes`);
  return (output && outputRefusal(parsed.data, output)) ?? { ok: true, finding: parsed.data };
}

/** Messages of a critic's own schema may quote the value, so that only the place is told. */
function outputRefusal(finding: Finding, output: z.ZodType): CleanFinding | undefined {
  try {
    const checked = output.safeParse(finding);
    return checked.success
      ? undefined
      : refusal('NOT_A_FINDING', checked.error.issues[0]?.path ?? [], "breaks the critic's own output schema");
  } catch {
    return refusal('NOT_A_FINDING', [], "could not be checked with the critic's own output schema");
  }
}

function copyFinding(value: unknown): { readonly ok: true; readonly fields: Record<string, Json> } | (CleanFinding & { ok: false }) {
  const copier = new Copier();
  try {
    return { ok: true, fields: copier.topLevel(value) };
  } catch {
    // What was thrown may itself be hostile: it is not looked at.
    return copier.refused ?? refusal('NOT_A_FINDING', copier.at, 'could not be read: reading it threw an error');
  }
}

/** Reads every value once, without calling `toJSON`, into a copy that is plain JSON. */
class Copier {
  refused: (CleanFinding & { ok: false }) | undefined;
  at: Path = [];
  private charsLeft = MAX_RAW_CHARS;

  /** Only known fields are read: what stands beside them is dropped anyway. */
  topLevel(value: unknown): Record<string, Json> {
    if (typeof value !== 'object' || value === null)
      return this.refuse([], `must be an object, is ${value === null ? 'null' : typeof value}`);
    if (Array.isArray(value)) return this.refuse([], 'must be an object, is a list');
    if (!isPlain(value)) return this.refuse([], 'must be a plain object');
    if (Object.keys(value).some((name) => FORBIDDEN_NAMES.has(name))) return this.refuse([], 'has a forbidden field name');
    return this.copyFields(
      value,
      FINDING_FIELDS.filter((name) => Object.hasOwn(value, name)),
      [],
    );
  }

  private copy(value: unknown, path: Path): Json {
    this.at = path;
    this.spend(1);
    switch (typeof value) {
      case 'string':
        this.spend(value.length);
        // A quote cut in the middle of an emoji is common, and must not cost the finding.
        return value.replace(LONE_SURROGATES, '\ufffd');
      case 'number':
        if (!Number.isFinite(value)) return this.refuse(path, 'must be a finite number');
        return value === 0 ? 0 : value; // -0 has no JSON form
      case 'boolean':
        return value;
      case 'object':
        return value === null ? null : this.copyObject(value, path);
      default:
        return this.refuse(path, `is of type ${typeof value}, which JSON does not have`);
    }
  }

  private copyObject(value: object, path: Path): Json {
    if (path.length > MAX_DEPTH) return this.refuse(path, `is nested deeper than ${MAX_DEPTH} levels, or in a circle`);
    if (Array.isArray(value)) return this.copyList(value, path);
    if (!isPlain(value)) return this.refuse(path, 'must be a plain object');
    const names = Object.keys(value);
    if (names.some((name) => FORBIDDEN_NAMES.has(name))) return this.refuse(path, 'has a forbidden field name');
    return this.copyFields(value, names, path);
  }

  /** By index up to the length that was read first: a list that is a proxy, or has holes, ends as well. */
  private copyList(list: readonly unknown[], path: Path): Json[] {
    const { length } = list;
    const copy: Json[] = [];
    for (let index = 0; index < length; index += 1) copy.push(this.copy(list[index], [...path, index]));
    return copy;
  }

  private copyFields(value: object, names: readonly string[], path: Path): Record<string, Json> {
    const copy: Record<string, Json> = {};
    for (const name of names) {
      this.at = [...path, name];
      this.spend(name.length);
      const entry: unknown = Reflect.get(value, name);
      // JSON leaves such a field out.
      if (entry !== undefined) copy[name.replace(LONE_SURROGATES, '\ufffd')] = this.copy(entry, [...path, name]);
    }
    return copy;
  }

  private spend(chars: number): void {
    this.charsLeft -= chars;
    if (this.charsLeft < 0) this.refuse(this.at.slice(0, 1), `has more than ${MAX_RAW_CHARS} characters`, 'FINDING_TOO_LARGE');
  }

  private refuse(path: Path, rule: string, code: 'NOT_A_FINDING' | 'FINDING_TOO_LARGE' = 'NOT_A_FINDING'): never {
    this.refused = refusal(code, path, rule);
    throw new Error('refused');
  }
}

/** Objects of literals and of `JSON.parse`, in any realm: their prototype has none itself. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function refusal(code: 'NOT_A_FINDING' | 'FINDING_TOO_LARGE', path: readonly PropertyKey[], rule: string): CleanFinding & { ok: false } {
  return { ok: false, code, message: `${placeOf(path)} ${rule}` };
}

/** `violations/3/message`: up to the first name that may be content. */
function placeOf(path: readonly PropertyKey[]): string {
  const unspeakable = path.findIndex((step) => typeof step !== 'number' && !(typeof step === 'string' && SPEAKABLE.has(step)));
  const spoken = unspeakable === -1 ? path : path.slice(0, unspeakable);
  return spoken.length === 0 ? 'the finding' : `the finding's ${spoken.slice(0, 4).map(String).join('/')}`;
}
