/**
 * Why a change of one kind may let more pass as well as less, in this pair of plans. Pure.
 *
 * E1 A critic that runs where it was gated, or was not there, only raises the decision, unless others pay for it (budget,
 *    time), or something waits for its success, or something holds because it is missing.
 * E2 A critic that ends without success more often only lets less pass, unless the plan ignores that end or a fallback
 *    stands in.
 * E3 Both plans are looked at: another change of the pair may be what makes this one go the other way.
 */
import { dependenciesOf, fallbacksOf, type Fallbacks } from './dependencies.js';
import { FAILURE_OUTCOMES, type FailureOutcome } from './outcomes.js';
import { Gates, growsWithFindings, readsCritics, readsTier } from './plan-diff-reach.js';
import type { ChangeDirection } from './plan-diff-words.js';
import { effectOn, STAGES, type ExecutionStage, type Plan, type PlanCritic, type VerdictRule } from './plan.js';

/** How a critic ends that had too little time, or too few attempts. */
const SHORT_OF_TIME: readonly FailureOutcome[] = ['failed', 'timed_out', 'unavailable', 'not_reached'];

const NO_NAMES: ReadonlySet<string> = new Set();

/** The direction of a change, unless there is a reason why it has none. */
export const unless = (direction: ChangeDirection, why: string | undefined): [ChangeDirection, string?] =>
  why === undefined ? [direction] : ['unranked', why];

/** One of the plans, with what is asked of it again and again. */
interface Side {
  readonly plan: Plan;
  readonly gates: Gates;
  readonly fallbacks: Fallbacks;
  readonly mayRunOut: boolean;
}

const sideOf = (plan: Plan): Side => ({ plan, gates: new Gates(plan), fallbacks: fallbacksOf(plan), mayRunOut: mayRunOut(plan) });

export class PlanPair {
  readonly #sides: readonly [Side, Side];
  readonly #readsTier: boolean;
  /** Rules of both plans that may hold because something is missing. */
  readonly #gaps: readonly VerdictRule[];
  /** Critics of both plans. */
  readonly #kept: ReadonlySet<string>;
  /** Critics of both plans that succeed, or say why not. */
  readonly #sure: readonly string[];

  constructor(
    readonly a: Plan,
    readonly b: Plan,
  ) {
    const [one, other] = (this.#sides = [sideOf(a), sideOf(b)]);
    this.#readsTier = readsTier(a) || readsTier(b);
    const later = new Set(b.verdict.rules.map((rule) => rule.when));
    this.#gaps = a.verdict.rules.filter(({ when }) => later.has(when) && !growsWithFindings(when));
    const names = new Set(b.critics.map((critic) => critic.name));
    this.#kept = new Set(a.critics.flatMap(({ name }) => (names.has(name) ? name : [])));
    const sure = new Set(sureOf(other));
    this.#sure = sureOf(one).filter((name) => sure.has(name));
  }

  /** That critics of these names run in more cases is not only stricter; in fewer, not only looser. */
  whyRuns(names: readonly string[]): string | undefined {
    const budget = this.whyBudget();
    if (budget !== undefined) return budget;
    const reaches = this.#sides.map(({ gates }) => gates.reach(names));
    const unclear = reaches.find((reach) => reach.why !== undefined)?.why;
    if (unclear !== undefined) return unclear;
    const reached = new Set(reaches.flatMap((reach) => [...reach.names]));
    return this.#whyJudged(reached) ?? this.whyTime(this.#firstStage(names), new Set(names));
  }

  /** That a critic comes is not only stricter; that it goes, not only looser. */
  whyComes(name: string): string | undefined {
    const counts = this.#sides.some((side) => (side.plan.verdict.allowNeeds?.coverage ?? 0) > 0 && ignoresSome(side));
    return counts ? 'it counts in the coverage that allow needs' : this.whyRuns([name]);
  }

  /** That a fallback comes for a critic of both plans does not only let more pass. */
  whyStandsIn(fallbackFor: string): string | undefined {
    const budget = this.whyBudget();
    if (budget !== undefined) return budget;
    const ignored = this.#sides.flatMap((side) => {
      const names = dependenciesOf(side.plan, fallbackFor).add(fallbackFor);
      return side.plan.critics.filter((critic) => names.has(critic.name) && ignores(critic, possibleIn(side)));
    });
    return ignored[0] === undefined ? undefined : `a failure of ${ignored[0].name} may be ignored`;
  }

  /** That a critic ends in these outcomes more often, or less, may let more pass as well as less. */
  whyEnds(name: string, outcomes: readonly FailureOutcome[]): string | undefined {
    for (const side of this.#sides) {
      const critic = side.plan.critics.find((one) => one.name === name);
      const why = critic === undefined ? undefined : whyTolerated(side, critic, outcomes);
      if (why !== undefined) return why;
    }
    return undefined;
  }

  /** That there is more or less time from a stage on, for critics of both plans, may let more pass as well as less. */
  whyTime(from: ExecutionStage, without: ReadonlySet<string> = NO_NAMES): string | undefined {
    for (const side of this.#sides) {
      for (const critic of side.plan.critics) {
        if (STAGES.indexOf(critic.stage) < STAGES.indexOf(from) || without.has(critic.name) || !this.#kept.has(critic.name)) continue;
        const why = whyTolerated(side, critic, SHORT_OF_TIME);
        if (why !== undefined) return `of the time of ${critic.name}: ${why}`;
      }
    }
    return undefined;
  }

  /** That a critic of both plans takes more or less time, or ends so that it had too little, may let more pass as well as less. */
  whySlower({ name, stage }: PlanCritic, ...also: readonly FailureOutcome[]): string | undefined {
    return this.whyEnds(name, [...SHORT_OF_TIME, ...also]) ?? this.whyTime(stage, new Set([name]));
  }

  /** That the plan goes by another tier is not only stricter, or only looser. */
  whyTier(): string | undefined {
    if (this.#readsTier) return 'an expression reads riskTier';
    const names = this.#sides.flatMap(({ plan }) => plan.critics.filter((one) => one.policy === 'on_high_risk').map((one) => one.name));
    return names.length === 0 ? undefined : this.whyRuns(names);
  }

  /** That an end of a critic is ignored no more, or is now, opens or closes gates that do not go the same way. */
  whyLeftOpen(name: string): string | undefined {
    const names = this.#sides.flatMap(({ gates }) => gates.closerLooks(name));
    return names.length === 0 ? undefined : this.whyRuns(names);
  }

  /** Whoever spends more or less of it decides over others. */
  whyBudget(): string | undefined {
    return this.#sides.some((side) => side.mayRunOut) ? 'the budget may run out for others' : undefined;
  }

  #firstStage(names: readonly string[]): ExecutionStage {
    const critics = this.#sides.flatMap(({ plan }) => plan.critics.filter((critic) => names.includes(critic.name)));
    return STAGES.find((stage) => critics.some((critic) => critic.stage === stage)) ?? STAGES[0];
  }

  /** Shadow critics are not seen by verdicts. */
  #whyJudged(reached: ReadonlySet<string>): string | undefined {
    const enforcing = this.#sides.flatMap(({ plan }) => plan.critics.filter((one) => one.mode === 'enforce' && reached.has(one.name)));
    if (enforcing.length === 0) return undefined;
    const names = new Set(enforcing.map((critic) => critic.name));
    return this.#whyNeeded(names) ?? this.#whyRules(names) ?? this.#whyAlone(names);
  }

  /** What only one of the plans needs is a change of its own. */
  #whyNeeded(names: ReadonlySet<string>): string | undefined {
    const needed = this.a.verdict.allowNeeds?.critics.find(
      (name) => names.has(name) && this.b.verdict.allowNeeds?.critics.includes(name) === true,
    );
    return needed === undefined ? undefined : `allow needs ${needed}`;
  }

  /** What only one of the plans has is a change of its own. */
  #whyRules(names: ReadonlySet<string>): string | undefined {
    const gap = this.#gaps.find(({ when }) => this.#sides.some(({ plan }) => readsCritics(plan, when, names)));
    return gap === undefined ? undefined : `the rule "${gap.reason}" may also hold by what is missing`;
  }

  /** Nothing is allowed without a success: somebody else must always have one, or say why not. */
  #whyAlone(names: ReadonlySet<string>): string | undefined {
    return this.#sure.some((name) => !names.has(name)) ? undefined : 'without it there may be no success, which allow needs';
  }
}

/** Weights that fit together never leave anybody without. */
function mayRunOut({ budget, critics }: Plan): boolean {
  return budget.maxCost !== undefined && critics.reduce((sum, critic) => sum + critic.costWeight, 0) > budget.maxCost;
}

/** What a critic may end as; `skipped` speaks by the critic at its root. */
const possibleIn = (side: Side): readonly FailureOutcome[] =>
  FAILURE_OUTCOMES.filter((outcome) => outcome !== 'skipped' && (outcome !== 'over_budget' || side.mayRunOut));

const ignores = (critic: PlanCritic, outcomes: readonly FailureOutcome[]): boolean =>
  critic.mode === 'enforce' && outcomes.some((outcome) => effectOn(critic, outcome) === 'ignore');

/** Where nothing is ignored, whatever lowers the coverage has kept the plan from an allow by itself. */
function ignoresSome(side: Side): boolean {
  const outcomes = possibleIn(side);
  return side.plan.critics.some((critic) => ignores(critic, outcomes));
}

/** Critics that always run, and whose failure is always heard. */
function sureOf(side: Side): string[] {
  const outcomes = possibleIn(side);
  return side.plan.critics
    .filter(({ mode, policy, fallbackFor }) => mode === 'enforce' && policy === 'always' && fallbackFor === undefined)
    .filter((critic) => critic.dependsOn.length === 0 && !ignores(critic, outcomes))
    .map((critic) => critic.name);
}

function whyTolerated(side: Side, critic: PlanCritic, outcomes: readonly FailureOutcome[]): string | undefined {
  // What it does not get to spend, others do.
  if (critic.mode === 'shadow') return side.mayRunOut && outcomes.includes('not_reached') ? 'the budget may run out for others' : undefined;
  if (ignores(critic, outcomes)) return 'the plan ignores what fails for it';
  const fallback = side.fallbacks.get(critic.name);
  return fallback === undefined ? undefined : `${fallback.name} stands in for what fails`;
}
