/** `tribunal plan explain`: which critics would run over a record, and why. Nothing is started, and nothing that costs is asked. */
import { Option, type Command } from 'commander';
import type { Deployment } from '../deployment.js';
import { explainCritics } from '../domain/explain-plan.js';
import type { Finding } from '../domain/finding.js';
import { CRITIC_OUTCOMES, type CriticOutcome } from '../domain/outcomes.js';
import { RISK_TIERS, type Plan, type RiskTier } from '../domain/plan.js';
import type { EvaluationRequest } from '../domain/request.js';
import { routeReview } from '../domain/review/route.js';
import { endOf, givenProblems } from '../domain/run-case.js';
import { ContentRefused, evaluateInProcess, type InProcessResult, type RunCritic } from '../in-process.js';
import { planExplainJson, planExplainText, type Explanation } from '../report/plan-explain.js';
import { FindingSchema } from '../schemas/finding.js';
import { parseWith } from '../schemas/issues.js';
import { toEvaluationRequest } from '../schemas/request.js';
import { SECRET_PREFIX } from '../settings.js';
import { collect, onRun, type Call, type Cli } from './command.js';
import { EXIT, usageError } from './exit.js';
import { addPlanOptions, loadOnePlan, noteWarnings, type PlanOptions } from './plan-files.js';
import { readRecord, readSource } from './records.js';
import { parseContext, withDefaults } from './request-context.js';

interface ExplainOptions extends PlanOptions {
  readonly content?: string;
  readonly context?: readonly string[];
  readonly risk?: RiskTier;
  readonly tenant?: string;
  readonly gating?: 'on' | 'off';
  readonly findings?: readonly string[];
  readonly outcomes?: readonly string[];
  readonly runLocal?: boolean;
}

export function addPlanExplain(plan: Command, cli: Cli): void {
  const command = addPlanOptions(plan.command('explain'))
    .description('tell which critics would run over a record and why; no server, no remote critic')
    .argument('<plan>', 'name of a plan of the deployment, or a plan file')
    .argument('[record]', 'file with a JSON record; FILE:LINE of JSON lines; - for stdin')
    .option('--content <text>', 'this text instead of a record')
    .option('--context <key=value>', 'what you say about the content, repeatable; the value is JSON, else a text', collect)
    .addOption(new Option('--risk <tier>', 'risk tier where the record names none').choices(RISK_TIERS))
    .option('--tenant <name>', 'tenant where the record names none')
    .addOption(new Option('--gating <mode>', 'off runs every critic').choices(['on', 'off']))
    .option('--findings <critic=finding>', 'assume this finding (JSON, or a severity), or those of a JSON file; repeatable', collect)
    .option('--outcomes <critic=outcome>', 'assume that a critic ends so, for example failed; repeatable', collect)
    .option('--run-local', 'run the local critics instead of assuming that they find nothing');
  onRun<ExplainOptions>(command, cli, runExplain);
}

async function runExplain(call: Call<ExplainOptions>): Promise<number> {
  const { options, args, io, output } = call;
  const { plan, deployment } = await loadOnePlan(options, args[0] ?? '', io.env);
  noteWarnings(deployment.warnings, output);
  const { at, request } = await requestOf(call, plan);
  const assumed = await assumedEnds(call, plan);
  const acted: RunCritic = (critic) => endOf(assumed, critic.name);
  const result = await evaluated(plan, request, options.runLocal === true ? await withLocals(call, deployment, acted, assumed) : acted);
  const critics = explainCritics(plan, result.records);
  const isGiven = (name: string): boolean => Object.hasOwn(assumed.findings, name) || Object.hasOwn(assumed.outcomes, name);
  const review = routeReview(plan, result.verdict, result.records, result.facts);
  const explanation: Explanation = {
    deployment: deployment.name,
    plan,
    at,
    tenant: request.tenant,
    bytes: result.facts.size,
    assumptions: assumptionsOf(options, assumed),
    notRun: critics
      .filter(({ name, runs, dispatch }) => runs && !isGiven(name) && !(options.runLocal === true && dispatch === 'local'))
      .map(({ name }) => name),
    risk: result.risk,
    critics,
    verdict: result.verdict,
    ...(review !== undefined ? { review } : {}),
  };
  if (output.json) output.object(planExplainJson(explanation));
  else output.line(planExplainText(explanation, { color: output.color, ...(output.width !== undefined ? { width: output.width } : {}) }));
  return EXIT.ok;
}

async function requestOf(
  { options, args, io }: Call<ExplainOptions>,
  plan: Plan,
): Promise<{ readonly at: string; readonly request: EvaluationRequest }> {
  const [, source] = args;
  if ((options.content === undefined) === (source === undefined))
    throw usageError('name one record: a file, - for stdin, or --content TEXT');
  const { at, record } =
    source === undefined ? { at: '--content', record: { content: options.content ?? '' } } : await readRecord(source, io.stdin);
  const defaults = { context: parseContext(options.context ?? []), plan: plan.name };
  const checked = toEvaluationRequest(withDefaults(record, defaults, options), () => 'explained');
  if (checked.ok) return { at, request: checked.value };
  throw usageError(checked.problems.map((problem) => `${at}: ${problem}`).join('\n'));
}

interface Assumed {
  readonly findings: Readonly<Record<string, Finding>>;
  readonly outcomes: Readonly<Record<string, CriticOutcome>>;
}

/** @throws CliError naming what of the options is no critic, no finding or no outcome. */
async function assumedEnds({ options, io }: Call<ExplainOptions>, plan: Plan): Promise<Assumed> {
  const findings: Record<string, Finding> = {};
  for (const written of options.findings ?? []) {
    const at = written.indexOf('=');
    const map =
      at === -1
        ? asMap(written, parseJson(written, await readSource(written, io.stdin)))
        : { [written.slice(0, at)]: parseJson(written.slice(0, at), written.slice(at + 1)) };
    for (const [name, value] of Object.entries(map)) findings[known(plan, name, '--findings')] = findingOf(name, value);
  }
  const outcomes: Record<string, CriticOutcome> = {};
  for (const written of options.outcomes ?? []) {
    const [name = '', word] = written.split('=');
    const outcome = CRITIC_OUTCOMES.find((one) => one === word);
    if (outcome === undefined)
      throw usageError(`--outcomes ${JSON.stringify(written)}: write critic=outcome; outcomes are ${CRITIC_OUTCOMES.join(', ')}`);
    outcomes[known(plan, name, '--outcomes')] = outcome;
  }
  const [problem] = givenProblems({ findings, outcomes });
  if (problem !== undefined) throw usageError(problem);
  return { findings, outcomes };
}

function known(plan: Plan, name: string, option: string): string {
  if (plan.critics.some((critic) => critic.name === name)) return name;
  throw usageError(
    `${option}: ${plan.name} has no critic ${JSON.stringify(name)}; it has ${plan.critics.map((critic) => critic.name).join(', ')}`,
  );
}

function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usageError(`--findings ${what}: is not JSON; write a finding such as {"severity":0.9}, or its severity alone`);
  }
}

function asMap(file: string, value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw usageError(`--findings ${file}: must be an object of critics and their findings`);
}

/** A number is a severity; what is absent of a finding is that of a clean one. */
function findingOf(name: string, value: unknown): Finding {
  const clean = { severity: 0, violations: [] };
  const parsed = parseWith(FindingSchema, typeof value === 'number' ? { ...clean, severity: value } : { ...clean, ...asMap(name, value) });
  if (parsed.ok) return parsed.value;
  throw usageError(parsed.issues.map(({ path, message }) => `--findings ${[name, ...path].join('.')} ${message}`).join('\n'));
}

/** Local critics are run, unless something is assumed of them. */
async function withLocals(
  { io }: Call<ExplainOptions>,
  { registry, hosts }: Pick<Deployment, 'registry' | 'hosts'>,
  acted: RunCritic,
  { findings, outcomes }: Assumed,
): Promise<RunCritic> {
  const { registryRunner } = await import('../in-process-runner.js');
  const run = registryRunner({ registry, hosts, secrets: (name) => io.env[`${SECRET_PREFIX}${name}`] });
  return (critic, ...rest) => {
    const isAssumed = Object.hasOwn(findings, critic.name) || Object.hasOwn(outcomes, critic.name);
    return (critic.dispatch === 'local' && !isAssumed ? run : acted)(critic, ...rest);
  };
}

async function evaluated(plan: Plan, request: EvaluationRequest, runCritic: RunCritic): Promise<InProcessResult> {
  try {
    const { content, context, tenant, riskTier, gating } = request;
    return await evaluateInProcess(
      { plan, content, context, tenant, gating, ...(riskTier !== undefined ? { riskTier } : {}) },
      { runCritic, now: () => performance.now() },
    );
  } catch (error) {
    throw error instanceof ContentRefused ? usageError(error.message) : error;
  }
}

function assumptionsOf({ runLocal, gating }: ExplainOptions, { findings, outcomes }: Assumed): string[] {
  const given = [...Object.keys(findings), ...Object.entries(outcomes).map(([name, outcome]) => `${name} (${outcome.replace('_', ' ')})`)];
  return [
    runLocal === true
      ? 'Local critics were run; remote ones are assumed to find nothing.'
      : 'No critic was run: all are assumed to succeed and to find nothing. --run-local runs the local ones, --findings and --outcomes assume otherwise.',
    ...(given.length === 0 ? [] : [`Assumed otherwise: ${given.join(', ')}.`]),
    ...(gating === 'off' ? ['Gating is off: every critic runs.'] : []),
  ];
}
