/** What tokens cost by the plan's prices. Pure. */
import type { FindingCost } from './finding.js';
import { MAX_USD } from './finding-problem.js';
import type { Price } from './plan.js';

/**
 * The cost with its money, in US dollars: (input tokens × input price + output tokens × output price) ÷ 1,000,000. A count
 * that is absent adds nothing. What a critic says itself in `usd` stays; without a price, without tokens, or when the sum
 * is beyond what one attempt can cost, nothing is added: unknown is not 0.
 */
export function pricedCost(cost: FindingCost | undefined, price: Price | undefined): FindingCost | undefined {
  if (cost === undefined || price === undefined || cost.usd !== undefined) return cost;
  const { inputTokens, outputTokens } = cost;
  if (inputTokens === undefined && outputTokens === undefined) return cost;
  const usd = ((inputTokens ?? 0) * price.inputPerMillion + (outputTokens ?? 0) * price.outputPerMillion) / 1_000_000;
  return usd >= 0 && usd <= MAX_USD ? { ...cost, usd } : cost;
}
