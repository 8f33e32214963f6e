/**
 * The values that expressions see. Pure; must not import the CEL library.
 */
import { isJudged } from './fallback.js';
import type { Finding, Violation } from './finding.js';
import type { CriticOutcome, CriticRecord } from './outcomes.js';
import type { ExecutionStage, RiskTier } from './plan.js';
import type { JsonObject } from './request.js';

export interface CelBindings {
  readonly context: JsonObject;
  readonly request: { readonly tenant: string; readonly riskTier: RiskTier; readonly size: number };
  readonly findings?: readonly CelFinding[];
  readonly critics?: Readonly<Record<string, CelCritic>>;
  readonly output?: Finding;
}

/** A finding as rules see it: `evidence`, `cost` and `details` are for people. */
export interface CelFinding {
  readonly name: string;
  readonly stage: ExecutionStage;
  readonly severity: number;
  readonly violations: readonly Violation[];
  readonly score?: number;
  readonly value?: number;
  readonly uncertainty?: number;
}

/** A critic by name: how it ended, and its finding when it succeeded; that of its fallback when one covers it. */
export type CelCritic = { readonly outcome: CriticOutcome } & Partial<CelFinding>;

/** Gate records are for people. */
const MAX_SHOWN_CHARS = 200;
/** A gate's record stands in every history; nobody reads more. */
const MAX_SHOWN_PATHS = 20;

/**
 * Bindings for conditions and rules. Only critics that succeeded or are covered are in `findings`; `critics` holds all of
 * them. A fallback's finding stands there under its own name and under each that it covers: a rule that names either of
 * them judges it, at the price that a rule which counts findings counts it more than once.
 * @param records those that the place may see, in plan order, as `withFallbacks` gives them.
 */
export function conditionBindings(
  records: readonly CriticRecord[],
  facts: { readonly tenant: string; readonly riskTier: RiskTier; readonly size: number; readonly context: JsonObject },
): CelBindings {
  const findings: CelFinding[] = [];
  const critics: Record<string, CelCritic> = Object.create(null);
  for (const record of records) {
    const finding = isJudged(record) && record.finding ? celFinding(record, record.finding) : undefined;
    if (finding !== undefined) findings.push(finding);
    critics[record.name] = { outcome: record.outcome, ...finding };
  }
  const { tenant, riskTier, size, context } = facts;
  return { context, request: { tenant, riskTier, size }, findings, critics };
}

function celFinding(record: CriticRecord, finding: Finding): CelFinding {
  return {
    name: record.name,
    stage: record.stage,
    severity: finding.severity,
    violations: finding.violations,
    ...(finding.score !== undefined && { score: finding.score }),
    ...(finding.value !== undefined && { value: finding.value }),
    ...(finding.uncertainty !== undefined && { uncertainty: finding.uncertainty }),
  };
}

/** The values at `paths`, for gate records: scalars, lists as `<path>.size()`; what is absent or neither is left out. */
export function seenValues(paths: readonly string[], bindings: CelBindings): Record<string, string | number | boolean> {
  const seen: Record<string, string | number | boolean> = {};
  for (const path of paths.slice(0, MAX_SHOWN_PATHS)) {
    const value = path.split('.').reduce(ownProperty, bindings as unknown);
    if (typeof value === 'string') seen[path] = cut(value);
    else if (typeof value === 'number' || typeof value === 'boolean') seen[path] = value;
    else if (Array.isArray(value)) seen[`${path}.size()`] = value.length;
  }
  return seen;
}

function ownProperty(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}

/** Never between the two halves of a character: half a pair cannot be hashed or sent. */
function cut(text: string): string {
  const short = text.slice(0, MAX_SHOWN_CHARS);
  return text.length > MAX_SHOWN_CHARS && /[\uD800-\uDBFF]$/.test(short) ? short.slice(0, -1) : short;
}
