/**
 * What differs between two compiled plans, in words, and which way each change goes. Pure.
 *
 * `looser`: something that was stopped before, or sent to a person, may now pass. `stricter`: the other way round.
 * `neither`: it changes cost, speed or order, not what may pass. `unranked`: it may be either; a person has to look.
 * Compared is what the plans mean with all defaults filled in, so that writing a default down is no change.
 */
import { criticChanges } from './plan-diff-critic.js';
import { byRank, changed, type Change, type ChangeDirection } from './plan-diff-words.js';
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
  const changes = [
    ...riskChanges(a, b),
    ...limitChanges(a, b),
    ...timeChanges(a, b),
    ...budgetChanges(a, b),
    ...criticsChanges(a, b),
    ...ruleChanges(a.verdict.rules, b.verdict.rules),
    ...needsChanges(a, b),
    ...(a.verdict.otherwise === b.verdict.otherwise
      ? []
      : [changed('otherwise', a.verdict.otherwise, b.verdict.otherwise, byRank(OTHERWISE, a.verdict.otherwise, b.verdict.otherwise))]),
  ];
  // Whatever this file does not know is no reason to say nothing.
  const rest: Change[] =
    changes.length > 0 || rulesOf(a) === rulesOf(b)
      ? []
      : [{ about: 'plan', text: 'something else of the compiled plan', direction: 'unranked' }];
  return { same: a.hash === b.hash, changes: [...names, ...changes, ...rest], warnings: versionWarnings(a, b) };
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

function riskChanges({ risk: a }: Plan, { risk: b }: Plan): Change[] {
  const tier = (about: string, from: (typeof RISK_TIERS)[number], to: (typeof RISK_TIERS)[number]): Change[] =>
    from === to ? [] : [changed(about, from, to, byRank(RISK_TIERS, from, to))];
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
      .filter((one) => !paired.some((pair) => pair.one === one))
      .map((one): Change => ({ about: 'risk', text: `risk: no longer at least ${one.tier} if ${one.when}`, direction: 'looser' })),
    ...come
      .filter((one) => !paired.some((pair) => pair.other === one))
      .map((one): Change => ({ about: 'risk', text: `risk: now at least ${one.tier} if ${one.when}`, direction: 'stricter' })),
  ];
}

/** Limits make critics wait, never pass. */
function limitChanges({ limits: a }: Plan, { limits: b }: Plan): Change[] {
  const plain = (['maxConcurrentCritics', 'maxQueueSize', 'maxContentBytes'] as const).map(
    (name) => [`limits.${name}`, a[name], b[name]] as const,
  );
  const stages = STAGES.map(
    (stage) => [`limits.maxConcurrentPerStage.${stage}`, a.maxConcurrentPerStage[stage], b.maxConcurrentPerStage[stage]] as const,
  );
  return [...plain, ...stages].flatMap(([about, from, to]) =>
    from === to
      ? []
      : [changed(about, from === undefined ? 'no limit' : String(from), to === undefined ? 'no limit' : String(to), 'neither')],
  );
}

/** Less time means more critics that are cut, which is only looser where the plan ignores that. */
function timeChanges(a: Plan, b: Plan): Change[] {
  const stages = STAGES.map((stage) => {
    const [from, to] = [a.timeouts.stagesMs[stage] ?? a.timeouts.globalMs, b.timeouts.stagesMs[stage] ?? b.timeouts.globalMs];
    const written = a.timeouts.stagesMs[stage] !== undefined || b.timeouts.stagesMs[stage] !== undefined;
    return { about: `timeouts.stages.${stage}`, from, to: written ? to : from, critics: b.critics.filter((one) => one.stage === stage) };
  });
  const global = { about: 'timeouts.global', from: a.timeouts.globalMs, to: b.timeouts.globalMs, critics: b.critics };
  return [global, ...stages].flatMap(({ about, from, to, critics }) => {
    if (from === to) return [];
    const ignored = critics.some((critic) => ignores(critic, 'timed_out') || ignores(critic, 'not_reached'));
    const direction = to < from && ignored ? 'looser' : 'neither';
    return [changed(about, `${from} ms`, `${to} ms`, direction, direction === 'looser' ? 'what runs out of time is ignored' : undefined)];
  });
}

function budgetChanges(a: Plan, b: Plan): Change[] {
  const [from, to] = [a.budget.maxCost, b.budget.maxCost];
  if (from === to) return [];
  const isLess = (to ?? Number.POSITIVE_INFINITY) < (from ?? Number.POSITIVE_INFINITY);
  const loosens = isLess && b.critics.some((critic) => ignores(critic, 'over_budget'));
  const direction = loosens ? 'looser' : 'neither';
  const word = (value: number | undefined): string => (value === undefined ? 'no limit' : String(value));
  return [changed('budget.maxCost', word(from), word(to), direction, loosens ? 'what is over budget is ignored' : undefined)];
}

const ignores = (critic: PlanCritic, outcome: 'timed_out' | 'not_reached' | 'over_budget'): boolean =>
  critic.mode === 'enforce' && critic.onFailure[outcome] === 'ignore';

function criticsChanges(a: Plan, b: Plan): Change[] {
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
    ...removed.map((critic) => whole(critic, 'removed', 'looser')),
    ...added.map((critic) => whole(critic, 'added', 'stricter')),
    ...kept.flatMap(({ one, other }) => criticChanges(one, other, b)),
    ...(isReordered ? [reordered(b)] : []),
  ];
}

function whole({ name, mode, stage, uses, fallbackFor }: PlanCritic, word: 'added' | 'removed', enforced: ChangeDirection): Change {
  const as = [
    `${uses} in ${stage}`,
    ...(mode === 'shadow' ? ['shadow'] : []),
    ...(fallbackFor === undefined ? [] : [`fallback for ${fallbackFor}`]),
  ];
  // A fallback lets pass what would be stopped because its critic broke.
  const turned = enforced === 'looser' ? 'stricter' : 'looser';
  const direction = mode === 'shadow' ? 'neither' : fallbackFor === undefined ? enforced : turned;
  return { about: name, text: `${name}: ${word} (${as.join(', ')})`, direction };
}

function reordered(plan: Plan): Change {
  const hasBudget = plan.budget.maxCost !== undefined;
  const text = hasBudget
    ? 'critics: only their order changed, by which the budget is shared out'
    : 'critics: only their order changed, which means nothing without a budget';
  return { about: 'critics', text, direction: hasBudget ? 'unranked' : 'neither' };
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
