/** What keeps people from deciding, as `plan check` of a deployment and a worker that looks after reviews tell it. */
import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeKeyPair } from '../../src/review/keys.js';
import { runCli } from '../support/cli-io.js';

const PLAN =
  'plan: chat\nversion: 1\ntimeouts: { global: 60s }\ncritics: { one: { uses: scripted, stage: validation } }\nverdict: { otherwise: escalate }\n' +
  'review:\n  reviewers: { acknowledgement: [leads], determination: [board, legal] }\n';

let folder: string;
const at = (path: string): string => join(folder, path);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'people-'));
  await writeFile(at('a.yaml'), PLAN);
  await writeFile(at('tribunal.yaml'), 'plans: [a.yaml]\n');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const person = (id: string, groups: string, more = ''): string =>
  `  - { id: ${id}, groups: [${groups}], key: ${JSON.stringify(makeKeyPair().publicKey)}${more} }\n`;

async function check(reviewers: string, ...args: readonly string[]) {
  await writeFile(at('reviewers.yaml'), reviewers);
  const { exit, stdout } = await runCli(['plan', 'check', '--file', at('tribunal.yaml'), ...args]);
  return { exit, lines: stdout.replaceAll(`${folder}/`, '').trim().split('\n') };
}

describe('plan check of a deployment', () => {
  it('tells nothing of people who can decide', async () => {
    const reviewers = `people:\n${person('ann', 'leads, board')}${person('bob', 'legal')}`;
    expect(await check(reviewers)).toEqual({ exit: 0, lines: ['chat@1 is good: 1 critics'] });
  });

  it('finds nothing wrong with the first run of the papers', async () => {
    const [block = '', deployment = ''] = [...(await readFile('docs/reviews.md', 'utf8')).matchAll(/```yaml\n([^]*?)```/g)].map(
      ([, text]) => text,
    );
    await cp('templates/init', folder, { recursive: true });
    await appendFile(at('plans/replies.yaml'), block);
    await writeFile(at('tribunal.yaml'), deployment);
    const both = `people:\n${person('ann', 'leads, board')}${person('bob', 'leads, board')}`;
    expect(await check(both)).toEqual({ exit: 0, lines: ['replies@1 is good: 2 critics'] });
  });

  it('refuses a reviewers.yaml with a problem, at its place', async () => {
    const { exit, lines } = await check(`people:\n  - { id: ann, groups: [leads], key: short }\n`);
    expect(exit).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/^reviewers\.yaml:2:38 people\.0\.key is no Ed25519 public key/)]);
  });

  it('does not look at people where plan files are named', async () => {
    expect(await check('people: 7\n', at('a.yaml'))).toEqual({ exit: 0, lines: ['chat@1 is good: 1 critics'] });
  });

  it('warns of groups without anybody who decides, and of a determination that one person alone could vote on', async () => {
    const { exit, lines } = await check(`people:\n${person('ann', 'board')}${person('intake', 'leads, board', ', service: true')}`);
    expect({ exit, lines }).toEqual({
      exit: 0,
      lines: [
        'reviewers.yaml warning: nobody who decides is in the group leads, which the plan chat names for acknowledgement',
        'reviewers.yaml warning: nobody who decides is in the group legal, which the plan chat names for determination',
        'reviewers.yaml warning: a determination of the plan chat takes two people to proceed, and its groups board, legal have one: ann',
        'chat@1 is good: 1 critics',
      ],
    });
  });

  it('warns where there is no such file', async () => {
    const { exit, stdout } = await runCli(['plan', 'check', '--file', at('tribunal.yaml')]);
    expect(exit).toBe(0);
    expect(stdout).toContain('warning: nobody can decide reviews: there is no reviewers.yaml beside the deployment file');
  });
});

describe('more people than a review can hold', () => {
  const crowd = (tenants: (index: number) => string): string =>
    `people:\n${Array.from({ length: 320 }, (_, index) => person(`p${index}`, 'leads, board, legal', `, aliases: ['${index}${'x'.repeat(240)}', '${index}${'y'.repeat(240)}'], tenants: [${tenants(index)}]`)).join('')}`;

  it('are told of the tenant that has most of them', async () => {
    const { exit, lines } = await check(crowd((index) => (index < 10 ? 'rival' : 'acme')));
    expect(exit).toBe(0);
    expect(lines[0]).toMatch(/^reviewers\.yaml warning: no review of the plan chat can open: .* have 310 people of the tenant acme, /);
  });

  it('are not told where no tenant has so many', async () => {
    expect(await check(crowd((index) => (index % 2 === 0 ? 'rival' : 'acme')))).toMatchObject({ lines: ['chat@1 is good: 1 critics'] });
  });
});
