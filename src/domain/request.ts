/** What a caller asks to have judged: types only. `schemas/request.ts` checks it. */
import type { Json } from './finding.js';
import type { RiskTier } from './plan.js';

export type JsonObject = { readonly [key: string]: Json };

export interface EvaluationRequest {
  readonly plan: string;
  /** `[A-Za-z0-9._-]{1,64}` */
  readonly tenant: string;
  /** `[A-Za-z0-9._-]{1,128}`: the same key is the same evaluation. */
  readonly key: string;
  /** A text, or a structure such as `{ input, output }`. The only part that may be hostile. */
  readonly content: Json;
  /** The caller's word about the content; never the content's own. */
  readonly context: JsonObject;
  /** Absent: the plan's `risk.default`. */
  readonly riskTier?: RiskTier;
  readonly class: 'interactive' | 'background';
  readonly requester?: string;
  readonly author?: string;
  /** `off` runs every critic, for comparison. */
  readonly gating: 'on' | 'off';
}
