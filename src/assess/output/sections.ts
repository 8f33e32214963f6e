/**
 * The figures as titled tables: made once, shown by the terminal, Markdown and the page alike. Pure.
 * Texts of others (names of strata, families and critics) are raw here; each output makes them harmless in its own way.
 */
import { number, words } from '../../report/format.js';
import type { Assessment, CriticFigures, GatingFigures, Mix, Sweep } from '../figures.js';
import { compared, counted, estimate, latency, loss, ms, plural, proportion, share } from './numbers.js';

export interface Cells {
  readonly name: string;
  readonly right?: boolean;
}

export interface Section {
  readonly id: string;
  readonly title: string;
  /** What a reader must know to read the table. */
  readonly about?: string;
  readonly columns: readonly Cells[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below the table. */
  readonly below?: readonly string[];
}

export interface SectionOptions {
  /** How many steps of a stratum are shown: `injection/user/persuasion` has 3. */
  readonly depth: number;
}

const left = (name: string): Cells => ({ name });
const right = (name: string): Cells => ({ name, right: true });

const isShown = (stratum: string, depth: number): boolean => stratum.split('/').length <= depth;

/** Sections without rows are left out. */
export function sectionsOf(assessment: Assessment, options: SectionOptions): Section[] {
  const { critics, verdicts, gating, mix, sweep } = assessment;
  return [
    families(critics),
    strata(critics, options),
    spans(critics),
    ...(verdicts === undefined ? [] : verdictSections(verdicts, options)),
    ...(gating === undefined ? [] : gatingSections(gating, options)),
    ...(mix === undefined ? [] : [mixParts(mix), ...gatingSections(mix.gating, { depth: 1 }, 'mix')]),
    ...(sweep === undefined ? [] : [sweepSection(sweep)]),
    runs(critics),
  ].filter(({ rows }) => rows.length > 0);
}

function families(critics: readonly CriticFigures[]): Section {
  const rows = critics.flatMap(({ name, families: of }) =>
    of.map((one) => [
      name,
      one.family,
      number(one.n),
      proportion(one.precision),
      proportion(one.recall),
      estimate(one.f1),
      proportion(one.falseAlarmRate),
      one.unjudged === 0 ? '' : number(one.unjudged),
    ]),
  );
  return {
    id: 'families',
    title: 'Critics by label family',
    about:
      'n: records whose label is known and that the critic judged. In brackets 95 % intervals: Wilson’s for shares; F1’s is Wilson’s for hits ÷ (hits + false alarms + misses), put through F1’s formula.',
    columns: [
      left('critic'),
      left('family'),
      right('n'),
      right('precision'),
      right('recall'),
      right('F1'),
      right('false alarms'),
      right('no finding'),
    ],
    rows,
  };
}

function strata(critics: readonly CriticFigures[], { depth }: SectionOptions): Section {
  const rows = critics.flatMap(({ name, families: of }) =>
    of.flatMap((one) =>
      one.strata
        .filter(({ stratum }) => one.strata.length > 1 && isShown(stratum, depth))
        .map(({ stratum, recall, falseAlarmRate }) => [name, one.family, stratum, counted(recall), counted(falseAlarmRate)]),
    ),
  );
  return {
    id: 'strata',
    title: 'Recall and false alarms by stratum',
    about: 'Of the family: recall; none of it: false alarms. What belongs to a/b counts for a as well.',
    columns: [left('critic'), left('family'), left('stratum'), right('recall'), right('false alarms')],
    rows,
  };
}

function spans(critics: readonly CriticFigures[]): Section {
  const found = critics.flatMap(({ name, spans: of }) => (of === undefined ? [] : [{ name, of }]));
  const rows = found.flatMap(({ name, of }) =>
    of.types.map((one) => [name, one.type, number(one.labelled), proportion(one.precision), proportion(one.recall), estimate(one.f1)]),
  );
  const below = found.flatMap(({ name, of }) =>
    of.notLookedFor.length === 0
      ? []
      : [`${name} has no code for: ${of.notLookedFor.map(({ type, labelled }) => `${type} ${number(labelled)}`).join(', ')}`],
  );
  return {
    id: 'spans',
    title: 'Spans by type',
    about: 'A span is found when one of its type in the same text shares at least half of the longer of the two; each counts once.',
    columns: [left('critic'), left('type'), right('marked'), right('precision'), right('recall'), right('F1')],
    rows,
    below,
  };
}

function verdictSections(
  { confusion, overBlocking, letThrough, refused }: NonNullable<Assessment['verdicts']>,
  { depth }: SectionOptions,
): Section[] {
  return [
    {
      id: 'confusion',
      title: 'Verdicts: expected and decided',
      about: 'The plan as it runs. Accepted: decided as one of the verdicts that the set counts as right.',
      columns: [left('expected'), right('allow'), right('escalate'), right('deny'), right('not judged'), right('accepted')],
      rows: confusion.map(({ expected, decided, accepted }) => [
        expected,
        ...[decided.allow, decided.escalate, decided.deny, decided.not_judged].map((count) => number(count)),
        counted(accepted),
      ]),
      below: refused === 0 ? [] : [`${number(refused)} records are larger than the plan takes: not judged`],
    },
    {
      id: 'overblocking',
      title: 'Over-blocking: records that should be allowed',
      columns: [left('stratum'), right('n'), right('denied'), right('escalated'), right('not judged')],
      rows: overBlocking
        .filter(({ stratum }) => isShown(stratum, depth))
        .map((one) => [one.stratum, number(one.n), counted(one.denied), counted(one.escalated), counted(one.notJudged)]),
    },
    {
      id: 'letthrough',
      title: 'Records that should be stopped',
      about: 'Stopped: denied or escalated.',
      columns: [left('stratum'), right('n'), right('stopped'), right('denied')],
      rows: letThrough
        .filter(({ stratum }) => isShown(stratum, depth))
        .map((one) => [one.stratum, number(one.n), counted(one.stopped), counted(one.denied)]),
    },
  ];
}

function gatingSections(gating: readonly GatingFigures[], { depth }: SectionOptions, of: 'sets' | 'mix' = 'sets'): Section[] {
  const shown = gating.filter(({ stratum }) => isShown(stratum, depth));
  const where = of === 'mix' ? 'the mix' : 'the sets';
  return [
    {
      id: `saved-${of}`,
      title: `Gating over ${where}: what it saves`,
      about:
        'From everything on (gates open, no decisive rule, no budget) to the plan as it runs. Time: the longest chain of critics, without queues and Temporal.',
      columns: [
        left('stratum'),
        right('records'),
        right('critic runs'),
        right('cost weight'),
        right('saved'),
        right('by gates'),
        right('by decisive rules'),
        right('p50'),
        right('p95'),
      ],
      rows: shown.map((one) => [
        one.stratum,
        number(one.n),
        compared(one.runs),
        compared(one.weight),
        share(one.savedShare),
        share(one.notRun.byGates / Math.max(1, one.weight.full)),
        share(one.notRun.byDecisiveRules / Math.max(1, one.weight.full)),
        `${ms(one.latency.full.p50)} → ${ms(one.latency.gated.p50)}`,
        `${ms(one.latency.full.p95)} → ${ms(one.latency.gated.p95)}`,
      ]),
    },
    {
      id: `lost-${of}`,
      title: `Gating over ${where}: what it loses`,
      about:
        'Lost: stopped with everything on, allowed by the plan as it runs. At most: one-sided upper 95 % bound (Clopper and Pearson) over distinct records. Should be stopped: only records whose expected verdict says so.',
      columns: [left('stratum'), left('denied'), left('escalated'), left('should be stopped'), right('denied, now escalated')],
      rows: shown.map((one) => [one.stratum, loss(one.denied), loss(one.escalated), loss(one.rightlyStopped), number(one.softened)]),
    },
  ];
}

function mixParts({ parts, seed, decided }: Mix): Section {
  return {
    id: 'mix',
    title: `The mix (seed ${seed})`,
    about: 'Repeats of a record have its recorded results.',
    columns: [left('part'), right('share'), right('records'), right('distinct'), left('strata')],
    rows: parts.map((one) => [one.part, share(one.share), number(one.n), number(one.distinct), one.strata.join(' + ')]),
    below: [
      `decided: ${(['allow', 'escalate', 'deny', 'not_judged'] as const).map((decision) => `${words(decision)} ${number(decided[decision])}`).join(', ')}`,
    ],
  };
}

function sweepSection({ critic, option, points }: Sweep): Section {
  const rows = points.flatMap(({ value, families: of, overBlocking, letThrough }) => {
    const plan = [
      overBlocking === undefined ? '' : proportion(overBlocking.denied),
      overBlocking === undefined ? '' : proportion(overBlocking.escalated),
    ];
    const stopped = letThrough === undefined ? '' : proportion(letThrough.stopped);
    const lines = of.map((one) => [
      String(value),
      one.family,
      proportion(one.precision),
      proportion(one.recall),
      estimate(one.f1),
      proportion(one.falseAlarmRate),
    ]);
    return (lines.length === 0 ? [[String(value), '', '', '', '', '']] : lines).map((line) => [...line, ...plan, stopped]);
  });
  return {
    id: 'sweep',
    title: `Sweep of ${critic}.${option}`,
    columns: [
      right('value'),
      left('family'),
      right('precision'),
      right('recall'),
      right('F1'),
      right('false alarms'),
      right('harmless denied'),
      right('harmless escalated'),
      right('harmful stopped'),
    ],
    rows,
  };
}

function runs(critics: readonly CriticFigures[]): Section {
  const rows = critics.map(({ name, uses, version, outcomes, latency: time, cost, kept, failures }) => {
    const ended = Object.entries(outcomes).map(([outcome, count]) => `${words(outcome)} ${number(count)}`);
    const codes = failures.slice(0, 3).map(({ code, count }) => `${code} ${number(count)}`);
    return [
      name,
      `${uses} ${version}`,
      number(cost.runs),
      number(kept),
      ...latency(time),
      number(cost.weight, 2),
      cost.usd === undefined ? '' : `${number(cost.usd, 6)} USD`,
      cost.inputTokens === undefined && cost.outputTokens === undefined
        ? ''
        : `${number(cost.inputTokens ?? 0)} + ${number(cost.outputTokens ?? 0)}`,
      [...ended, ...codes].join(', '),
    ];
  });
  return {
    id: 'runs',
    title: 'Runs: time, cost, ends',
    about:
      'Each critic once a record, one attempt. Time of the critic’s own run; kept answers have the time that was recorded. Tokens: in + out.',
    columns: [
      left('critic'),
      left('implementation'),
      right('runs'),
      right('kept'),
      right('p50'),
      right('p95'),
      right('p99'),
      right('weight'),
      right('money'),
      right('tokens'),
      left('ended'),
    ],
    rows,
  };
}

/** `plan chat_safety@3` or the critics' names. */
export const subjectOf = ({ plan, critics }: Assessment): string =>
  plan === undefined ? critics.map(({ name }) => name).join(', ') : `plan ${plan.name}@${plan.version}`;

/** `2,247 records (5 files), 4 critics, 8,988 runs in 12.3 s`. */
export function headlineOf({ records, sample, sets, critics, tookMs }: Assessment): string {
  const of = sample === undefined ? '' : ` of ${number(sample.of)} (seed ${sample.seed})`;
  const count = critics.reduce((sum, { cost }) => sum + cost.runs, 0);
  const files = plural(sets.length, 'file');
  return `${number(records)} records${of} from ${files}, ${plural(critics.length, 'critic')}, ${number(count)} runs in ${number(tookMs / 1_000)} s`;
}
