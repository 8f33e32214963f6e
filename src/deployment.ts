/**
 * A deployment: the plans and critics that its workers, its CLI and its tests load alike, from `tribunal.yaml` or options.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { z } from 'zod';
import { converterBeside } from './codec/converter-name.js';
import { DEFAULT_DEPLOYMENT, DEPLOYMENT_FORM } from './contract.js';
import { howToName, showTarget, type Target } from './critics/network/addresses.js';
import { loadCriticsModule } from './critics/module.js';
import { unnamedHosts } from './critics/network/plan-hosts.js';
import { makeRegistry, type CriticRegistry } from './critics/registry.js';
import { didYouMean } from './domain/nearest.js';
import type { Plan } from './domain/plan.js';
import type { NotifyChannel, NotifyChannels } from './domain/review/channels.js';
import type { PlanCase } from './domain/run-case.js';
import type { Tenants } from './domain/tenants.js';
import type { NamedLanes } from './lanes/lanes.js';
import { formatProblem, loadPlan, readPlanInput, readText, type LoadedPlan, type Problem } from './plan-loader.js';
import { unknownChannels, unnamedWebhooks } from './review/check-channels.js';
import { DeploymentSchema } from './schemas/deployment.js';
import { hostProblem } from './schemas/host.js';
import { parseWith } from './schemas/issues.js';
import { checkPlain } from './schemas/plain.js';
import { readYaml } from './schemas/plan-file.js';

const REVIEWERS_FILE = 'reviewers.yaml';
const DEPLOYMENT_FILE = 'tribunal.yaml';

export interface DeploymentOptions {
  /** Default: `tribunal.yaml` of the working directory; it need not be there when `plans` are given. */
  readonly file?: string;
  /** Plan files: beside those of a `file` that is named, else in their place. */
  readonly plans?: readonly string[];
  /** `plans` stand in the place of those of the file, also when it is named. */
  readonly plansAlone?: boolean;
  /** Critics modules beside those of the file. */
  readonly critics?: readonly string[];
  /** Hosts beside those of the file. */
  readonly hosts?: readonly string[];
  /** Instead of the file's name. */
  readonly name?: string;
}

export interface Deployment {
  readonly name: string;
  /** By the plan's name. */
  readonly plans: ReadonlyMap<string, Plan>;
  readonly registry: CriticRegistry;
  readonly warnings: readonly Problem[];
  /** Warnings for who looks at the plans, not for who uses them. */
  readonly advice: readonly Problem[];
  readonly priorityLevels: 10 | 5;
  /** Limits that critics of all plans share, by name. */
  readonly lanes: NamedLanes;
  /** Tenants whose weight is not 1. */
  readonly tenants: Tenants;
  /** Private hosts that critics may ask, and that may be notified. */
  readonly hosts: readonly string[];
  /** By which people and programs hear of reviews and verdicts, by name. */
  readonly notify: NotifyChannels;
  /** Path of the file of people who decide reviews; absent: there is none. */
  readonly reviewers?: string;
  /** `tribunal/codec`, or the path of a module: what all that Temporal records goes through. */
  readonly dataConverter?: string;
  /** Plan files, as they were named. */
  readonly files: readonly string[];
  /** By the plan's name: the file that it stands in and its `cases`, which no worker needs. */
  readonly sources: ReadonlyMap<string, PlanOrigin>;
}

export interface PlanOrigin {
  readonly file: string;
  readonly cases: readonly PlanCase[];
}

/** A deployment that cannot be used, with all reasons at once. */
export class DeploymentProblems extends Error {
  override readonly name = 'DeploymentProblems';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'));
  }
}

/** @throws DeploymentProblems with every problem of the file, the critics modules and all plans. */
export async function loadDeployment(options: DeploymentOptions = {}): Promise<Deployment> {
  const described = await describe(options);
  const registry = await loadRegistry(described.critics);
  const problems: Problem[] = [...described.warnings];
  const advice: Problem[] = [];
  const files = await plansOf(described.plans, problems);
  const plans = new Map<string, PlanOrigin & Pick<Loaded, 'plan' | 'placeOf'>>();
  for (const file of files) {
    const loaded = await attempt(file, problems, async () => loadPlan(await readPlanInput(file), registry));
    if (loaded === undefined) continue;
    problems.push(...(loaded.ok ? loaded.warnings : loaded.problems));
    if (!loaded.ok) continue;
    advice.push(...loaded.advice);
    const earlier = plans.get(loaded.plan.name);
    if (earlier === undefined) plans.set(loaded.plan.name, { plan: loaded.plan, file, cases: loaded.cases, placeOf: loaded.placeOf });
    else problems.push(whole(file, `a plan called ${loaded.plan.name} is already defined in ${earlier.file}`, 'plan'));
  }
  for (const { plan, file, placeOf } of plans.values())
    problems.push(
      ...(await unnamedIn(plan, file, registry, described.hosts)),
      ...laneProblems(plan, file, described.lanes),
      ...unknownChannels(plan.review, described.notify).map(({ path, message }) => ({
        ...whole(file, message, path.join('.')),
        ...placeOf(path),
      })),
    );
  if (problems.some((problem) => problem.severity === 'error')) throw new DeploymentProblems(problems);
  return {
    name: described.name,
    plans: new Map([...plans].map(([name, { plan }]) => [name, plan])),
    registry,
    warnings: problems,
    advice,
    priorityLevels: described.priorityLevels,
    lanes: described.lanes,
    tenants: described.tenants,
    hosts: described.hosts,
    notify: described.notify,
    ...(described.reviewers !== undefined ? { reviewers: described.reviewers } : {}),
    ...(described.dataConverter !== undefined ? { dataConverter: described.dataConverter } : {}),
    files,
    sources: new Map([...plans].map(([name, { file, cases }]) => [name, { file, cases }])),
  };
}

type Loaded = Extract<LoadedPlan, { readonly ok: true }>;

const whole = (file: string, message: string, path = ''): Problem => ({ file, path, message, severity: 'error' });

const privateAddress = (target: Target): string =>
  `${showTarget(target)} is a private address, and no worker starts before you ${howToName(target)}`;

/** Only a warning: who checks a plan file alone does not know the deployment. A worker of it does not start. */
async function unnamedIn(plan: Plan, file: string, registry: CriticRegistry, hosts: readonly string[]): Promise<Problem[]> {
  return (await unnamedHosts(plan.critics, registry, hosts)).map(({ critic, target }) => ({
    ...whole(file, privateAddress(target), `critics.${critic}.with`),
    severity: 'warning',
  }));
}

/** Errors of this project's loaders begin with the file they name. */
async function attempt<T>(file: string, problems: Problem[], load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'it threw something that is not an Error';
    problems.push(whole(file, message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message));
    return undefined;
  }
}

interface Described {
  readonly name: string;
  readonly plans: readonly string[];
  readonly critics: readonly string[];
  readonly hosts: readonly string[];
  readonly priorityLevels: 10 | 5;
  readonly lanes: NamedLanes;
  readonly dataConverter?: string;
  readonly tenants: Tenants;
  readonly notify: NotifyChannels;
  readonly reviewers?: string;
  readonly warnings: readonly Problem[];
}

/** What `tribunal.yaml` and the options say together; paths of the file start at its folder. */
async function describe(options: DeploymentOptions): Promise<Described> {
  const own = { plans: options.plans ?? [], critics: options.critics ?? [], hosts: checkedHosts(options.hosts) };
  const isThere = options.file !== undefined || own.plans.length === 0 || (await exists(DEPLOYMENT_FILE));
  if (!isThere)
    return { name: checkedName(options.name, 'options'), ...own, priorityLevels: 10, lanes: {}, tenants: {}, notify: {}, warnings: [] };
  const file = options.file ?? DEPLOYMENT_FILE;
  const { value: written, yaml } = await readDeploymentFile(file, options.file !== undefined);
  const beside = (path: string): string => join(dirname(file), path);
  const alone = own.plans.length > 0 && (options.plansAlone === true || options.file === undefined);
  const hosts = [...(written.hosts ?? []), ...own.hosts];
  const notify = notifyChannels(written.notify, file);
  const reviewers = await reviewersOf(written.reviewers, file);
  return {
    name: checkedName(options.name ?? written.name, file),
    plans: alone ? own.plans : [...written.plans.map(beside), ...own.plans],
    critics: [...(written.critics ?? []).map(beside), ...own.critics],
    hosts,
    priorityLevels: written.priorityLevels ?? 10,
    lanes: namedLanes(written.lanes),
    ...(written.dataConverter !== undefined ? { dataConverter: converterBeside(file, written.dataConverter) } : {}),
    tenants: written.tenants ?? {},
    notify,
    ...(reviewers !== undefined ? { reviewers } : {}),
    warnings: unnamedWebhooks(notify, hosts).map(({ channel, target }) => ({
      ...whole(file, privateAddress(target), `notify.${channel}.webhook`),
      severity: 'warning',
      ...yaml.position(['notify', channel, 'webhook']),
    })),
  };
}

/** The file that is named, else the one that lies beside the deployment's. What stands in it is read by every review anew. */
async function reviewersOf(written: string | undefined, deploymentFile: string): Promise<string | undefined> {
  const path = resolve(dirname(deploymentFile), written ?? REVIEWERS_FILE);
  return written !== undefined || (await exists(path)) ? path : undefined;
}

/** Paths start at the folder of the file, and mean the same wherever the process goes. */
function notifyChannels(written: z.output<typeof DeploymentSchema>['notify'] = {}, deploymentFile: string): NotifyChannels {
  const channels = Object.entries(written).map(([name, { webhook, secretEnv, file, events }]): [string, NotifyChannel] => {
    const heard = events !== undefined ? { events } : {};
    if (webhook !== undefined && secretEnv !== undefined) return [name, { webhook, secretEnv, ...heard }];
    return [name, file !== undefined ? { file: resolve(dirname(deploymentFile), file), ...heard } : { log: true, ...heard }];
  });
  return Object.fromEntries(channels);
}

function namedLanes(written: z.output<typeof DeploymentSchema>['lanes'] = {}): NamedLanes {
  const lanes = Object.entries(written).map(([name, { maxConcurrent, rateLimitPerSecond, circuit }]): [string, NamedLanes[string]] => [
    name,
    {
      ...(maxConcurrent !== undefined ? { maxConcurrent } : {}),
      ...(rateLimitPerSecond !== undefined ? { rateLimitPerSecond } : {}),
      ...(circuit !== undefined ? { circuit } : {}),
    },
  ]);
  return Object.fromEntries(lanes);
}

/** A plan may only be narrower than the lanes that it uses. */
function laneProblems(plan: Plan, file: string, lanes: NamedLanes): Problem[] {
  return plan.critics.flatMap((critic) => {
    if (critic.lane === undefined) return [];
    const lane = lanes[critic.lane];
    const names = Object.keys(lanes).toSorted();
    if (lane === undefined)
      return [
        whole(
          file,
          `the deployment has no lane ${critic.lane}${didYouMean(critic.lane, names)}; ${names.length === 0 ? 'its file has no `lanes:`' : `known are ${names.join(', ')}`}`,
          `critics.${critic.name}.lane`,
        ),
      ];
    const wider = (['maxConcurrent', 'rateLimitPerSecond'] as const).filter((field) => (critic[field] ?? 0) > (lane[field] ?? Infinity));
    return wider.map((field) =>
      whole(file, `the lane ${critic.lane ?? ''} of the deployment allows only ${lane[field] ?? ''}`, `critics.${critic.name}.${field}`),
    );
  });
}

function checkedHosts(hosts: readonly string[] = []): readonly string[] {
  const problems = hosts.flatMap((host) => hostProblem(host) ?? []);
  if (problems.length > 0) throw new DeploymentProblems(problems.map((message) => whole('options', message, 'hosts')));
  return hosts;
}

function checkedName(name = DEFAULT_DEPLOYMENT, file: string): string {
  if (DEPLOYMENT_FORM.test(name)) return name;
  throw new DeploymentProblems([
    whole(file, `${JSON.stringify(name)} is not the name of a deployment: write ${DEPLOYMENT_FORM.source}`, 'name'),
  ]);
}

async function readDeploymentFile(file: string, named: boolean) {
  if (!named && !(await exists(file))) {
    throw new DeploymentProblems([
      whole(
        file,
        'there is no such file here: name plan files (of `plan` commands as arguments, else with --plan FILE), or write a tribunal.yaml with the line: plans: [plans/*.yaml]',
      ),
    ]);
  }
  const problems: Problem[] = [];
  const text = await attempt(file, problems, async () => readText(file));
  if (text === undefined) throw new DeploymentProblems(problems);
  const yaml = readYaml(text);
  if (!yaml.ok) throw new DeploymentProblems(yaml.problems.map((problem) => ({ ...whole(file, ''), ...problem })));
  const plain = checkPlain(yaml.value);
  const parsed = plain.issues.length > 0 ? { ok: false as const, issues: plain.issues } : parseWith(DeploymentSchema, yaml.value);
  if (parsed.ok) return { value: parsed.value, yaml };
  throw new DeploymentProblems(
    parsed.issues.map(({ path, message, atKey }) => ({
      ...whole(file, message, path.join('.')),
      ...yaml.position(path, { atKey: atKey === true }),
    })),
  );
}

const exists = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function loadRegistry(modules: readonly string[]): Promise<CriticRegistry> {
  const problems: Problem[] = [];
  const loaded = await Promise.all([...new Set(modules)].map(async (path) => attempt(path, problems, async () => loadCriticsModule(path))));
  // Without all critics every plan that uses them would be refused for a reason that is not its own.
  if (problems.length > 0) throw new DeploymentProblems(problems);
  const registry = await attempt('', problems, async () => makeRegistry(loaded.flatMap((critics) => critics ?? [])));
  if (registry === undefined) throw new DeploymentProblems(problems);
  return registry;
}

/** The plan files that paths and patterns name, each once. */
async function plansOf(patterns: readonly string[], problems: Problem[]): Promise<string[]> {
  const files = new Set<string>();
  for (const pattern of patterns) {
    for (const file of (await attempt(pattern, problems, async () => filesOf(pattern))) ?? []) files.add(file);
  }
  return [...files];
}

async function filesOf(pattern: string): Promise<string[]> {
  if (!/[*?{}[\]]/.test(pattern)) return [pattern];
  const folder = dirname(pattern);
  const [prefix = '', suffix, ...more] = basename(pattern).split('*');
  if (suffix === undefined || more.length > 0 || /[*?{}[\]]/.test(folder + prefix + suffix)) {
    throw new Error(`${pattern}: only paths and one * in the file name are understood, such as plans/*.yaml`);
  }
  const names = await readdir(folder).catch(() => []);
  const matching = names.filter((name) => name.length >= prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix));
  if (matching.length === 0) throw new Error(`${pattern}: no file matches`);
  return matching.toSorted().map((name) => join(folder, name));
}
