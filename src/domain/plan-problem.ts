/** What is wrong with a plan, as values. Pure. */
import type { ParsedPlan } from '../schemas/plan.js';
import { didYouMean } from './nearest.js';
import type { Plan } from './plan.js';

export type PlanPath = readonly (string | number)[];

export interface PlanProblem {
  /** From the root of the plan as written: `['critics', 'pii', 'dependsOn', 0]`. */
  readonly path: PlanPath;
  readonly message: string;
  /** A plan with errors is refused; one with warnings runs. */
  readonly severity: 'error' | 'warning';
  /** It is the last step's name that is wrong: point at the name, not at what it names. */
  readonly atKey?: true;
  /** UTF-16 code units within the text at `path`; `end` exclusive. */
  readonly offset?: { readonly start: number; readonly end: number };
}

/** A plan as written and as it would run. */
export interface PlanUnderCheck {
  readonly source: ParsedPlan;
  readonly plan: Plan;
  /** Critics that the schema refused: they are known by name, and nothing else is said about them. */
  readonly setAside: ReadonlySet<string>;
}

export const error = (path: PlanPath, message: string): PlanProblem => ({ path, message, severity: 'error' });
/** For a name that should not be there, or not like this. */
export const errorAtKey = (path: PlanPath, message: string): PlanProblem => ({ ...error(path, message), atKey: true });
export const warning = (path: PlanPath, message: string): PlanProblem => ({ path, message, severity: 'warning' });

export const isKnown = ({ source, setAside }: PlanUnderCheck, name: string): boolean =>
  Object.hasOwn(source.critics, name) || setAside.has(name);

/** Sentence for a name that no critic of the plan has. */
export function unknownCritic({ source, setAside }: PlanUnderCheck, name: string): string {
  return `unknown critic ${JSON.stringify(name)}${hint(name, [...Object.keys(source.critics), ...setAside])}`;
}

/** A sentence, not a catalogue. */
const MOST_NAMES = 20;

/** The name that was meant, or else the names there are. */
export function hint(wrong: string, known: readonly string[]): string {
  const meant = didYouMean(wrong, known);
  if (meant !== '') return meant;
  if (known.length === 0) return '';
  const more = known.length > MOST_NAMES ? ` and ${known.length - MOST_NAMES} more` : '';
  return `; known are ${known.slice(0, MOST_NAMES).join(', ')}${more}`;
}
