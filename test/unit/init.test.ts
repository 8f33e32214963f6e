/** `tribunal init` and `tribunal critic new`: what they write works, and nothing that is there is touched. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { loadDeployment } from '../../src/deployment.js';
import { parseRecords } from '../../src/cli/records.js';
import { runApart } from '../../src/testing/run-apart.js';
import { runCli } from '../support/cli-io.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tribunal-init-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
});

const at = (...path: string[]): string => join(folder, ...path);
const filesIn = (place: string): string[] =>
  readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1))
    .toSorted();
const init = () => runCli(['init', folder]);

describe('tribunal init', () => {
  it('writes a deployment that loads without a warning, with a critic that passes the suite and records that are in order', async () => {
    expect(await init()).toMatchObject({ exit: 0, stderr: '' });
    const deployment = await loadDeployment({ file: at('tribunal.yaml') });
    expect([...deployment.plans.keys()]).toEqual(['replies']);
    expect(deployment.warnings).toEqual([]);
    const results = await runApart(at('critics', 'promises.mjs'), { timeoutMs: 10_000 });
    expect(results.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(results.map(({ check }) => check)).toContain('finds what its case a-refund expects');
    for (const [file, count] of [
      ['replies.jsonl', 3],
      ['promise.json', 1],
    ] as const)
      expect(parseRecords(file, readFileSync(at('records', file), 'utf8'))).toHaveLength(count);
  });

  it('writes a plan whose cases all come to what they expect', async () => {
    await init();
    expect(await runCli(['plan', 'test', '--file', at('tribunal.yaml')])).toMatchObject({ exit: 0 });
  });

  it('says what it wrote and which commands come next', async () => {
    const { stdout } = await runCli(['init', folder], { env: { npm_command: 'exec' } });
    for (const file of filesIn(folder)) expect(stdout).toContain(at(file));
    expect(stdout).toMatch(/^ {2}npx tribunal dev /m);
    expect(stdout).toMatch(/^ {2}npx tribunal evaluate records\/promise\.json /m);
    expect(filesIn(folder)).toContain('.gitignore');
    expect(readFileSync(at('README.md'), 'utf8').trim().split('\n')).toHaveLength(5);
  });

  it('names every file that it would have to overwrite, and writes nothing', async () => {
    mkdirSync(at('plans'));
    writeFileSync(at('plans', 'replies.yaml'), 'mine');
    // A link to nowhere is there, too.
    symlinkSync(at('nowhere'), at('tribunal.yaml'));
    const { exit, stderr } = await init();
    expect(exit).toBe(2);
    expect(stderr).toContain(at('plans', 'replies.yaml'));
    expect(stderr).toContain(at('tribunal.yaml'));
    expect(readFileSync(at('plans', 'replies.yaml'), 'utf8')).toBe('mine');
    expect(readdirSync(folder).toSorted()).toEqual(['plans', 'tribunal.yaml']);
  });

  it('keeps a README and a .gitignore that are there, and says so', async () => {
    writeFileSync(at('README.md'), 'mine');
    writeFileSync(at('.gitignore'), 'mine');
    const { exit, stdout } = await init();
    expect(exit).toBe(0);
    expect(stdout).toContain(`kept     ${at('README.md')}`);
    expect([readFileSync(at('README.md'), 'utf8'), readFileSync(at('.gitignore'), 'utf8')]).toEqual(['mine', 'mine']);
  });

  it('takes back what it has written when a later file cannot be written, and leaves what was there', async () => {
    // A file where a folder is needed: `records` comes after critics and plans.
    writeFileSync(at('records'), 'mine');
    const { exit, stderr } = await init();
    expect(exit).toBe(1);
    expect(stderr).toMatch(/records.*cannot be written \((EEXIST|ENOTDIR)\)/);
    expect(filesIn(folder)).toEqual(['records']);
    expect(readdirSync(folder)).toEqual(['records']);
  });

  it('makes the folder that it is given, and takes it away again when it fails', async () => {
    expect(await runCli(['init', at('new', 'project')])).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^ {2}cd .*project$/m) });
    expect(existsSync(at('new', 'project', 'tribunal.yaml'))).toBe(true);
    writeFileSync(at('file'), '');
    expect(await runCli(['init', at('file', 'project')])).toMatchObject({ exit: 1, stdout: '' });
  });
});

describe('tribunal critic new', () => {
  const add = (...args: string[]) => runCli(['critic', 'new', ...args, '--file', at('tribunal.yaml')]);

  it('writes a critic with a case that passes the suite, and names it in the deployment, whose comments stay', async () => {
    await init();
    writeFileSync(
      at('tribunal.yaml'),
      '# mine\nplans: [plans/*.yaml] # all of them\n\n# critics of the shop\ncritics:\n  - critics/promises.mjs # the first\n',
    );
    expect(await add('tone_of_voice')).toMatchObject({ exit: 0, stderr: '' });
    expect(readFileSync(at('tribunal.yaml'), 'utf8')).toBe(
      '# mine\nplans: [plans/*.yaml] # all of them\n\n# critics of the shop\ncritics:\n  - critics/promises.mjs # the first\n  - critics/tone_of_voice.mjs\n',
    );
    expect((await loadDeployment({ file: at('tribunal.yaml') })).registry.names).toContain('tone_of_voice');
    const results = await runApart(at('critics', 'tone_of_voice.mjs'), { timeoutMs: 10_000 });
    expect(results.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(results.map(({ check }) => check)).toContain('finds what its case finds-it expects');
    expect(readdirSync(folder).filter((name) => name.startsWith('tribunal.yaml'))).toEqual(['tribunal.yaml']);
  });

  it('adds to a list on one line, and makes the list where there is none', async () => {
    await init();
    await add('one');
    expect(readFileSync(at('tribunal.yaml'), 'utf8')).toContain('critics: [critics/promises.mjs, critics/one.mjs]');
    writeFileSync(at('tribunal.yaml'), 'plans: [plans/*.yaml]\n');
    await add('two');
    expect(readFileSync(at('tribunal.yaml'), 'utf8')).toBe('plans: [plans/*.yaml]\ncritics:\n  - critics/two.mjs\n');
  });

  it('changes the file behind a link, and leaves the link and who may read the file as they are', async () => {
    await init();
    renameSync(at('tribunal.yaml'), at('shared.yaml'));
    chmodSync(at('shared.yaml'), 0o640);
    symlinkSync('shared.yaml', at('tribunal.yaml'));
    expect(await add('tone')).toMatchObject({ exit: 0 });
    expect(readlinkSync(at('tribunal.yaml'))).toBe('shared.yaml');
    expect(readFileSync(at('shared.yaml'), 'utf8')).toContain('critics/tone.mjs');
    expect(statSync(at('shared.yaml')).mode & 0o777).toBe(0o640);
  });

  it('writes TypeScript when asked, and says what that needs', async () => {
    await init();
    expect(await add('typed', '--ts')).toMatchObject({ exit: 0, stdout: expect.stringContaining('npm install tsx') });
    // `.ts` would be CommonJS in a folder of `npm init -y`.
    expect(filesIn(at('critics'))).toEqual(expect.arrayContaining(['typed.mts', 'cases/typed/finds-it/input.json']));
    expect(existsSync(at('critics', 'typed.mjs'))).toBe(false);
  });

  it('works while a plan already names the critic that is not there yet', async () => {
    await init();
    const plan = readFileSync(at('plans', 'replies.yaml'), 'utf8');
    writeFileSync(at('plans', 'replies.yaml'), plan.replace('critics: #', 'critics:\n  early: { uses: early, stage: core_analysis }\n  #'));
    expect(await add('early')).toMatchObject({ exit: 0 });
  });

  it.each([
    ['Shouting', 'is not a name'],
    ['../escape', 'is not a name'],
    ['in', 'keyword of CEL'],
    ['core_analysis', 'the name of a stage'],
    ['pii', 'is known already'],
    ['promises', 'is known already'],
    ['constructor', 'nothing may be called constructor'],
  ])('refuses the name %s in one sentence, and writes nothing', async (name, message) => {
    await init();
    const before = filesIn(folder);
    const { exit, stdout, stderr } = await add(name);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(filesIn(folder)).toEqual(before);
  });

  it.each([
    ['plans: [plans/*.yaml]\ncritics: all\n', 'critics is not a list of modules'],
    ['- plans\n', 'is not a map'],
    ['plans: [\n', 'tribunal.yaml: '],
  ])('leaves a deployment file as it is that says %j, and writes nothing', async (text, message) => {
    writeFileSync(at('tribunal.yaml'), text);
    expect(await add('tone')).toMatchObject({ exit: 2, stderr: expect.stringContaining(message) });
    expect(filesIn(folder)).toEqual(['tribunal.yaml']);
    expect(readFileSync(at('tribunal.yaml'), 'utf8')).toBe(text);
  });

  it('says where a deployment file comes from when there is none', async () => {
    expect(await add('tone')).toMatchObject({ exit: 2, stderr: expect.stringContaining('tribunal init') });
  });
});
