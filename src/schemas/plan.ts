/**
 * The plan language: what a plan file or {@link definePlan} may say. Strict, so that a misspelt field is refused.
 * What fields mean together is checked by `domain/plan-checks.ts`. Imports zod and the constants of `domain`.
 */
import { z } from 'zod';
import { MAX_CEL_CHARS } from '../domain/cel.js';
import { CRITIC_OUTCOMES, FAILURE_EFFECTS, FAILURE_OUTCOMES } from '../domain/outcomes.js';
import { EXECUTION_POLICIES, MAX_CONTENT_BYTES, RISK_TIERS, STAGES } from '../domain/plan.js';
import { durationField } from './duration.js';
import { strict } from './issues.js';
import { ReviewSchema } from './review.js';

const count = (most: number, description: string) => z.int().min(1).max(most).meta({ description });
const cel = (description: string) => z.string().min(1).max(MAX_CEL_CHARS).meta({ description });
/** The form is told to editors; `domain/plan-checks.ts` refuses what does not have it, with a sentence. */
const name = (description: string) => z.string().meta({ description, pattern: '^[a-z][a-z0-9_]{0,63}$' });
const json = z.json();
const jsonObject = (description: string) => z.record(z.string(), json).meta({ description });

const stage = z.enum(STAGES).meta({ description: 'When the critic runs: the stages run one after the other, in this order.' });
const riskTier = (description: string) => z.enum(RISK_TIERS).meta({ description });
const effect = z.enum(FAILURE_EFFECTS);

/** One entry a member, all optional. */
function oneEach<Name extends string, Value extends z.ZodType>(names: readonly Name[], value: Value) {
  const shape = Object.fromEntries(names.map((each) => [each, value.optional()]));
  return strict(shape as { [Key in Name]: z.ZodOptional<Value> });
}

const onFailure = z
  .union([effect, oneEach(FAILURE_OUTCOMES, effect)], {
    error: `must be one of ${FAILURE_EFFECTS.join(', ')}, or a map of outcomes to these`,
  })
  .meta({
    description:
      'What it means when the critic does not succeed: fail (there is no judgement), escalate, deny or ignore; one word for all outcomes, or a map for some.',
  });

/** Fields of a critic that `defaults` may set for all. */
const shared = {
  attemptTimeout: durationField('Time of one attempt, from the moment it may run. Default 5s; 1s at most for local critics.').optional(),
  maxRetries: z.int().min(0).max(100).meta({ description: 'Attempts after the first. Default 2.' }).optional(),
  retryBackoffBase: z
    .number()
    .min(1)
    .max(3_600)
    .meta({ description: 'Seconds: waits base, base², base³ … between attempts. Default 2.' })
    .optional(),
  retryOnTimeout: z.boolean().meta({ description: 'Whether an attempt that ran out of time is tried again. Default true.' }).optional(),
  priority: z.int().min(1).max(10).meta({ description: '1 (first) to 10. Default 5.' }).optional(),
  costWeight: z
    .number()
    .min(0)
    .max(1_000_000)
    .meta({ description: 'What one run costs, in weights of your choice. Default 1.' })
    .optional(),
  dispatch: z
    .enum(['local', 'activity'])
    .meta({
      description: 'activity (default): its own task, with retries and limits. local: cheap and idempotent, one attempt, no limits.',
    })
    .optional(),
  onFailure: onFailure.optional(),
};

const CriticSchema = strict({
  uses: name('The implementation: built in, or from a critics module.'),
  with: jsonObject("The implementation's options.").optional(),
  stage,
  dependsOn: z
    .array(z.string())
    .max(1_000)
    .meta({ description: 'Critics whose findings this one is given; it waits for them.' })
    .optional(),
  fallbackFor: z
    .string()
    .meta({
      description:
        'The critic it stands in for: it waits for that one and runs only when it ended neither as succeeded nor as gated. When it succeeds, its finding counts for both.',
    })
    .optional(),
  executionPolicy: z.enum(EXECUTION_POLICIES).meta({ description: 'When it runs at all. Default always.' }).optional(),
  condition: cel('CEL; with executionPolicy conditional: the critic runs when it is true.').optional(),
  uncertaintyThreshold: z
    .number()
    .min(0)
    .max(1)
    .meta({ description: 'With executionPolicy on_uncertainty: runs when a finding is less sure than this. Default 0.7.' })
    .optional(),
  maxConcurrent: count(10_000, 'Runs of this critic at once, over all evaluations.').optional(),
  rateLimitPerSecond: z.number().min(0.001).max(100_000).meta({ description: 'Starts a second; may be below 1.' }).optional(),
  lane: name(
    "A lane of the deployment, with limits of its own: critics of all its plans share them. The plan's limits hold beside.",
  ).optional(),
  timeout: durationField('Time of all attempts, with back-off and queueing. Default: what the stage has left.').optional(),
  requiredOutputFields: z
    .array(z.enum(['severity', 'violations', 'score', 'value', 'uncertainty', 'evidence', 'cost', 'details']))
    .meta({ description: 'Fields that the finding must have.' })
    .optional(),
  validateOutput: cel('CEL over `output`, the finding: must be true.').optional(),
  isolation: z
    .enum(['none', 'thread'])
    .meta({
      description:
        'thread: each attempt runs in a thread that is killed at its deadline, for critics that compute; with dispatch activity alone. Default none.',
    })
    .optional(),
  mode: z.enum(['enforce', 'shadow']).meta({ description: 'shadow: runs and is counted, changes nothing. Default enforce.' }).optional(),
  tags: z.array(z.string().min(1).max(64)).max(20).meta({ description: 'Words for people and reports.' }).optional(),
  ...shared,
}).meta({ description: 'What runs, where and when.' });

const VerdictRuleSchema = strict({
  deny: cel('CEL over findings, critics, context and request: denies when true.').optional(),
  escalate: cel('CEL over findings, critics, context and request: escalates when true.').optional(),
  reason: z.string().min(1).max(200).meta({ description: 'Stands in the report.' }),
  decisive: z.boolean().meta({ description: 'On a deny rule: cancels what still runs as soon as it holds.' }).optional(),
});

const VerdictSchema = strict({
  rules: z
    .array(VerdictRuleSchema)
    .max(200)
    .meta({ description: 'First to last; each may raise the decision, none may lower it.' })
    .optional(),
  allowNeeds: strict({
    critics: z.array(z.string()).max(1_000).meta({ description: 'Critics that must have succeeded before allow is possible.' }).optional(),
    coverage: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: 'Share of cost weight that must have succeeded or been gated before allow is possible.' })
      .optional(),
  })
    .meta({ description: 'What allow needs; else the decision is at least escalate.' })
    .optional(),
  otherwise: z.enum(['allow', 'escalate', 'deny']).meta({ description: 'The decision when no rule holds.' }),
}).meta({ description: 'How findings become a decision: deny > not judged > escalate > allow.' });

const unit = z.number().min(0).max(1);
const CaseFindingSchema = strict({
  severity: unit,
  violations: z
    .array(
      strict({
        code: z.string().min(1),
        message: z.string(),
        severity: unit.optional(),
        span: strict({ path: z.string().optional(), start: z.int().min(0), end: z.int().min(0) }).optional(),
      }),
    )
    .optional(),
  score: z.number().optional(),
  value: z.number().optional(),
  uncertainty: unit.optional(),
  evidence: z.array(z.string()).optional(),
  details: json.optional(),
});

const outcomes = z.record(z.string(), z.enum(CRITIC_OUTCOMES));
const CaseSchema = strict({
  name: z.string().min(1).max(200),
  given: strict({
    content: json.optional(),
    context: jsonObject("The caller's word about the content.").optional(),
    riskTier: riskTier("The caller's risk tier.").optional(),
    findings: z
      .record(z.string(), CaseFindingSchema)
      .meta({ description: 'Critics that find something; the others find nothing.' })
      .optional(),
    outcomes: outcomes.meta({ description: 'Critics that end otherwise than succeeded.' }).optional(),
  }).optional(),
  expect: strict({
    decision: z.enum(['allow', 'deny', 'escalate', 'not_judged']),
    gated: z.array(z.string()).meta({ description: 'Exactly these are gated.' }).optional(),
    ran: z.array(z.string()).meta({ description: 'Exactly these run.' }).optional(),
    outcomes: outcomes.optional(),
  }),
}).meta({ description: 'An example that the plan must decide as expected.' });

const LimitsSchema = strict({
  maxConcurrentCritics: count(10_000, 'Critics of this plan at once, over all evaluations.').optional(),
  maxConcurrentPerStage: oneEach(STAGES, z.int().min(1).max(10_000)).meta({ description: 'Critics of a stage at once.' }).optional(),
  maxQueueSize: count(
    1_000_000,
    'Critics that may wait: when as many do, clients start no new evaluations until some have begun.',
  ).optional(),
  scope: z
    .enum(['deployment', 'worker'])
    .meta({ description: 'Where limits hold: over all worker processes of the deployment (default), or in each alone.' })
    .optional(),
  maxContentBytes: count(MAX_CONTENT_BYTES, `Bytes of content and context. Default and most: ${MAX_CONTENT_BYTES}.`).optional(),
});

/** US dollars per million tokens; the dearest models cost hundreds. */
const perMillion = (description: string) => z.number().min(0).max(1_000_000).meta({ description });
const PriceSchema = strict({
  inputPerMillion: perMillion('US dollars per million tokens that the model reads.'),
  outputPerMillion: perMillion('US dollars per million tokens that the model writes.'),
});

const RiskSchema = strict({
  default: riskTier('For callers that name none. Default medium.').optional(),
  floor: riskTier('The least tier of this plan. Default low.').optional(),
  atLeast: z
    .array(oneEach(['medium', 'high', 'critical'], cel('CEL over context and request: raises the risk to this tier when true.')))
    .max(50)
    .meta({ description: "Each raises the caller's tier; none lowers it." })
    .optional(),
});

export const PlanSourceSchema = strict({
  plan: name('Name of the plan.'),
  version: z.int().min(1).max(1_000_000_000).meta({ description: 'Stands on every report, beside the hash of the compiled plan.' }),
  defaults: strict(shared).meta({ description: 'For all critics that do not say otherwise.' }).optional(),
  risk: RiskSchema.meta({ description: "The plan's last word on risk: it can only raise what the caller said." }).optional(),
  limits: LimitsSchema.optional(),
  timeouts: strict({
    global: durationField('Machine time of one evaluation.'),
    stages: oneEach(STAGES, durationField('Time of this stage. Default: the global one.')).optional(),
  }),
  budget: strict({
    maxCost: z
      .number()
      .min(0)
      .max(1_000_000_000)
      .meta({ description: 'In cost weights; critics beyond it end as over_budget.' })
      .optional(),
  }).optional(),
  prices: z
    .record(z.string().min(1).max(200), PriceSchema)
    .meta({
      description:
        'What models cost, by the name that critics have under `with.model`: where a critic tells tokens and no money, the report has both.',
    })
    .optional(),
  critics: z.record(z.string(), CriticSchema).meta({ description: 'The checks, by name: [a-z][a-z0-9_]{0,63}.' }),
  verdict: VerdictSchema,
  review: ReviewSchema.optional(),
  cases: z
    .array(CaseSchema)
    .max(1_000)
    .meta({ description: 'Records with the verdict they must get; their form is checked with the plan.' })
    .optional(),
}).meta({ title: 'tribunal plan', description: 'Critics with stages, policies, limits, a budget and verdict rules.' });

/** A plan as people write it: durations are texts, defaults may be absent. */
export type PlanSource = z.input<typeof PlanSourceSchema>;
/** The same, of the right form: durations are parsed, defaults are still absent. */
export type ParsedPlan = z.output<typeof PlanSourceSchema>;
export type ParsedCritic = ParsedPlan['critics'][string];

/** Gives a plan in TypeScript its types; returns it unchanged. */
export const definePlan = (source: PlanSource): PlanSource => source;

/** JSON Schema (draft 7) of plan files, for editors. */
export function planJsonSchema(): z.core.JSONSchema.BaseSchema {
  return z.toJSONSchema(PlanSourceSchema, { target: 'draft-7', io: 'input' });
}
