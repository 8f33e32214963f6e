/** `reviewers.yaml`: who stands in it, what is wrong with it and where, and whom of them a review knows. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/domain/review/crypto.js';
import { makeKeyPair } from '../../src/review/keys.js';
import { loadPeople, MAX_PEOPLE_BYTES, peopleFor, PeopleProblems } from '../../src/review/people.js';
import { ann, bob, peopleOf, personOf } from './review-fixture.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reviewers-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function load(text: string) {
  const file = join(folder, 'reviewers.yaml');
  await writeFile(file, text);
  return loadPeople(file);
}

/** The lines of all problems, without the folder. */
async function refused(text: string): Promise<readonly string[]> {
  const error: unknown = await load(text).catch((reason: unknown) => reason);
  if (!(error instanceof PeopleProblems)) throw error;
  return error.message.replaceAll(`${folder}/`, '').split('\n');
}

const entry = (id: string, { publicKey }: { readonly publicKey: string }, more = ''): string =>
  `  - id: ${id}\n    groups: [reviewers]\n    key: ${JSON.stringify(publicKey)}\n${more}`;

describe('reviewers.yaml', () => {
  it('says who may act on reviews, in its order', async () => {
    const people = await load(
      `people:\n${entry('ann', ann, '    aliases: [Ann Smith, ann@example.com, Ann]\n    tenants: [acme]\n')}${entry('"007"', bob, '    service: true\n')}`,
    );
    expect(people.persons).toEqual([
      personOf('ann', ann, { aliases: ['Ann Smith', 'ann@example.com', 'Ann'], tenants: ['acme'] }),
      personOf('007', bob, { kind: 'service' }),
    ]);
    expect(people.digest).toBe(digestOf(people.persons));
  });

  it('has a digest that changes with the rights of anybody', async () => {
    const text = `people:\n${entry('ann', ann)}${entry('bob', bob)}`;
    const { digest } = await load(text);
    expect((await load(`# the same\n${text}`)).digest).toBe(digest);
    const others = [
      text.replace('reviewers', 'leads'),
      `${text}    service: true\n`,
      `${text}    aliases: [Bob]\n`,
      `${text}    tenants: [acme]\n`,
      text.replace(bob.publicKey, makeKeyPair().publicKey),
    ];
    const digests = await Promise.all(
      others.map(async (other, index) => {
        const file = join(folder, `${index}.yaml`);
        await writeFile(file, other);
        return (await loadPeople(file)).digest;
      }),
    );
    expect(new Set([digest, ...digests]).size).toBe(others.length + 1);
  });

  it('tells every problem with its place', async () => {
    expect(
      await refused(
        `people:\n  - id: a/b\n    groups: [Reviewers]\n    key: AAAA\n    rights: all\n  - id: 7\n    groups: []\n    tenants: ['a b']\n    service: "no"\n`,
      ),
    ).toEqual([
      'reviewers.yaml:2:9 people.0.id is not the id of a person: write ^[A-Za-z0-9._@-]{1,128}$',
      'reviewers.yaml:3:14 people.0.groups.0 is not the name of a group: write ^[a-z][a-z0-9_-]{0,63}$',
      expect.stringMatching(/^reviewers\.yaml:4:10 people\.0\.key is no Ed25519 public key: 32 bytes in base64url without padding/),
      expect.stringMatching(/^reviewers\.yaml:5:5 people\.0\.rights unknown field "rights"/),
      'reviewers.yaml:6:9 people.1.id must be a text, is 7',
      'reviewers.yaml:7:13 people.1.groups must be at least 1 entry long, is a list',
      'reviewers.yaml:6:5 people.1.key is missing: it must be a text',
      'reviewers.yaml:9:14 people.1.service must be true or false, is "no"',
      'reviewers.yaml:8:15 people.1.tenants.0 is not the name of a tenant: write ^[A-Za-z0-9._-]{1,64}$',
    ]);
  });

  it("never makes two people of one: ids, keys and aliases are one person's alone, in whatever letters", async () => {
    const carol = makeKeyPair();
    expect(
      await refused(
        `people:\n${entry('ann', ann, '    aliases: [bob, A. Smith]\n')}${entry('bob', ann, '    aliases: [a. smith, x]\n')}${entry('ANN', carol, '    aliases: [x]\n')}`,
      ),
    ).toEqual([
      'reviewers.yaml:8:10 people.1.key is the key of people.0 already',
      'reviewers.yaml:10:9 people.2.id is the id of people.0 already',
      "reviewers.yaml:5:15 people.0.aliases.0 is the id or an alias of people.1 already: a name is one person's",
      "reviewers.yaml:9:15 people.1.aliases.0 is the id or an alias of people.0 already: a name is one person's",
      "reviewers.yaml:13:15 people.2.aliases.0 is the id or an alias of people.1 already: a name is one person's",
    ]);
  });

  it('repeats nothing of a key that is none: it may be a private one', async () => {
    const [line = '', ...more] = await refused('people:\n  - { id: a, groups: [g], key: c2VjcmV0LXNlY3JldA }\n');
    expect(more).toEqual([]);
    expect(line).not.toContain('c2VjcmV0');
  });

  it.each([
    ['a key with padding', `people:\n${entry('ann', { publicKey: `${ann.publicKey}=` })}`, /people\.0\.key is no Ed25519 public key/],
    ['a key of 1 MB', `people:\n${entry('ann', { publicKey: 'A'.repeat(1_000_000) })}`, /people\.0\.key is no Ed25519 public key/],
    ['a key of small order', `people:\n${entry('ann', { publicKey: `AQ${'A'.repeat(41)}` })}`, /people\.0\.key is no Ed25519 public key/],
    ['nobody', 'people: []\n', /^reviewers\.yaml:1:9 people must be at least 1 entry long/],
    ['no list', 'people: { ann: {} }\n', /people must be a list, is a map/],
    ['something else', 'persons: []\n', /unknown field "persons"/],
    ['nothing', '', /the file is empty/],
    ['no YAML', 'people: [\n', /^reviewers\.yaml:\d+:\d+ /],
    ['a person twice in the same map', 'people: []\npeople: []\n', /^reviewers\.yaml:2:1 /],
    ['a prototype', 'people:\n  - __proto__: { id: ann }\n', /__proto__ cannot be the name of anything/],
  ])('is refused with %s', async (_, text, problem) => {
    expect((await refused(text)).join('\n')).toMatch(problem);
  });

  it('may hold 2,000 people, and no more', async () => {
    const lines = Array.from({ length: 2_001 }, (_, index) => entry(`p${index}`, makeKeyPair()));
    expect((await load(`people:\n${lines.slice(1).join('')}`)).persons).toHaveLength(2_000);
    expect(await refused(`people:\n${lines.join('')}`)).toEqual([expect.stringContaining('people must be at most 2000 entries long')]);
  });

  it('that is not there is told by its name', async () => {
    const file = join(folder, 'none.yaml');
    await expect(loadPeople(file)).rejects.toMatchObject({
      name: 'PeopleProblems',
      message: `${file} cannot be read: there is no such file`,
    });
  });
});

describe('peopleFor', () => {
  const everybody = peopleOf(
    personOf('ann', ann, { groups: ['reviewers', 'leads'], tenants: ['acme', 'other'] }),
    personOf('bob', bob),
    personOf('carol', makeKeyPair(), { groups: ['leads'], kind: 'service' }),
    personOf('dave', makeKeyPair(), { groups: ['governance'] }),
  );
  const idsFor = (tenant: string, ...groups: string[]): readonly string[] =>
    peopleFor(everybody, { tenant, groups }).persons.map(({ id }) => id);

  it('gives those who belong to one of the groups and may see the tenant', () => {
    expect(idsFor('acme', 'reviewers')).toEqual(['ann', 'bob']);
    expect(idsFor('acme', 'leads', 'governance')).toEqual(['ann', 'carol', 'dave']);
    expect(idsFor('rival', 'reviewers', 'leads')).toEqual(['bob', 'carol']);
    expect(idsFor('acme', 'nobody')).toEqual([]);
    expect(idsFor('acme')).toEqual([]);
  });

  it('gives them a digest of their own, which the rights of others do not change', () => {
    const chosen = peopleFor(everybody, { tenant: 'acme', groups: ['reviewers'] });
    expect(chosen.digest).toBe(digestOf(chosen.persons));
    const fewer = peopleOf(...everybody.persons.slice(0, 2));
    expect(peopleFor(fewer, { tenant: 'acme', groups: ['reviewers'] }).digest).toBe(chosen.digest);
    expect(peopleFor(everybody, { tenant: 'rival', groups: ['reviewers'] }).digest).not.toBe(chosen.digest);
  });

  it('refuses more people than the state of a review can hold', () => {
    const many = peopleOf(...Array.from({ length: 2_000 }, (_, index) => personOf(`p${index}`, ann)));
    expect(() => peopleFor(many, { tenant: 'acme', groups: ['reviewers'] })).toThrow(`a review holds at most ${MAX_PEOPLE_BYTES}`);
    expect(peopleFor(peopleOf(...many.persons.slice(0, 150)), { tenant: 'acme', groups: ['reviewers'] }).persons).toHaveLength(150);
  });
});
