/** What keeps people from deciding what a deployment's plans bring before them, told before a review waits for it. */
import { canonicalJson } from '../digest.js';
import { utf8Bytes } from '../domain/bytes.js';
import type { Plan } from '../domain/plan.js';
import type { People, Person } from '../domain/review/people.js';
import { REVIEW_TIERS, type PlanReview, type ReviewTier } from '../domain/review/policy.js';
import { formatProblem, type Problem } from '../plan-loader.js';
import { loadPeople, MAX_PEOPLE_BYTES, peopleFor, PeopleProblems } from './people.js';

/** Without a file: what is told where reviews are looked after. */
export const NO_REVIEWERS = 'nobody can decide reviews: there is no reviewers.yaml beside the deployment file';

export interface PeopleFile {
  readonly file: string;
  /** Whoever reads it again and again looks at it once. Default: reads it here. */
  readonly read?: () => Promise<People>;
}

/**
 * Every problem of the file, as errors: no decision takes effect before it is mended. Else, as warnings, what its people
 * cannot do for the plans.
 */
export async function peopleProblems(
  { file, read = async () => await loadPeople(file) }: PeopleFile,
  plans: Iterable<Pick<Plan, 'name' | 'review'>>,
): Promise<Problem[]> {
  try {
    const people = await read();
    const told = [...plans].flatMap(({ name, review }) => (review === undefined ? [] : lacking(people, name, review)));
    return told.map((message) => ({ file, path: '', message, severity: 'warning' }));
  } catch (error) {
    if (error instanceof PeopleProblems) return [...error.problems];
    throw error;
  }
}

/** Told and no more: the file may be mended while the process runs, and is read again for every decision. */
export async function warnOfPeople(
  people: PeopleFile,
  plans: Iterable<Plan>,
  { insecure, warn }: { readonly insecure: boolean; readonly warn: (message: string) => void },
): Promise<void> {
  const problems = await peopleProblems(people, plans);
  const isBroken = problems.some(({ severity }) => severity === 'error');
  // Without signatures anybody decides, whoever stands in the file.
  if (isBroken || !insecure) for (const problem of problems) warn(formatProblem(problem));
  if (isBroken) warn('nobody can decide reviews until the file of people is mended');
}

function lacking(people: People, plan: string, review: PlanReview): string[] {
  const groups = [...new Set(REVIEW_TIERS.flatMap((tier) => review.reviewers[tier]))];
  const empty = groups.filter((group) => humansOf(people, [group]).length === 0);
  const tooFew = humansOf(people, review.reviewers.determination);
  const tooMany = tooManyFor(people, [...groups, ...review.leads]);
  return [
    ...empty.map((group) => `nobody who decides is in the group ${group}, which the plan ${plan} names for ${tiersOf(review, group)}`),
    // That there is nobody at all is told of the groups.
    ...(tooFew.length === 1
      ? [
          `a determination of the plan ${plan} takes two people to proceed, and its groups ${review.reviewers.determination.join(', ')} have one: ${tooFew[0]?.id ?? ''}`,
        ]
      : []),
    ...(tooMany === undefined ? [] : [`no review of the plan ${plan} can open: ${tooMany}`]),
  ];
}

const tiersOf = ({ reviewers }: PlanReview, group: string): string =>
  REVIEW_TIERS.filter((tier: ReviewTier) => reviewers[tier].includes(group)).join(' and ');

const humansOf = ({ persons }: People, among: readonly string[]): Person[] =>
  persons.filter(({ kind, groups }) => kind === 'human' && groups.some((group) => among.includes(group)));

/** Of the tenant that has most of them: the bound is each review's. */
function tooManyFor(people: People, groups: readonly string[]): string | undefined {
  const chosen = people.persons.filter((person) => person.groups.some((group) => groups.includes(group)));
  if (utf8Bytes(canonicalJson(chosen)) <= MAX_PEOPLE_BYTES) return undefined;
  const bytes = new Map<string, number>([['default', 0]]);
  for (const person of chosen) {
    for (const tenant of new Set(person.tenants)) bytes.set(tenant, (bytes.get(tenant) ?? 0) + utf8Bytes(canonicalJson(person)));
  }
  const [[tenant] = ['default']] = [...bytes].toSorted(([, a], [, b]) => b - a);
  try {
    peopleFor(people, { tenant, groups: [...new Set(groups)] });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'its people are too many';
  }
}
