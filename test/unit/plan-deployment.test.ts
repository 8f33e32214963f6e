/** Deployments: what `tribunal.yaml` and the options name, loaded from real files. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeploymentProblems, loadDeployment, type DeploymentOptions } from '../../src/deployment.js';
import { formatProblem } from '../../src/plan-loader.js';

const PLAN = (name: string, uses = 'own'): string =>
  `plan: ${name}\nversion: 1\ntimeouts: { global: 60s }\ncritics: { one: { uses: ${uses}, stage: validation } }\nverdict: { otherwise: allow }\n`;
const CRITICS = (name: string): string =>
  `export default [{ name: '${name}', version: '1.0.0', evaluate: () => ({ severity: 0, violations: [] }) }];\n`;

let folder: string;
const at = (path: string): string => join(folder, path);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'deployment-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), text);
  }
}

/** The lines of all problems, without the folder. */
async function refused(options: DeploymentOptions): Promise<readonly string[]> {
  const error: unknown = await loadDeployment(options).catch((reason: unknown) => reason);
  if (!(error instanceof DeploymentProblems)) throw error;
  return error.problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, ''));
}

describe('a deployment', () => {
  it('holds the plans and critics that its file names, relative to the file', async () => {
    await write({
      'tribunal.yaml':
        'name: shop\nplans: [plans/*.yaml, more.mjs]\ncritics: [own.mjs]\npriorityLevels: 5\ntenants: { acme: { weight: 3 } }\n',
      'plans/b.yaml': PLAN('b'),
      'plans/a.yaml': PLAN('a'),
      'plans/plan.schema.json': '{}',
      'more.mjs': `export default { plan: 'm', version: 1, timeouts: { global: '1s' }, critics: { one: { uses: 'own', stage: 'validation', maxRetries: 0 } }, verdict: { otherwise: 'allow' } };\n`,
      'own.mjs': CRITICS('own'),
    });
    const deployment = await loadDeployment({ file: at('tribunal.yaml') });
    expect(deployment).toMatchObject({
      name: 'shop',
      priorityLevels: 5,
      tenants: { acme: { weight: 3 } },
      warnings: [],
      files: [at('plans/a.yaml'), at('plans/b.yaml'), at('more.mjs')],
    });
    expect([...deployment.plans.keys()]).toEqual(['a', 'b', 'm']);
    expect(deployment.plans.get('a')).toMatchObject({ name: 'a', critics: [{ uses: 'own', version: '1.0.0' }] });
    expect(deployment.registry.names).toContain('own');
  });

  it('needs no file when options name everything', async () => {
    await write({ 'a.yaml': PLAN('a'), 'own.mjs': CRITICS('own') });
    const deployment = await loadDeployment({ plans: [at('a.yaml')], critics: [at('own.mjs')] });
    expect(deployment).toMatchObject({ name: 'tribunal', priorityLevels: 10, tenants: {} });
    expect([...deployment.plans.keys()]).toEqual(['a']);
  });

  it('knows its critics for plan files that are named: in the place of its own plans, or beside them', async () => {
    await write({
      'tribunal.yaml': 'name: shop\nplans: [a.yaml]\ncritics: [own.mjs]\n',
      'a.yaml': PLAN('a'),
      'b.yaml': PLAN('b'),
      'own.mjs': CRITICS('own'),
    });
    const namesOf = async (options: DeploymentOptions): Promise<string[]> => [...(await loadDeployment(options)).plans.keys()];
    expect(await namesOf({ file: at('tribunal.yaml'), plans: [at('b.yaml')], plansAlone: true })).toEqual(['b']);
    expect(await namesOf({ file: at('tribunal.yaml'), plans: [at('b.yaml')] })).toEqual(['a', 'b']);
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(await namesOf({ plans: ['b.yaml'] })).toEqual(['b']);
      expect((await loadDeployment({ plans: ['b.yaml'] })).name).toBe('shop');
    } finally {
      process.chdir(before);
    }
  });

  it('takes what options name beside its file, and their name instead of its own', async () => {
    await write({ 'tribunal.yaml': 'name: shop\nplans: [a.yaml]\n', 'a.yaml': PLAN('a'), 'b.yaml': PLAN('b'), 'own.mjs': CRITICS('own') });
    const deployment = await loadDeployment({
      file: at('tribunal.yaml'),
      plans: [at('b.yaml'), at('a.yaml')],
      critics: [at('own.mjs')],
      name: 'other',
    });
    expect(deployment.name).toBe('other');
    expect(deployment.files).toEqual([at('a.yaml'), at('b.yaml')]);
  });

  it('carries the warnings of its plans', async () => {
    await write({ 'a.yaml': PLAN('a').replace('60s', '3s'), 'own.mjs': CRITICS('own') });
    const { warnings } = await loadDeployment({ plans: [at('a.yaml')], critics: [at('own.mjs')] });
    expect(warnings.map((warning) => warning.message)).toEqual(['retry 2 of one can never start: needs 6 s, has 3 s']);
  });
});

describe('the hosts of a deployment', () => {
  const ASKING = (url: string): string => PLAN('a', `http, with: { url: '${url}' }`);

  it('are those of its file and of the options', async () => {
    await write({
      'tribunal.yaml': "plans: [a.yaml]\nhosts: ['judge.internal', '10.0.0.7:8080']\n",
      'a.yaml': ASKING('http://10.0.0.7:8080/'),
    });
    const deployment = await loadDeployment({ file: at('tribunal.yaml'), hosts: ['[fd00::7]:80'] });
    expect(deployment).toMatchObject({ hosts: ['judge.internal', '10.0.0.7:8080', '[fd00::7]:80'], warnings: [] });
  });

  it.each([
    ['http://127.0.0.1:8080/judge', '127.0.0.1:8080'],
    ['http://localhost/judge', 'localhost:80'],
    ['https://api.localhost/judge', 'api.localhost:443'],
    ['http://2852039166/latest', '169.254.169.254:80'],
    ['https://[::ffff:192.168.0.1]/', '[::ffff:c0a8:1]:443'],
  ])('lack %s, which is a warning that says where to name it', async (url, host) => {
    await write({ 'a.yaml': ASKING(url) });
    const { warnings } = await loadDeployment({ plans: [at('a.yaml')], hosts: ['127.0.0.1:81'] });
    expect(warnings).toMatchObject([{ path: 'critics.one.with', severity: 'warning', file: at('a.yaml') }]);
    expect(warnings[0]?.message).toContain(
      `${host} is a private address, and no worker starts before you name it in the deployment: hosts: ['${host}'] in tribunal.yaml, or --allow-host ${host}`,
    );
  });

  it('need not name what is public, nor a name, which is looked up when it is asked', async () => {
    await write({ 'a.yaml': ASKING('https://93.184.215.14/'), 'b.yaml': ASKING('https://judge.internal/').replace('plan: a', 'plan: b') });
    expect((await loadDeployment({ plans: [at('*.yaml')] })).warnings).toEqual([]);
  });

  it('are refused with their place when they are none', async () => {
    await write({
      'tribunal.yaml': "plans: [a.yaml]\nhosts: ['judge.internal', 'http://x']\n",
      'a.yaml': ASKING('https://judge.example/'),
    });
    expect(await refused({ file: at('tribunal.yaml') })).toEqual([
      expect.stringMatching(/^tribunal.yaml:2:27 hosts.1 "http:\/\/x" is no host: write /),
    ]);
    expect(await refused({ plans: [at('a.yaml')], hosts: ['10.0.0.0/8'] })).toEqual([
      expect.stringMatching(/^options hosts "10.0.0.0\/8" is no host: write /),
    ]);
  });
});

describe('a deployment that cannot be used', () => {
  it('is refused with the problems of all its plans at once', async () => {
    await write({ 'a.yaml': PLAN('a', 'nowhere'), 'b.yaml': `${PLAN('b')}extra: 1\n`, 'c.yaml': PLAN('c'), 'own.mjs': CRITICS('own') });
    expect(await refused({ plans: [at('*.yaml'), at('missing.yaml')], critics: [at('own.mjs')] })).toEqual([
      expect.stringMatching(/^a.yaml:4:25 critics.one.uses there is no implementation called "nowhere"; known are /),
      expect.stringMatching(/^b.yaml:6:1 extra unknown field "extra"/),
      'missing.yaml cannot be read: there is no such file',
    ]);
  });

  it('is refused when two plans have one name, naming both files', async () => {
    await write({ 'a.yaml': PLAN('same'), 'b.yaml': PLAN('same'), 'own.mjs': CRITICS('own') });
    expect(await refused({ plans: [at('a.yaml'), at('b.yaml')], critics: [at('own.mjs')] })).toEqual([
      'b.yaml plan a plan called same is already defined in a.yaml',
    ]);
  });

  it('is refused when a critics module is missing, broken or doubled', async () => {
    await write({ 'a.yaml': PLAN('a'), 'own.mjs': CRITICS('own'), 'again.mjs': CRITICS('own'), 'broken.mjs': 'export default 7;\n' });
    const plans = [at('a.yaml')];
    expect(await refused({ plans, critics: [at('missing.mjs'), at('broken.mjs')] })).toEqual([
      expect.stringMatching(/^missing.mjs cannot be loaded: /),
      'broken.mjs must have a default export that is a list of critics: export default [defineCritic({ … })]',
    ]);
    expect(await refused({ plans, critics: [at('own.mjs'), at('again.mjs')] })).toEqual([
      'again.mjs: a critic called own is already defined in own.mjs',
    ]);
  });

  it('is refused for patterns beyond one star, and for patterns that match nothing', async () => {
    await mkdir(at('plans'));
    expect(await refused({ plans: [at('**/*.yaml'), at('plans/?.yaml'), at('plans/*.yaml')] })).toEqual([
      '**/*.yaml only paths and one * in the file name are understood, such as plans/*.yaml',
      'plans/?.yaml only paths and one * in the file name are understood, such as plans/*.yaml',
      'plans/*.yaml no file matches',
    ]);
  });

  it('is refused with lines when its file is wrong', async () => {
    await write({ 'tribunal.yaml': 'plan: [a.yaml]\npriorityLevels: 7\n' });
    expect(await refused({ file: at('tribunal.yaml') })).toEqual([
      'tribunal.yaml:1:1 plans is missing: it must be a list',
      'tribunal.yaml:2:17 priorityLevels must be 10 or 5: the priority levels of the server',
      'tribunal.yaml:1:1 plan unknown field "plan"; did you mean "plans"?',
    ]);
    await write({
      'tribunal.yaml': 'plans: [a.yaml]\ntenants:\n  acme: { weight: 0 }\n  b: { weight: 1001 }\n  c: {}\n  a/b: { weight: 1 }\n',
    });
    expect(await refused({ file: at('tribunal.yaml') })).toEqual([
      'tribunal.yaml:3:19 tenants.acme.weight must be at least 0.001, is 0',
      'tribunal.yaml:4:16 tenants.b.weight must be at most 1000, is 1001',
      'tribunal.yaml:5:3 tenants.c.weight is missing: it must be a number',
      'tribunal.yaml:6:8 tenants.a/b is not the name of a tenant: write ^[A-Za-z0-9._-]{1,64}$',
    ]);
    await write({ 'tribunal.yaml': 'plans: [a.yaml\n' });
    expect(await refused({ file: at('tribunal.yaml') })).toEqual([expect.stringMatching(/^tribunal.yaml:\d+:\d+ /)]);
  });

  it('is refused for a name that no task queue could have', async () => {
    await write({ 'a.yaml': PLAN('a') });
    expect(await refused({ plans: [at('a.yaml')], name: 'A B' })).toEqual([
      expect.stringMatching(/^options name "A B" is not the name of a deployment/),
    ]);
  });

  it('says what to do when there is nothing to load', async () => {
    expect(await refused({ file: at('other.yaml') })).toEqual(['other.yaml cannot be read: there is no such file']);
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(await refused({})).toEqual([
        expect.stringMatching(/^tribunal.yaml there is no such file here: name plan files .*, or write a tribunal.yaml/),
      ]);
    } finally {
      process.chdir(before);
    }
  });
});

describe('the lanes of a deployment', () => {
  const using = (name: string, critic: string, limits = ''): string =>
    `plan: ${name}\nversion: 1\n${limits}timeouts: { global: 60s }\ncritics: { one: { uses: scripted, stage: validation, ${critic} } }\nverdict: { otherwise: allow }\n`;

  it('are limits that critics of all its plans may name', async () => {
    await write({
      'tribunal.yaml':
        'plans: [plan.yaml]\nlanes: { openai: { maxConcurrent: 40, rateLimitPerSecond: 8 }, local_model: { maxConcurrent: 1, circuit: off } }\n',
      'plan.yaml': using('p', 'lane: openai, maxConcurrent: 4'),
    });
    const deployment = await loadDeployment({ file: at('tribunal.yaml') });
    expect(deployment.lanes).toEqual({
      openai: { maxConcurrent: 40, rateLimitPerSecond: 8 },
      local_model: { maxConcurrent: 1, circuit: 'off' },
    });
    expect(deployment.plans.get('p')?.critics[0]).toMatchObject({ lane: 'openai', maxConcurrent: 4 });
  });

  it.each([
    [
      'a lane that is not there',
      'lane: opnai',
      '',
      'critics.one.lane the deployment has no lane opnai; did you mean "openai"?; known are openai',
    ],
    [
      'a plan that allows itself more',
      'lane: openai, maxConcurrent: 41',
      '',
      'critics.one.maxConcurrent the lane openai of the deployment allows only 40',
    ],
    [
      'a faster plan',
      'lane: openai, rateLimitPerSecond: 9',
      '',
      'critics.one.rateLimitPerSecond the lane openai of the deployment allows only 8',
    ],
    ['a local critic', 'lane: openai, dispatch: local', '', 'lane does not go with dispatch local: local critics have no limits'],
    [
      'limits of each worker',
      'lane: openai',
      'limits: { scope: worker }\n',
      'one uses a lane of the deployment, whose limits hold over all workers; limits.scope is worker',
    ],
  ])('refuse %s', async (_what, critic, limits, message) => {
    await write({
      'tribunal.yaml': 'plans: [plan.yaml]\nlanes: { openai: { maxConcurrent: 40, rateLimitPerSecond: 8 } }\n',
      'plan.yaml': using('p', critic, limits),
    });
    expect(await refused({ file: at('tribunal.yaml') })).toEqual([expect.stringContaining(message)]);
  });

  it.each([
    'lanes: { openai: {} }',
    'lanes: { openai: { circuit: off } }',
    'lanes: { openai: { maxConcurrent: 1, circuit: on } }',
    'lanes: { openai: { maxConcurrent: 0 } }',
    'lanes: { OpenAI: { maxConcurrent: 1 } }',
  ])('of another form are refused: %s', async (lanes) => {
    await write({ 'tribunal.yaml': `plans: [plan.yaml]\n${lanes}\n`, 'plan.yaml': using('p', 'priority: 1') });
    expect(await refused({ file: at('tribunal.yaml') })).toEqual([expect.stringMatching(/^tribunal\.yaml:\d+:\d+ lanes\./)]);
  });
});
