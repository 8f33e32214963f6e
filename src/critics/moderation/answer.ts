/**
 * What a moderation endpoint answers, and the finding that it makes. Categories are an open record: endpoints differ, and
 * grow new ones. Pure.
 */
import { z } from 'zod';
import type { Violation } from '../../domain/finding.js';

const score = z.number().min(0).max(1);

/** Of an answer that went wrong, whatever else stands there. */
const noError = z.null().optional();

/** Beyond these fields anything may stand there. A category without an answer (`null`) does not apply to the input. */
const Fields = z.object({
  error: noError,
  flagged: z.boolean().optional(),
  categories: z.record(z.string(), z.boolean().nullable()).optional(),
  category_scores: z.record(z.string(), score.nullable()).optional(),
});

export type ModerationResult = z.output<typeof Fields>;

/** One that says nothing has judged nothing. */
const Result = Fields.refine((one) => one.flagged !== undefined || namesIn(one).length > 0);

/** An answer with one result for each input. */
export const ModerationAnswer = z.object({ error: noError, results: z.array(Result).min(1) });

/** By category; `*` stands for every category that is not named. From a threshold on a score is a violation. */
export type Thresholds = Readonly<Record<string, number>>;

export interface Judged {
  /** Without places. */
  readonly violations: readonly Violation[];
  /** By category, as the endpoint calls it. */
  readonly scores: ReadonlyMap<string, number>;
  /** The worst score; 1 where the endpoint says that something is wrong and not how much. */
  readonly severity: number;
  /** See {@link uncertaintyOf}; `undefined` without scores that were compared. */
  readonly uncertainty: number | undefined;
}

/**
 * Names in `thresholds` for which the result has neither a score nor a word: nobody judged what the plan asks for. `*` asks
 * for scores, unless something is flagged anyway.
 */
export function unjudged(result: ModerationResult, thresholds: Thresholds): string[] {
  const names = namesIn(result);
  const known = new Set(names);
  const answersAll = isFlagged(result) || names.some((name) => isScore(own(result.category_scores, name)));
  return Object.keys(thresholds).filter((name) => (name === '*' ? !answersAll : !known.has(name)));
}

export function judgeResult(result: ModerationResult, thresholds: Thresholds): Judged {
  const scores = new Map<string, number>();
  const violations: Violation[] = [];
  const compared: Compared[] = [];
  for (const category of namesIn(result)) {
    const one = own(result.category_scores, category) ?? undefined;
    const limit = own(thresholds, category) ?? own(thresholds, '*');
    if (one !== undefined) scores.set(category, one);
    if (one !== undefined && limit !== undefined) compared.push({ score: one, limit });
    // The plan's threshold stands in for the endpoint's own; without one, or without a score, the endpoint's word counts.
    const isViolation = one !== undefined && limit !== undefined ? one >= limit : own(result.categories, category) === true;
    if (isViolation) violations.push(violationOf(category, one));
  }
  // What it flags by name and is no violation has a score below the plan's threshold; so has all of it when all was compared.
  const named = new Set([...Object.keys(result.category_scores ?? {}), ...Object.keys(result.categories ?? {})]);
  const isOverruled = saysForWhat(result) || (named.size > 0 && compared.length === named.size);
  if (result.flagged === true && violations.length === 0 && !isOverruled)
    violations.push({ code: 'flagged', message: 'the endpoint flags it and does not say for what', severity: 1 });
  const severity = [...scores.values(), ...violations.map((one) => one.severity ?? 0)].reduce((worst, one) => Math.max(worst, one), 0);
  return { violations, scores, severity, uncertainty: uncertaintyOf(compared) };
}

const saysForWhat = ({ categories = {} }: ModerationResult): boolean => Object.values(categories).includes(true);

const isFlagged = (result: ModerationResult): boolean => result.flagged === true || saysForWhat(result);

interface Compared {
  readonly score: number;
  readonly limit: number;
}

/**
 * How near the decision was. The distance of a score s to its threshold t, as a share of what it could be at most on its
 * side, is d = (s − t) / (1 − t) above and d = (t − s) / t below; where there is no room (t = 1 or 0) it counts as 1.
 * With a violation the decision stands as long as one score stays above: 1 − the largest d of those. Without one it falls
 * as soon as any score rises: 1 − the smallest d.
 */
export function uncertaintyOf(compared: readonly Compared[]): number | undefined {
  if (compared.length === 0) return undefined;
  const over = compared.filter(({ score: s, limit }) => s >= limit).map(({ score: s, limit }) => share(s - limit, 1 - limit));
  if (over.length > 0) return 1 - Math.max(...over);
  return 1 - Math.min(...compared.map(({ score: s, limit }) => share(limit - s, limit)));
}

const share = (part: number, whole: number): number => (whole === 0 ? 1 : part / whole);

function violationOf(category: string, one: number | undefined): Violation {
  const code = codeOf(category);
  return { code, message: one === undefined ? `flagged as ${code}` : `${code} with a score of ${one.toFixed(2)}`, severity: one ?? 1 };
}

/** `self-harm/intent` becomes `self-harm_intent`: codes have no slashes. */
export const codeOf = (category: string): string => category.replaceAll(/[^\w.:-]/g, '_').slice(0, 64) || 'unnamed';

/** The categories that were judged: `null` for a score means that none was, whatever stands beside it but a flag. */
const namesIn = ({ categories = {}, category_scores: scores = {} }: ModerationResult): string[] =>
  [...new Set([...Object.keys(scores), ...Object.keys(categories)])].filter((name) => {
    const [one, word] = [own(scores, name), own(categories, name)];
    return isScore(one) || word === true || (one === undefined && word === false);
  });

const isScore = (one: number | null | undefined): one is number => typeof one === 'number';

/** Categories are called what endpoints please: also `constructor`. */
const own = <Value>(values: Readonly<Record<string, Value>> | undefined, name: string): Value | undefined =>
  values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
