/**
 * The risk tier that an evaluation goes by, and how it came. Pure.
 *
 * K1 The plan can only raise what the caller said.
 * K2 A rule that errs raises too: unknown is not safe.
 */
import { checkCel, compileCel, seenValues, type CelScope } from './cel.js';
import { RISK_TIERS, type Plan, type RiskTier } from './plan.js';
import type { EvaluationRequest } from './request.js';

/** One rule of the plan, as it came out for this request. */
export interface RiskStep {
  readonly tier: RiskTier;
  /** CEL. */
  readonly when: string;
  /** True, or erred. */
  readonly holds: boolean;
  /** The values seen: path to value. */
  readonly saw: Readonly<Record<string, string | number | boolean>>;
  readonly error?: string;
}

export interface EffectiveRisk {
  readonly riskTier: RiskTier;
  /** One sentence for each rule that could not be evaluated; absent when there is none. */
  readonly riskErrors?: readonly string[];
  /** The caller's word, else the plan's default; the floor and the rules come after it. */
  readonly said: RiskTier;
  readonly saidBy: 'caller' | 'default';
  /** All rules of the plan, in its order. */
  readonly steps: readonly RiskStep[];
}

const higher = (a: RiskTier, b: RiskTier): RiskTier => (RISK_TIERS.indexOf(b) > RISK_TIERS.indexOf(a) ? b : a);

/** @param size bytes of content and context in canonical form. */
export function effectiveRisk(
  plan: Plan,
  request: Pick<EvaluationRequest, 'tenant' | 'context' | 'riskTier'>,
  size: number,
): EffectiveRisk {
  const said = request.riskTier ?? plan.risk.default;
  const least = higher(said, plan.risk.floor);
  const bindings = { context: request.context, request: { tenant: request.tenant, riskTier: least, size } };
  const scope: CelScope = { place: 'risk', critics: [] };
  const steps = plan.risk.atLeast.map(({ tier, when }): RiskStep => {
    const checked = checkCel(when, scope);
    const saw = checked.ok ? seenValues(checked.paths, bindings) : {};
    const result = compileCel(when, scope)(bindings);
    return result.ok ? { tier, when, holds: result.value, saw } : { tier, when, holds: true, saw, error: result.message };
  });
  const errors = steps.flatMap(({ tier, error }) =>
    error === undefined ? [] : [`the rule for ${tier} risk could not be evaluated: ${error}`],
  );
  return {
    riskTier: steps.reduce((tier, step) => (step.holds ? higher(tier, step.tier) : tier), least),
    ...(errors.length > 0 ? { riskErrors: errors } : {}),
    said,
    saidBy: request.riskTier === undefined ? 'default' : 'caller',
    steps,
  };
}
