/** The `notify:` of a deployment: channels as its file writes them, and what is wrong with them, with its place. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeploymentProblems, loadDeployment, type Deployment } from '../../src/deployment.js';
import type { LadderRung } from '../../src/domain/review/policy.js';
import { formatProblem } from '../../src/plan-loader.js';
import { lackingHere, unknownChannels, unnamedWebhooks } from '../../src/review/check-channels.js';

const PLAN =
  'plan: a\nversion: 1\ntimeouts: { global: 60s }\ncritics: { one: { uses: scripted, stage: validation } }\nverdict: { otherwise: allow }\n';

let folder: string;
const at = (path: string): string => join(folder, path);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'notify-'));
  await writeFile(at('a.yaml'), PLAN);
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function load(notify: string, options: { readonly hosts?: readonly string[] } = {}): Promise<Deployment> {
  await writeFile(at('tribunal.yaml'), `plans: [a.yaml]\n${notify}`);
  return await loadDeployment({ file: at('tribunal.yaml'), ...options });
}

async function refused(notify: string): Promise<readonly string[]> {
  const error: unknown = await load(notify).catch((reason: unknown) => reason);
  if (!(error instanceof DeploymentProblems)) throw error;
  return error.problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ''));
}

describe('the channels of a deployment', () => {
  it('are those of its file, whose folder paths start at', async () => {
    const { notify, warnings } = await load(
      [
        'notify:',
        "  oncall: { webhook: 'https://hook.example/x', secretEnv: HOOK_SECRET }",
        '  leads: { file: notices.jsonl }',
        '  far: { file: /var/log/notices.jsonl }',
        '  console: { log: true }',
        "  app: { webhook: 'https://app.example/', secretEnv: APP, events: [verdict, review_decided] }",
        '',
      ].join('\n'),
    );
    expect(notify).toEqual({
      oncall: { webhook: 'https://hook.example/x', secretEnv: 'HOOK_SECRET' },
      leads: { file: at('notices.jsonl') },
      far: { file: '/var/log/notices.jsonl' },
      console: { log: true },
      app: { webhook: 'https://app.example/', secretEnv: 'APP', events: ['verdict', 'review_decided'] },
    });
    expect(warnings).toEqual([]);
  });

  it('are none where nothing says so', async () => {
    expect((await load('')).notify).toEqual({});
    expect((await loadDeployment({ plans: [at('a.yaml')] })).notify).toEqual({});
  });

  it.each([
    ['a: {}', '3:6 notify.a goes nowhere: write webhook, file or log'],
    ['a: { events: [verdict] }', '3:6 notify.a goes nowhere: write webhook, file or log'],
    ['a: { file: x, log: true }', '3:6 notify.a goes to file and log: write one of them, and make a channel for each other one'],
    ["a: { webhook: 'https://x.example/' }", '3:3 notify.a.secretEnv is missing: a webhook is signed, so write the name of a secret'],
    ['a: { log: true, secretEnv: X }', '3:30 notify.a.secretEnv goes with webhook alone: nothing else is signed'],
    ['a: { log: false }', '3:13 notify.a.log can only be true'],
    ["a: { file: '' }", '3:14 notify.a.file must be at least 1 character long, is ""'],
    ['a: { log: true, events: [] }', '3:27 notify.a.events must be at least 1 entry long, is a list'],
    ['a: { log: true, events: [review_opened] }', '3:28 notify.a.events.0 must be one of verdict, review_decided, is "review_opened"'],
    ['a: { log: true, events: [verdict, verdict] }', '3:27 notify.a.events names an event twice'],
    [
      'a: { log: true, colour: red }',
      '3:19 notify.a.colour unknown field "colour": known fields are webhook, secretEnv, file, log, events',
    ],
    ['On-Call: { log: true }', '3:12 notify.On-Call is not the name of a channel: write ^[a-z][a-z0-9_-]{0,63}$'],
  ])('of another form are refused with their place: %s', async (channel, message) => {
    expect(await refused(`notify:\n  ${channel}\n`)).toEqual([`tribunal.yaml:${message}`]);
  });

  it.each([
    [
      "{ webhook: 'https://ann:secret-word@x.example/', secretEnv: X }",
      'webhook must not hold a user name or password: the name of a secret is',
    ],
    ["{ webhook: 'ftp://secret-word.example/', secretEnv: X }", 'webhook must begin with http:// or https://'],
    ["{ webhook: '/hook/secret-word', secretEnv: X }", 'webhook is not an absolute URL'],
    ["{ webhook: 'https://x.example/', secretEnv: secret-word }", 'secretEnv must be the name of a secret, of the form'],
  ])('are refused without a word of what may be a secret: %s', async (channel, message) => {
    const [problem = '', ...more] = await refused(`notify:\n  a: ${channel}\n`);
    expect(problem).toContain(message);
    expect(problem).toMatch(/^tribunal\.yaml:3:\d+ notify\.a\./);
    expect(problem).not.toContain('secret-word');
    expect(more).toEqual([]);
  });

  it('with a private address need a word of the deployment: a warning with its place says so', async () => {
    const notify = "notify:\n  a: { webhook: 'http://127.0.0.1:8080/secret-word', secretEnv: X }\n";
    const { warnings } = await load(notify);
    expect(warnings.map((warning) => formatProblem(warning).replaceAll(`${folder}/`, ''))).toEqual([
      expect.stringMatching(
        /^tribunal\.yaml:3:17 notify\.a\.webhook warning: 127\.0\.0\.1:8080 is a private address, and no worker starts before you name it/,
      ),
    ]);
    expect(warnings[0]?.message).not.toContain('secret-word');
    expect((await load(`hosts: ['127.0.0.1:8080']\n${notify}`)).warnings).toEqual([]);
    expect((await load(notify, { hosts: ['127.0.0.1'] })).warnings).toEqual([]);
    expect(unnamedWebhooks((await load(notify)).notify, [])).toMatchObject([{ channel: 'a', target: { port: 8080 } }]);
  });
});

describe('the ladder of a plan', () => {
  const rung = (notify: string): LadderRung => ({ afterMs: 1, notify });

  it('names channels of the deployment', () => {
    expect(unknownChannels(undefined, {})).toEqual([]);
    expect(unknownChannels({ ladder: [rung('leads')] }, { leads: { log: true } })).toEqual([]);
  });

  it('is refused for one that is not there', () => {
    const channels = { leads: { log: true }, oncall: { log: true } } as const;
    expect(unknownChannels({ ladder: [rung('leads'), rung('oncal'), rung('constructor')] }, channels)).toEqual([
      {
        path: ['review', 'ladder', 1, 'notify'],
        message: 'the deployment has no channel oncal; did you mean "oncall"?; known are leads, oncall',
      },
      { path: ['review', 'ladder', 2, 'notify'], message: 'the deployment has no channel constructor; known are leads, oncall' },
    ]);
    expect(unknownChannels({ ladder: [rung('leads')] }, {})).toEqual([
      { path: ['review', 'ladder', 0, 'notify'], message: 'the deployment has no channel leads; its file has no `notify:`' },
    ]);
  });
});

describe('the ladder of a plan file', () => {
  it('is refused at its place for a channel that is not there', async () => {
    await writeFile(
      at('a.yaml'),
      `${PLAN}review:\n  reviewers: { acknowledgement: [a], determination: [a] }\n  ladder:\n    - { after: 1h, notify: leads }\n`,
    );
    expect(await refused('')).toContain(
      'a.yaml:9:28 review.ladder.0.notify the deployment has no channel leads; its file has no `notify:`',
    );
  });
});

describe('a worker', () => {
  it('says which secrets and folders of channels it lacks', async () => {
    await mkdir(at('there'));
    const channels = {
      oncall: { webhook: 'https://x.example/', secretEnv: 'HOOK' },
      app: { webhook: 'https://x.example/', secretEnv: 'APP' },
      near: { file: at('there/n.jsonl') },
      far: { file: at('nowhere/n.jsonl') },
      console: { log: true },
    } as const;
    expect(await lackingHere(channels, (name) => (name === 'APP' ? 'x' : undefined))).toEqual([
      'channel oncall: there is no secret called HOOK: set TRIBUNAL_SECRET_HOOK',
      'channel far: the folder of its file is not there',
    ]);
  });
});
