/** A request out of a record and the options of the command line. */
import type { JsonObject } from '../domain/request.js';
import { jsonProblem } from '../schemas/json.js';
import type { EvaluationRecord, StartRequest } from '../schemas/request.js';
import { usageError } from './exit.js';

/** `k=v` to an object; a value that is JSON is taken as JSON. */
export function parseContext(pairs: readonly string[]): JsonObject {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw usageError(`--context ${JSON.stringify(pair)} is not of the form key=value`);
      const value = jsonOrText(pair.slice(at + 1));
      const problem = jsonProblem(value);
      if (problem !== undefined) throw usageError(`--context ${pair.slice(0, at)}: ${problem}`);
      return [pair.slice(0, at), value];
    }),
  );
}

function jsonOrText(text: string): JsonObject[string] {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Options that stand in for what a record does not say. */
export interface RecordDefaults {
  readonly tenant?: string;
  readonly key?: string;
  readonly keySuffix?: string;
  readonly class?: StartRequest['class'];
  readonly risk?: StartRequest['riskTier'];
  readonly gating?: StartRequest['gating'];
  readonly requester?: string;
  readonly author?: string;
}

/** What a record says itself is never overruled by an option. */
export function withDefaults(
  record: EvaluationRecord,
  defaults: { readonly context: JsonObject; readonly plan: string },
  options: RecordDefaults,
): StartRequest {
  const context = { ...defaults.context, ...record.context };
  const tierIsNamed = record.riskTier !== undefined || context['riskTier'] !== undefined;
  const key = record.key ?? options.key;
  return {
    ...(options.tenant !== undefined ? { tenant: options.tenant } : {}),
    ...(options.class !== undefined ? { class: options.class } : {}),
    ...(options.risk !== undefined && !tierIsNamed ? { riskTier: options.risk } : {}),
    ...(options.gating !== undefined ? { gating: options.gating } : {}),
    ...(options.requester !== undefined ? { requester: options.requester } : {}),
    ...(options.author !== undefined ? { author: options.author } : {}),
    plan: defaults.plan,
    ...record,
    ...(key !== undefined ? { key: `${key}${options.keySuffix ?? ''}` } : {}),
    context,
  };
}
