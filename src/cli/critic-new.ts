/** `tribunal critic new`: a critic with a case beside it, named in the deployment file. */
import { randomUUID } from 'node:crypto';
import { chmod, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { isMap, isSeq, parseDocument, type Document } from 'yaml';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT, usageError } from './exit.js';
import { commandName, exists, readTemplate, writeNew } from './scaffold.js';

interface CriticNewOptions {
  readonly file: string;
  readonly ts?: boolean;
}

/** What the template calls its critic. */
const TEMPLATE_NAME = /my_critic/g;

export function addCriticNew(parent: Command, cli: Cli): void {
  const command = parent
    .command('new')
    .description('write critics/NAME.mjs (.mts with --ts) with a case, and name it in tribunal.yaml')
    .argument('<name>', 'name of the critic: [a-z][a-z0-9_]{0,63}')
    .option('--ts', 'in TypeScript, which needs the package tsx')
    .option('--file <path>', 'deployment file', 'tribunal.yaml');
  onRun<CriticNewOptions>(command, cli, runCriticNew);
}

async function runCriticNew({ options, args, io, output }: Call<CriticNewOptions>): Promise<number> {
  const [name = ''] = args;
  const { file } = options;
  if (!(await exists(file)))
    throw usageError(`${file}: there is no such file: write one with \`${commandName(io.env)} init\`, or name yours with --file`);
  const modules = await readModules(file);
  await refuseName(name, file, modules.known);
  // An ES module whatever the package.json above it says.
  const extension = options.ts === true ? 'mts' : 'mjs';
  const module = `critics/${name}.${extension}`;
  const text = withCritic(modules, module);
  const files = new Map<string, string>();
  for (const [path, template] of await readTemplate('critic')) {
    if (path.endsWith(extension === 'mts' ? '.mjs' : '.mts')) continue;
    files.set(join(dirname(file), 'critics', path.replace(TEMPLATE_NAME, name)), template.replace(TEMPLATE_NAME, name));
  }
  await writeNew(files, () => replace(file, text), file);
  if (output.json) {
    output.object({ critic: name, written: [...files.keys()], changed: file });
    return EXIT.ok;
  }
  for (const path of files.keys()) output.line(`written  ${path}`);
  const command = commandName(io.env);
  output.line(
    [
      `changed  ${file}`,
      '',
      'Next:',
      ...(options.ts === true ? ['  npm install tsx'] : []),
      `  ${command} critic test ${join(dirname(file), module)}`,
      `and give it a place in a plan, under "critics":`,
      `  ${name}: { uses: ${name}, stage: core_analysis }`,
    ].join('\n'),
  );
  return EXIT.ok;
}

/** By the rules that hold for plans, and against all critics that the deployment knows. @throws CliError in one sentence. */
async function refuseName(name: string, file: string, modules: readonly string[]): Promise<void> {
  const [{ loadPlan }, { registryOf }] = await Promise.all([import('../plan-loader.js'), import('../testing/registry.js')]);
  const registry = await registryOf(modules.map((module) => join(dirname(file), module)));
  const plan = {
    plan: 'name_check',
    version: 1,
    timeouts: { global: '1s' },
    critics: { [name]: { uses: 'scripted', stage: 'core_analysis' } },
    verdict: { otherwise: 'escalate' },
  };
  const checked = await loadPlan({ object: plan, name: 'name_check' }, registry);
  if (!checked.ok) throw usageError(checked.problems[0]?.message ?? `${JSON.stringify(name.slice(0, 80))} is not a name`);
  if (registry.names.includes(name)) throw usageError(`a critic called ${name} is known already: built in, or in a module of ${file}`);
}

interface Modules {
  readonly document: Document;
  /** As they are written: from the file's folder. */
  readonly known: readonly string[];
}

async function readModules(file: string): Promise<Modules> {
  const document: Document = parseDocument(await readFile(file, 'utf8'));
  const [problem] = document.errors;
  // Only the first line: the others quote the file.
  if (problem !== undefined) throw usageError(`${file}: ${problem.message.split('\n', 1)[0] ?? 'is not YAML'}`);
  if (!isMap(document.contents)) throw usageError(`${file}: is not a map with plans and critics`);
  const written: unknown = document.toJS().critics ?? [];
  if (Array.isArray(written) && written.every((one) => typeof one === 'string')) return { document, known: written };
  throw usageError(`${file}: critics is not a list of modules`);
}

/** The deployment file with one more module; comments stay. */
function withCritic({ document }: Modules, module: string): string {
  const critics: unknown = document.get('critics');
  if (isSeq(critics)) critics.add(document.createNode(module));
  else document.set('critics', document.createNode([module]));
  // Lines of comments and lists are left as long as they are.
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Whoever reads it meanwhile gets the old one or the new one, whole. A link stays one, and who may read the file stays as it was. */
async function replace(file: string, text: string): Promise<void> {
  const real = await realpath(file);
  const { mode } = await stat(real);
  const beside = `${real}.${randomUUID()}`;
  try {
    // Nobody else reads it before it has its mode, of which the umask takes nothing then.
    await writeFile(beside, text, { flag: 'wx', mode: 0o600 });
    await chmod(beside, mode);
    await rename(beside, real);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
