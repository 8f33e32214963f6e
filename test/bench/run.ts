/**
 * `npm run bench [-- scenario… --quick --db FILE --json FILE]`: measures tribunal beside two plain anchors and prints each
 * figure beside its goal. A missed goal is a line, not an exit code: figures are a machine's, and only their ratios travel.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { startDevServer } from '../../temporal/dev-server.js';
import type { Figure } from './measure.js';
import type { Bench, Scenario } from './scenario.js';
import { bundle } from './scenarios/bundle.js';
import { coldStart } from './scenarios/cold-start.js';
import { history } from './scenarios/history.js';
import { LIMITS } from './scenarios/limits.js';
import { latency } from './scenarios/latency.js';
import { load } from './scenarios/load.js';
import { planCheck } from './scenarios/plan-check.js';
import { REVIEWS } from './scenarios/review.js';
import { startVariant, type Variant, type VariantName } from './variants.js';

const SCENARIOS: readonly Scenario[] = [history, latency, load, bundle, planCheck, coldStart, ...LIMITS, ...REVIEWS];
const SHIPPED = fileURLToPath(new URL('../../dist/src/workflow-bundle.cjs', import.meta.url));
const WARM_UP = { quick: 2, usual: 15 };

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, db: { type: 'string' }, json: { type: 'string' } },
});

const say = (line = ''): void => void process.stdout.write(`${line}\n`);

/** `limits` means all of `limits/…`, `review` all of `review/…`. */
const isMeant = (name: string, { name: of }: Scenario): boolean => of === name || of.startsWith(`${name}/`);

function chosen(): readonly Scenario[] {
  const unknown = positionals.filter((name) => !SCENARIOS.some((scenario) => isMeant(name, scenario)));
  if (unknown.length > 0)
    throw new Error(`there is no scenario ${unknown.join(', ')}; there are ${SCENARIOS.map(({ name }) => name).join(', ')}`);
  return positionals.length === 0 ? SCENARIOS : SCENARIOS.filter((scenario) => positionals.some((name) => isMeant(name, scenario)));
}

async function makeBundles(folder: string): Promise<Bench['bundles']> {
  if (!existsSync(SHIPPED)) throw new Error(`${SHIPPED} is not there: run \`npm run build\` first`);
  const anchor = async (name: string): Promise<string> => {
    const workflowsPath = fileURLToPath(new URL(`./anchors/${name}.ts`, import.meta.url));
    return (await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') })).code;
  };
  const save = async (name: string, code: string): Promise<string> => {
    const path = join(folder, `${name}.cjs`);
    await writeFile(path, code);
    return path;
  };
  return {
    ours: SHIPPED,
    anchors: await save('anchors', await anchor('workflows')),
    empty: await save('empty', await anchor('empty')),
  };
}

/** Variants by name and width, each started and warmed once. */
function fleet(address: string, connection: Connection, bundles: Bench['bundles']): { get: Bench['variant']; stop(): Promise<void> } {
  const started = new Map<string, Promise<Variant>>();
  const make = async (name: VariantName, width: number): Promise<Variant> => {
    const variant = await startVariant({ name, address, connection, codePath: name === 'ours' ? bundles.ours : bundles.anchors, width });
    for (let times = 0; times < (options.quick ? WARM_UP.quick : WARM_UP.usual); times += 1) {
      await variant.evaluate('full');
      await variant.evaluate('gated');
    }
    return variant;
  };
  return {
    async get(name, width = 1) {
      const key = `${name} ${width}`;
      const known = started.get(key) ?? make(name, width);
      started.set(key, known);
      return await known;
    },
    async stop() {
      await Promise.allSettled([...started.values()].map(async (variant) => (await variant).stop()));
    },
  };
}

function print(scenario: Scenario, figures: readonly Figure[], loadBefore: string): void {
  say(`\n${scenario.title} (load ${loadBefore} before, ${loadNow()} after)`);
  const rows = figures.map(({ name, value, unit, spread, samples, goal, atLeast }) => [
    name,
    shown(value, unit),
    spread === undefined || spread[0] === spread[1] ? '' : `${shown(spread[0], unit)} to ${shown(spread[1], unit)}`,
    `n=${samples}`,
    goal === undefined
      ? ''
      : `goal ${atLeast ? 'at least ' : ''}${shown(goal, unit)}: ${(atLeast ? value >= goal : value <= goal) ? 'reached' : `missed by ${Math.round(Math.abs(value / goal - 1) * 100)}%`}`,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    say(
      `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`.trimEnd(),
    );
}

const loadNow = (): string => loadavg()[0]?.toFixed(1) ?? '?';

function shown(value: number, unit: Figure['unit']): string {
  const digits = unit === 'x' ? 2 : unit === 'MB' ? 3 : unit === '' || Math.abs(value) >= 100 ? 0 : 1;
  return `${value.toFixed(digits)}${unit === '' || unit === '/s' ? unit : ` ${unit}`}`;
}

async function main(): Promise<void> {
  const scenarios = chosen();
  const folder = await mkdtemp(join(tmpdir(), 'tribunal-bench-'));
  const bundles = await makeBundles(folder);
  const server = await startDevServer({ uiPort: false, ...(options.db !== undefined ? { dbFile: options.db } : {}), progress: say });
  const connection = await Connection.connect({ address: server.address });
  const variants = fleet(server.address, connection, bundles);
  const results: Record<string, readonly Figure[]> = {};
  try {
    const [cpu] = cpus();
    const machine = `${cpus().length} × ${cpu?.model ?? 'unknown'}, Node ${process.versions.node}, server ${options.db === undefined ? 'in memory' : 'in a file'}`;
    say(`${machine}${options.quick ? ', quick: too few samples to judge by' : ''}; load before ${loadNow()}`);
    for (const scenario of scenarios) {
      const loadBefore = loadNow();
      const figures = await scenario.run({
        address: server.address,
        connection,
        folder,
        quick: options.quick,
        bundles,
        variant: variants.get,
      });
      results[scenario.name] = figures;
      print(scenario, figures, loadBefore);
    }
    if (options.json !== undefined)
      await writeFile(options.json, `${JSON.stringify({ v: 1, machine, quick: options.quick, results }, null, 2)}\n`);
  } finally {
    await variants.stop();
    await connection.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
