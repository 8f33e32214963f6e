/** What is assessed: a plan of a deployment, or single critics in a plan made for them. */
import { loadCriticsModule } from '../critics/module.js';
import { makeRegistry, type CriticRegistry } from '../critics/registry.js';
import { loadDeployment, type DeploymentOptions } from '../deployment.js';
import type { Json } from '../domain/finding.js';
import type { Plan } from '../domain/plan.js';
import { formatProblem, loadPlan } from '../plan-loader.js';

export interface Subject {
  readonly plan: Plan;
  /** Whether the plan's verdict and gates are assessed; single critics have none. */
  readonly hasVerdict: boolean;
  readonly registry: CriticRegistry;
  /** Private hosts that critics may ask. */
  readonly hosts: readonly string[];
  readonly warnings: readonly string[];
}

/** What was asked for cannot be assessed. */
export class SubjectProblem extends Error {
  override readonly name = 'SubjectProblem';
}

/** Time of one attempt of a single critic that calls out: a slow judge answers within it. In a plan its own limit holds. */
const SINGLE_ATTEMPT = '30s';

/**
 * @param named a plan's name; may be absent when the deployment has one plan.
 * @throws SubjectProblem, DeploymentProblems.
 */
export async function planSubject(options: DeploymentOptions, named: string | undefined): Promise<Subject> {
  const { plans, registry, hosts, warnings } = await loadDeployment(options);
  const plan = named !== undefined ? plans.get(named) : plans.size === 1 ? [...plans.values()][0] : undefined;
  if (plan === undefined) {
    const known = [...plans.keys()].toSorted().join(', ') || '(none)';
    const problem =
      named === undefined ? `name one of its plans with --plan: ${known}` : `it has no plan ${JSON.stringify(named)}, only ${known}`;
    throw new SubjectProblem(`the deployment: ${problem}; a plan file is named with its ending`);
  }
  return { plan, hasVerdict: true, registry, hosts, warnings: warnings.map(formatProblem) };
}

export interface SingleCritics {
  /** Names of implementations. */
  readonly names: readonly string[];
  /** Options by name. */
  readonly options: ReadonlyMap<string, Json>;
  readonly modules: readonly string[];
  readonly hosts: readonly string[];
}

/** @throws SubjectProblem with every problem of the options. */
export async function singleSubject({ names, options, modules, hosts }: SingleCritics): Promise<Subject> {
  const unused = [...options.keys()].find((name) => !names.includes(name));
  if (unused !== undefined) throw new SubjectProblem(`--with ${unused}=…: ${unused} is not among --critics ${names.join(',')}`);
  const own = await Promise.all(modules.map(async (path) => loadCriticsModule(path)));
  const registry = makeRegistry(own.flat());
  const critic = (uses: string) => {
    const written = options.get(uses);
    return { uses, stage: 'fast_critics', ...(written !== undefined ? { with: written } : {}) };
  };
  const object = {
    plan: 'single_critics',
    version: 1,
    timeouts: { global: '1h' },
    defaults: { attemptTimeout: SINGLE_ATTEMPT, maxRetries: 0 },
    critics: Object.fromEntries(names.map((name) => [name, critic(name)])),
    verdict: { otherwise: 'allow' },
  };
  const loaded = await loadPlan({ object, name: '--critics' }, registry);
  if (!loaded.ok)
    throw new SubjectProblem(
      loaded.problems
        .filter(({ severity }) => severity === 'error')
        .map(formatProblem)
        .join('\n'),
    );
  return { plan: loaded.plan, hasVerdict: false, registry, hosts, warnings: [] };
}

/**
 * A plan with these critics alone and those that they wait for, without verdict and gates.
 * @throws SubjectProblem when the plan has none of a name.
 */
export function narrowed(subject: Subject, names: readonly string[], waitFor: (plan: Plan, name: string) => ReadonlySet<string>): Subject {
  const { plan } = subject;
  const missing = names.find((name) => !plan.critics.some((critic) => critic.name === name));
  if (missing !== undefined)
    throw new SubjectProblem(
      `plan ${plan.name} has no critic ${JSON.stringify(missing)}; it has ${plan.critics.map(({ name }) => name).join(', ')}`,
    );
  const wanted = new Set(names.flatMap((name) => [name, ...waitFor(plan, name)]));
  return { ...subject, hasVerdict: false, plan: { ...plan, critics: plan.critics.filter(({ name }) => wanted.has(name)) } };
}
