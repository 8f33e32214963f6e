/** The people of a deployment, from `reviewers.yaml`, and those of them whom one review knows. */
import type { z } from 'zod';
import { canonicalJson, sha256 } from '../digest.js';
import { utf8Bytes } from '../domain/bytes.js';
import { nameForm, type People, type Person } from '../domain/review/people.js';
import { formatProblem, readText, type Problem } from '../plan-loader.js';
import { parseWith } from '../schemas/issues.js';
import { checkPlain } from '../schemas/plain.js';
import { readYaml } from '../schemas/plan-file.js';
import { ReviewersSchema } from '../schemas/reviewers.js';

/** Some 600 people. They stand in a marker of the review's history whenever they have changed. */
export const MAX_PEOPLE_BYTES = 131_072;

/** A `reviewers.yaml` that cannot be used, with all reasons at once. */
export class PeopleProblems extends Error {
  override readonly name = 'PeopleProblems';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}

/**
 * Everybody who stands in the file, in its order.
 * @throws PeopleProblems with every problem of the file and its place there.
 */
export async function loadPeople(file: string): Promise<People> {
  return peopleIn(file, await textOf(file));
}

/** The same file again and again: read each time, looked at only when it says something else. Keys take a millisecond each. */
export function peopleReader(file: string): () => Promise<People> {
  let known: { readonly text: string; readonly people: People } | undefined;
  return async () => {
    const text = await textOf(file);
    if (known?.text !== text) known = { text, people: peopleIn(file, text) };
    return known.people;
  };
}

const peopleIn = (file: string, text: string): People => asPeople(readReviewers(file, text).people.map(personOf));

/**
 * Those who belong to one of the groups and may see the tenant, and whom the record calls requester or author: what the state
 * of a review holds. The digest is of them alone, so that it changes only with their rights.
 * @throws Error when they are more than the state of a review can hold ({@link MAX_PEOPLE_BYTES}): better when a worker
 * loads its plans than when a review opens.
 */
export function peopleFor(people: People, { tenant, groups, names = [] }: WhoMatters): People {
  const parties = new Set(names.map(nameForm));
  const isParty = ({ id, aliases }: Person): boolean => [id, ...aliases].some((name) => parties.has(nameForm(name)));
  const chosen = people.persons.filter(
    (person) => (person.groups.some((group) => groups.includes(group)) || isParty(person)) && (person.tenants?.includes(tenant) ?? true),
  );
  const bytes = utf8Bytes(canonicalJson(chosen));
  if (bytes <= MAX_PEOPLE_BYTES) return asPeople(chosen);
  throw new Error(
    `the groups ${groups.join(', ')} have ${chosen.length} people of the tenant ${tenant}, ${bytes} bytes of them, and a review holds at most ${MAX_PEOPLE_BYTES}: name smaller groups in the plan`,
  );
}

export interface WhoMatters {
  readonly tenant: string;
  readonly groups: readonly string[];
  readonly names?: readonly string[];
}

const asPeople = (persons: readonly Person[]): People => ({ persons, digest: sha256(canonicalJson(persons)) });

type Written = z.output<typeof ReviewersSchema>;

const personOf = ({ id, groups, key, service, aliases, tenants }: Written['people'][number]): Person => ({
  id,
  groups,
  key,
  kind: service === true ? 'service' : 'human',
  aliases: aliases ?? [],
  ...(tenants !== undefined ? { tenants } : {}),
});

async function textOf(file: string): Promise<string> {
  return await readText(file).catch((cause: unknown) => {
    const message = cause instanceof Error ? cause.message : 'cannot be read';
    throw new PeopleProblems([whole(file, message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message)]);
  });
}

const whole = (file: string, message: string, path = ''): Problem => ({ file, path, message, severity: 'error' });

function readReviewers(file: string, text: string): Written {
  const yaml = readYaml(text);
  if (!yaml.ok) throw new PeopleProblems(yaml.problems.map((problem) => ({ ...whole(file, ''), ...problem })));
  const plain = checkPlain(yaml.value);
  const parsed = plain.issues.length > 0 ? { ok: false as const, issues: plain.issues } : parseWith(ReviewersSchema, yaml.value);
  if (parsed.ok) return parsed.value;
  throw new PeopleProblems(
    parsed.issues.map(({ path, message, atKey }) => ({
      ...whole(file, message, path.join('.')),
      ...yaml.position(path, { atKey: atKey === true }),
    })),
  );
}
