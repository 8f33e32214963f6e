/**
 * What differs between two compiled plans, in words, and which way each change goes. Pure.
 *
 * `looser`: something that was stopped before, or sent to a person, may now pass, and nothing the other way round, given
 * the same ends of critics. `stricter`: the reverse. `neither`: it changes cost, speed or order, not what may pass.
 * `unranked`: it may be either, or that cannot be told from the plans; a person has to look.
 * Compared is what the plans mean with all defaults filled in, so that writing a default down is no change.
 */
import { criticChanges } from './plan-diff-critic.js';
import { PlanPair, unless } from './plan-diff-effects.js';
import { readsOrder } from './plan-diff-reach.js';
import { reviewChanges } from './plan-diff-review.js';
import { byRank, changed, noted, type Change, type ChangeDirection } from './plan-diff-words.js';
import { RISK_TIERS, STAGES, type Plan, type PlanCritic, type VerdictRule } from './plan.js';

export type { Change, ChangeDirection } from './plan-diff-words.js';

export interface PlanDiff {
  /** The same compiled plan. */
  readonly same: boolean;
  readonly changes: readonly Change[];
  /** What is wrong with the pair as such. */
  readonly warnings: readonly string[];
}

export function diffPlans(a: Plan, b: Plan): PlanDiff {
  const names = [
    ...(a.name === b.name ? [] : [changed('plan', a.name, b.name, 'neither')]),
    ...(a.version === b.version ? [] : [changed('version', String(a.version), String(b.version), 'neither')]),
  ];
  const pair = new PlanPair(a, b);
  const changes = [
    ...riskChanges(pair),
    ...limitChanges(pair),
    ...timeChanges(pair),
    ...budgetChanges(pair),
    ...criticsChanges(pair),
    ...ruleChanges(a.verdict.rules, b.verdict.rules),
    ...needsChanges(a, b),
    ...(a.verdict.otherwise === b.verdict.otherwise
      ? []
      : [changed('otherwise', a.verdict.otherwise, b.verdict.otherwise, byRank(OTHERWISE, a.verdict.otherwise, b.verdict.otherwise))]),
  ];
  const reviews = reviewChanges(a, b);
  // Whatever this file does not know is no reason to say nothing.
  const rest: Change[] =
    changes.length + reviews.length > 0 || rulesOf(a) === rulesOf(b)
      ? []
      : [{ about: 'plan', text: 'something else of the compiled plan', direction: 'unranked' }];
  return {
    same: a.hash === b.hash,
    changes: [
      ...names,
      ...(a.verdict.otherwise === 'deny' && b.verdict.otherwise === 'deny' ? changes.map(lowering) : changes),
      ...reviews,
      ...rest,
    ],
    warnings: versionWarnings(a, b),
  };
}

/** Where nothing that is said means deny, a reason to escalate lowers the decision. */
function lowering(change: Change): Change {
  const isRanked = change.direction === 'looser' || change.direction === 'stricter';
  return isRanked && !change.about.startsWith('limits.') ? noted(change, 'otherwise is deny, which any other reason lowers') : change;
}

/** All of a plan but what it is called. */
const rulesOf = (plan: Plan): string => JSON.stringify({ ...plan, name: '', version: 0, hash: '' });

const OTHERWISE: readonly Plan['verdict']['otherwise'][] = ['allow', 'escalate', 'deny'];

function versionWarnings(a: Plan, b: Plan): string[] {
  if (a.name !== b.name || a.hash === b.hash) return [];
  if (a.version === b.version)
    return [`the version is still ${b.version} although the plan changed: reports of both say ${b.name}@${b.version}`];
  return b.version < a.version ? [`the version went back from ${a.version} to ${b.version}`] : [];
}

function riskChanges(pair: PlanPair): Change[] {
  const [a, b] = [pair.a.risk, pair.b.risk];
  if (JSON.stringify(a) === JSON.stringify(b)) return [];
  const why = pair.whyTier();
  const tier = (about: string, from: (typeof RISK_TIERS)[number], to: (typeof RISK_TIERS)[number]): Change[] =>
    from === to ? [] : [changed(about, from, to, ...unless(byRank(RISK_TIERS, from, to), why))];
  const gone = a.atLeast.filter((one) => !b.atLeast.some((other) => other.when === one.when));
  const come = b.atLeast.filter((one) => !a.atLeast.some((other) => other.when === one.when));
  const sameTier = (one: { readonly tier: string }) => come.find((other) => other.tier === one.tier);
  const paired = gone.flatMap((one) => {
    const other = sameTier(one);
    return other === undefined || gone.find((earlier) => earlier.tier === one.tier) !== one ? [] : [{ one, other }];
  });
  return [
    ...tier('risk.default', a.default, b.default),
    ...tier('risk.floor', a.floor, b.floor),
    ...a.atLeast.flatMap((one) => {
      const other = b.atLeast.find(({ when }) => when === one.when);
      return other === undefined ? [] : tier(`risk if ${one.when}`, one.tier, other.tier);
    }),
    ...paired.map(({ one, other }) => changed(`risk: at least ${one.tier} if`, one.when, other.when, 'unranked')),
    ...gone
      .filter((one) => !paired.some((both) => both.one === one))
      .map((one) => noted({ about: 'risk', text: `risk: no longer at least ${one.tier} if ${one.when}`, direction: 'looser' }, why)),
    ...come
      .filter((one) => !paired.some((both) => both.other === one))
      .map((one) => noted({ about: 'risk', text: `risk: now at least ${one.tier} if ${one.when}`, direction: 'stricter' }, why)),
  ];
}

/** Limits make critics wait, never pass, unless nobody minds who waited too long. What is too large is refused. */
function limitChanges(pair: PlanPair): Change[] {
  const [a, b] = [pair.a.limits, pair.b.limits];
  const word = (value: number | undefined): string => (value === undefined ? 'no limit' : String(value));
  const limit = (name: string, from: number | undefined, to: number | undefined, ...said: [ChangeDirection, string?]): Change[] =>
    from === to ? [] : [changed(`limits.${name}`, word(from), word(to), ...said)];
  return [
    ...limit('maxConcurrentCritics', a.maxConcurrentCritics, b.maxConcurrentCritics, ...unless('neither', pair.whyTime(STAGES[0]))),
    ...limit('maxQueueSize', a.maxQueueSize, b.maxQueueSize, 'neither'),
    ...(a.scope === b.scope
      ? []
      : [changed('limits.scope', a.scope ?? 'deployment', b.scope ?? 'deployment', ...unless('neither', pair.whyTime(STAGES[0])))]),
    ...limit('maxContentBytes', a.maxContentBytes, b.maxContentBytes, b.maxContentBytes > a.maxContentBytes ? 'looser' : 'stricter'),
    ...STAGES.flatMap((stage) => {
      const [from, to] = [a.maxConcurrentPerStage[stage], b.maxConcurrentPerStage[stage]];
      return limit(`maxConcurrentPerStage.${stage}`, from, to, ...unless('neither', pair.whyTime(stage)));
    }),
  ];
}

/** Less time means more critics that are cut, and so more failures, unless the plan ignores them or a fallback stands in. */
function timeChanges(pair: PlanPair): Change[] {
  const [a, b] = [pair.a.timeouts, pair.b.timeouts];
  const stages = STAGES.flatMap((stage) => {
    const written = a.stagesMs[stage] !== undefined || b.stagesMs[stage] !== undefined;
    return written
      ? [{ about: `timeouts.stages.${stage}`, from: a.stagesMs[stage] ?? a.globalMs, to: b.stagesMs[stage] ?? b.globalMs, stage }]
      : [];
  });
  const global = { about: 'timeouts.global', from: a.globalMs, to: b.globalMs, stage: STAGES[0] };
  return [global, ...stages].flatMap(({ about, from, to, stage }) =>
    from === to ? [] : [changed(about, `${from} ms`, `${to} ms`, ...unless('neither', pair.whyTime(stage)))],
  );
}

/** A budget that all critics fit into decides nothing. */
function budgetChanges(pair: PlanPair): Change[] {
  const [from, to] = [pair.a.budget.maxCost, pair.b.budget.maxCost];
  if (from === to) return [];
  const word = (value: number | undefined): string => (value === undefined ? 'no limit' : String(value));
  const why = pair.whyBudget() === undefined ? undefined : 'who is over budget changes';
  return [changed('budget.maxCost', word(from), word(to), ...unless('neither', why))];
}

function criticsChanges(pair: PlanPair): Change[] {
  const { a, b } = pair;
  const find = (plan: Plan, name: string): PlanCritic | undefined => plan.critics.find((critic) => critic.name === name);
  const removed = a.critics.filter((critic) => find(b, critic.name) === undefined);
  const added = b.critics.filter((critic) => find(a, critic.name) === undefined);
  const kept = a.critics.flatMap((one) => {
    const other = find(b, one.name);
    return other === undefined ? [] : [{ one, other }];
  });
  const orderOf = (plan: Plan): string =>
    plan.critics.flatMap(({ name }) => (kept.some(({ one }) => one.name === name) ? [name] : [])).join();
  const moved = kept.some(({ one, other }) => one.stage !== other.stage);
  const isReordered = !moved && orderOf(a) !== orderOf(b);
  return [
    ...removed.map((critic) => whole(critic, 'removed', pair)),
    ...added.map((critic) => whole(critic, 'added', pair)),
    ...kept.flatMap(({ one, other }) => criticChanges(one, other, pair)),
    ...(isReordered ? [reordered(pair)] : []),
  ];
}

function whole(critic: PlanCritic, word: 'added' | 'removed', pair: PlanPair): Change {
  const { name, mode, stage, uses, fallbackFor } = critic;
  const [direction, why] = wholeDirection(critic, word, pair);
  const as = [
    `${uses} in ${stage}`,
    ...(mode === 'shadow' ? ['shadow'] : []),
    ...(fallbackFor === undefined ? [] : [`fallback for ${fallbackFor}`]),
  ];
  const text = `${name}: ${word} (${as.join(', ')}${why === undefined ? '' : `; ${why}`})`;
  return { about: name, text, direction };
}

function wholeDirection({ name, mode, fallbackFor }: PlanCritic, word: 'added' | 'removed', pair: PlanPair): [ChangeDirection, string?] {
  if (mode === 'shadow') return unless('neither', pair.whyRuns([name]));
  const isKept = [pair.a, pair.b].every((plan) => plan.critics.some((critic) => critic.name === fallbackFor));
  if (fallbackFor === undefined || !isKept) return unless(word === 'added' ? 'stricter' : 'looser', pair.whyComes(name));
  // It lets pass what would be stopped because its critic broke.
  return unless(word === 'added' ? 'looser' : 'stricter', pair.whyStandsIn(fallbackFor));
}

function reordered({ a, b }: PlanPair): Change {
  const change = (what: string, direction: ChangeDirection): Change => ({
    about: 'critics',
    text: `critics: only their order changed, ${what}`,
    direction,
  });
  if ([a, b].some((plan) => plan.budget.maxCost !== undefined)) return change('by which the budget is shared out', 'unranked');
  if ([a, b].some(readsOrder)) return change('which an expression may look at', 'unranked');
  return change('which means nothing without a budget', 'neither');
}

type Numbered = VerdictRule & { readonly number: number };

const RULE_EFFECTS: readonly VerdictRule['effect'][] = ['escalate', 'deny'];

/** Rules have no names: the same rule is the one that says the same, else the one with the same condition, else with the same reason. */
function ruleChanges(a: readonly VerdictRule[], b: readonly VerdictRule[]): Change[] {
  const numbered = (rules: readonly VerdictRule[]): Numbered[] => rules.map((rule, index) => ({ ...rule, number: index + 1 }));
  const [left, right] = [numbered(a), numbered(b)];
  const pairs: { readonly one: Numbered; readonly other: Numbered }[] = [];
  const pair = (alike: (one: Numbered, other: Numbered) => boolean): void => {
    for (const one of left) {
      const other = right.find((rule) => !pairs.some((known) => known.other === rule) && alike(one, rule));
      if (other !== undefined && !pairs.some((known) => known.one === one)) pairs.push({ one, other });
    }
  };
  pair((one, other) => one.when === other.when && one.effect === other.effect && one.reason === other.reason);
  pair((one, other) => one.when === other.when && one.effect === other.effect);
  pair((one, other) => one.when === other.when);
  pair((one, other) => one.reason === other.reason);
  const inOrder = pairs.toSorted((one, other) => one.one.number - other.one.number);
  const isReordered = inOrder.some((one, index) => index > 0 && one.other.number < (inOrder[index - 1]?.other.number ?? 0));
  return [
    ...inOrder.flatMap(({ one, other }) => ruleChange(one, other)),
    ...left
      .filter((rule) => !pairs.some(({ one }) => one === rule))
      .map((rule): Change => ({
        about: `rule ${rule.number}`,
        text: `rule ${rule.number} removed: ${ruleText(rule)}`,
        direction: 'looser',
      })),
    ...right
      .filter((rule) => !pairs.some(({ other }) => other === rule))
      .map((rule): Change => ({
        about: `rule ${rule.number}`,
        text: `rule ${rule.number} added: ${ruleText(rule)}`,
        direction: 'stricter',
      })),
    ...(isReordered
      ? [
          {
            about: 'rules',
            text: 'rules: their order changed, which changes no decision: none can lower another',
            direction: 'neither',
          } as const,
        ]
      : []),
  ];
}

const ruleText = ({ effect, when, reason }: VerdictRule): string => `${effect} when ${when} (${reason})`;

function ruleChange(one: Numbered, other: Numbered): Change[] {
  const about = `rule ${one.number}`;
  return [
    ...(one.when === other.when ? [] : [changed(`${about}: ${one.effect} when`, one.when, other.when, 'unranked')]),
    ...(one.effect === other.effect
      ? []
      : [changed(`${about} (${one.reason})`, one.effect, other.effect, byRank(RULE_EFFECTS, one.effect, other.effect))]),
    ...(one.reason === other.reason ? [] : [changed(`${about}: reason`, one.reason, other.reason, 'neither')]),
    // The deny holds either way; what is cut short is what could not unsay it.
    ...(one.decisive === other.decisive
      ? []
      : [changed(`${about} (${one.reason}): decisive`, String(one.decisive), String(other.decisive), 'neither')]),
  ].map((change) => ({ ...change, about }));
}

function needsChanges(a: Plan, b: Plan): Change[] {
  const [before, after] = [a.verdict.allowNeeds?.critics ?? [], b.verdict.allowNeeds?.critics ?? []];
  const [from, to] = [a.verdict.allowNeeds?.coverage, b.verdict.allowNeeds?.coverage];
  const change = (text: string, direction: ChangeDirection): Change => ({ about: 'allowNeeds', text: `allowNeeds: ${text}`, direction });
  return [
    ...before.filter((name) => !after.includes(name)).map((name) => change(`allow no longer needs ${name}`, 'looser')),
    ...after.filter((name) => !before.includes(name)).map((name) => change(`allow now needs ${name}`, 'stricter')),
    ...(from === to
      ? []
      : [
          changed(
            'allowNeeds.coverage',
            from === undefined ? 'none' : String(from),
            to === undefined ? 'none' : String(to),
            (to ?? 0) < (from ?? 0) ? 'looser' : (to ?? 0) > (from ?? 0) ? 'stricter' : 'neither',
          ),
        ]),
  ];
}
