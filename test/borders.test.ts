/**
 * Who may import whom. The table is the architecture: a file that needs more than its row allows is in the wrong place, or
 * the row is wrong and is changed here, with its reason. What the workflows' bundle holds: `replay/bundle.test.ts`.
 */
import { describe, expect, it } from 'vitest';
import { CLIENT_PARTS, PURE_LANES, REVIEW_PARTS } from './support/border-parts.js';
import { importCycle, importsOf, readSources, withoutComments, type Sources } from './support/imports.js';

interface Row {
  /** A file, or a folder with all below it; the first row that fits a file holds for it. */
  readonly of: string;
  /** Files, folders and packages of which values may be imported; a folder's own files are always among them. */
  readonly may: readonly string[];
  readonly why: string;
}

const NODE = 'node:';
const DOMAIN = 'src/domain/';
const SCHEMAS = 'src/schemas/';
const CRITICS = 'src/critics/';
const CONTRACT = 'src/contract.ts';
const DIGEST = 'src/digest.ts';
const START_OPTIONS = 'src/start-options.ts';
const REVIEW_START_OPTIONS = 'src/review-start-options.ts';
const TABLE: readonly Row[] = [
  // Pure, or nearly so.
  { of: 'src/domain/cel.ts', may: [DOMAIN, '@marcbachmann/cel-js'], why: 'the one place that knows the CEL library' },
  {
    of: 'src/domain/review/crypto.ts',
    may: ['@noble/ed25519', '@noble/hashes', 'canonicalize'],
    why: 'the sandbox has no crypto of its own: the one place there that knows these libraries',
  },
  { of: DOMAIN, may: [], why: 'pure: runs in the sandbox, in activities, in the client and in the CLI' },
  { of: CONTRACT, may: ['@temporalio/common'], why: 'names that everybody shares, the sandbox too' },
  { of: 'src/places.ts', may: ['src/deferred.ts', 'p-queue'], why: 'the one place that knows the queue, for lanes and threads' },
  { of: 'src/deferred.ts', may: [], why: 'a promise and its ends, for critics and lanes' },
  { of: DIGEST, may: [`${NODE}crypto`, 'canonicalize'], why: 'hashes; the sandbox is handed them' },
  { of: 'src/uuid-v7.ts', may: [`${NODE}crypto`], why: 'keys of evaluations that have none' },
  // The sandbox.
  { of: 'src/workflows/walk.ts', may: [DOMAIN, CONTRACT], why: 'a plain function: pieces of the SDK are handed in' },
  {
    of: 'src/workflows/',
    may: [
      DOMAIN,
      CONTRACT,
      START_OPTIONS,
      REVIEW_START_OPTIONS,
      ...PURE_LANES,
      'src/report/details.ts',
      'src/report/review-details.ts',
      '@temporalio/workflow',
      '@temporalio/common',
    ],
    why: 'lanes, groups of them and the text of the current details are pure, and workflows need no more of lanes and reports',
  },
  {
    of: REVIEW_START_OPTIONS,
    may: [CONTRACT, START_OPTIONS],
    why: 'what an evaluation and the watchdog start a review with; runs in the sandbox',
  },
  { of: START_OPTIONS, may: [CONTRACT], why: 'what a client and another workflow start an evaluation with; runs in the sandbox' },
  {
    of: 'src/workflow.ts',
    may: [CONTRACT, 'src/domain/errors.ts', 'src/domain/is-report.ts', START_OPTIONS, '@temporalio/workflow', '@temporalio/common'],
    why: "runs in the sandbox of other people's workflows: no digest, no client",
  },
  { of: 'src/report/details.ts', may: [DOMAIN, CONTRACT, 'src/report/format.ts'], why: 'runs in the sandbox: no colours' },
  { of: 'src/report/review-details.ts', may: [DOMAIN, CONTRACT], why: 'runs in the sandbox: no colours' },
  { of: 'src/report/format.ts', may: [DOMAIN], why: 'runs in the sandbox' },
  ...PURE_LANES.map((of) => ({ of, may: [DOMAIN, 'src/lanes/lanes.ts'], why: 'runs in the sandbox: no p-queue' })),
  // Where unknown data is parsed.
  {
    of: SCHEMAS,
    may: [DOMAIN, CONTRACT, DIGEST, 'zod', 'yaml'],
    why: "the closed sets, forms and sizes that a schema names are domain's and the contract's, not said twice; a digest measures a request",
  },
  // What runs critics.
  {
    of: 'src/critics/llm-judge',
    may: [CRITICS, SCHEMAS, DOMAIN, `${NODE}crypto`, 'zod', 'ai', '@ai-sdk/openai-compatible'],
    why: 'the one place that knows the client library of language models; hashes name what a judge was told',
  },
  {
    of: 'src/critics/pii',
    may: [CRITICS, SCHEMAS, DOMAIN, `${NODE}net`, 'zod', 'ibantools', 'validator', 'libphonenumber-js/min'],
    why: 'check digits, lengths and numbering plans are better kept elsewhere; loaded with the critic',
  },
  {
    of: 'src/critics/secrets',
    may: [CRITICS, SCHEMAS, DOMAIN, 'zod', '@secretlint/secretlint-rule-preset-recommend'],
    why: 'the one place that knows the rules of secretlint, loaded on first use',
  },
  {
    of: 'src/critics/normalize.ts',
    may: [CRITICS, 'obscenity'],
    why: 'letters that look alike come from the library that knows them',
  },
  {
    of: 'src/critics/profanity',
    may: [CRITICS, SCHEMAS, 'zod', 'obscenity'],
    why: 'the list of words is a library',
  },
  {
    of: 'src/critics/language.ts',
    may: [CRITICS, SCHEMAS, 'zod', 'eld'],
    why: 'the detector is a library of 9 MB, loaded when a plan uses it',
  },
  {
    of: 'src/critics/structure',
    may: [CRITICS, SCHEMAS, NODE, 'zod', 'ajv', 're2js', 'jsonc-parser'],
    why: 'JSON Schema is a library; its patterns run on RE2',
  },
  {
    of: 'src/critics/threads/',
    may: [CRITICS, SCHEMAS, DOMAIN, 'src/deferred.ts', 'src/places.ts', NODE, 'tinypool'],
    why: 'the one place that knows the library of threads',
  },
  {
    of: CRITICS,
    may: [SCHEMAS, DOMAIN, 'src/deferred.ts', NODE, 'zod', 'undici', 'ipaddr.js', 'jsonc-parser', 're2js', '@bufbuild/re2', 'tsx'],
    why: 'an attempt measures findings and applies output rules, which are pure; modules in TypeScript are loaded by tsx',
  },
  {
    of: 'src/activities/',
    may: [
      CONTRACT,
      DOMAIN,
      SCHEMAS,
      CRITICS,
      DIGEST,
      'src/review/',
      'src/deferred.ts',
      'src/places.ts',
      '@temporalio/activity',
      '@temporalio/common',
      NODE,
    ],
    why: 'side effects',
  },
  {
    of: 'src/review/index-queries.ts',
    may: [CONTRACT, '@temporalio/common'],
    why: 'what the server knows of reviews; the client is handed in',
  },
  {
    of: 'src/review/missing-review.ts',
    may: [CONTRACT, DOMAIN, DIGEST, REVIEW_START_OPTIONS, 'src/review/payloads.ts', '@temporalio/client'],
    why: 'starts a review as an evaluation does, of what the history of the evaluation says',
  },
  {
    of: 'src/review/watch',
    may: [CONTRACT, DOMAIN, 'src/review/', START_OPTIONS, '@temporalio/client', '@temporalio/common'],
    why: 'the watchdog and its schedule: asks the server and starts deliveries; the client is handed in',
  },
  {
    of: 'src/review/review-worker.ts',
    may: [CONTRACT, DOMAIN, 'src/activities/', 'src/review/', '@temporalio/worker'],
    why: 'assembles the Worker of reviews',
  },
  ...['src/review/recorded.ts', 'src/review/payloads.ts', 'src/review/sweep.ts', 'src/review/archive-position.ts'].map((of) => ({
    of,
    may: [
      ...REVIEW_PARTS,
      'src/review/',
      CONTRACT,
      'src/client-calls.ts',
      'src/client-errors.ts',
      '@temporalio/client',
      '@temporalio/common',
      NODE,
    ],
    why: 'reads what the server has recorded, as the client does: no native module',
  })),
  ...['src/review/read-review.ts', 'src/review/read-evaluation.ts', 'src/review/read-packet.ts'].map((of) => ({
    of,
    may: [...REVIEW_PARTS, CONTRACT, DOMAIN, 'src/client-errors.ts'],
    why: 'events to records; what the SDK needs for it stands beside them',
  })),
  ...[
    'src/review/verify.ts',
    'src/review/export.ts',
    'src/review/labels.ts',
    'src/review/release-checks.ts',
    'src/review/review-record.ts',
    'src/review/timeline.ts',
  ].map((of) => ({
    of,
    may: [...REVIEW_PARTS, CONTRACT, DOMAIN, DIGEST],
    why: 'pure: what is recorded, and whether it is sound; asks nobody',
  })),
  {
    of: 'src/review/',
    may: [
      CONTRACT,
      DOMAIN,
      DIGEST,
      SCHEMAS,
      'src/plan-loader.ts',
      'src/critics/critic.ts',
      'src/critics/network/',
      'src/report/safe.ts',
      NODE,
    ],
    why: 'people and what they sign, what people and programs are told, records: files, Node crypto, the network as critics ask it; no Temporal',
  },
  {
    of: 'src/lanes/',
    may: [
      CONTRACT,
      DOMAIN,
      DIGEST,
      'src/activities/',
      'src/deferred.ts',
      'src/places.ts',
      'src/pollers.ts',
      'src/run-workers.ts',
      START_OPTIONS,
      '@temporalio/activity',
      '@temporalio/client',
      '@temporalio/worker',
      NODE,
    ],
    why: 'limits in a process, and which process owns them',
  },
  { of: 'src/pollers.ts', may: [], why: 'asks any connection that it is handed' },
  { of: 'src/bundle.ts', may: ['src/codec/failures.ts', '@temporalio/worker', NODE], why: 'the workflows are given by path' },
  { of: 'src/replay.ts', may: ['src/bundle.ts', 'src/codec/failures.ts', '@temporalio/worker'], why: 'the workflows without a server' },
  // Encryption.
  { of: 'src/codec/load.ts', may: ['src/codec/', 'src/critics/module.ts'], why: "a module of one's own is loaded like one of critics" },
  {
    of: 'src/codec/',
    may: [CONTRACT, 'src/settings.ts', NODE],
    why: 'for services, too: no native module; keys come from the environment',
  },
  {
    of: 'src/plan-loader.ts',
    may: [CRITICS, DOMAIN, SCHEMAS, DIGEST, 'src/report/safe.ts', NODE],
    why: 'a file to a compiled plan; its problems are shown to people',
  },
  {
    of: 'src/deployment.ts',
    may: ['src/codec/converter-name.ts', CONTRACT, DOMAIN, CRITICS, SCHEMAS, 'src/plan-loader.ts', 'src/review/check-channels.ts', NODE],
    why: 'plans and critics of one deployment',
  },
  {
    of: 'src/in-process-runner.ts',
    may: [CRITICS, DOMAIN, NODE],
    why: 'attempts of real critics in this process; types alone of what asks for them',
  },
  {
    of: 'src/in-process.ts',
    may: [CONTRACT, DOMAIN, DIGEST, 'src/deferred.ts', 'src/schemas/request.ts', 'src/workflows/walk.ts'],
    why: 'the walk without a server: who runs critics, and the clock, are handed in',
  },
  { of: 'src/plan-cases.ts', may: [DOMAIN, SCHEMAS, 'src/in-process.ts'], why: 'cases of a plan, without a server and without critics' },
  {
    of: 'src/testing/',
    may: [CRITICS, SCHEMAS, DOMAIN, NODE, 'zod'],
    why: 'tests of critics, for every test runner and none: a critic is run as a worker runs it, without Temporal',
  },
  {
    of: 'src/assess/output/',
    may: ['src/report/'],
    why: 'figures to text, Markdown and a page: pure',
  },
  {
    of: 'src/assess/',
    may: [
      DOMAIN,
      CRITICS,
      SCHEMAS,
      DIGEST,
      'src/deployment.ts',
      'src/plan-loader.ts',
      'src/in-process.ts',
      'src/in-process-runner.ts',
      'p-queue',
      'zod',
      NODE,
    ],
    why: 'measures critics and plans in this process; its outputs are made elsewhere, and no server is asked',
  },
  { of: 'src/metrics.ts', may: [DOMAIN], why: 'counts with any meter that it is handed; of the SDK it needs types alone' },
  { of: 'src/run-workers.ts', may: [], why: 'runs any Workers that it is handed; of the SDK it needs types alone' },
  {
    of: 'src/worker.ts',
    may: [
      CONTRACT,
      'src/activities/',
      CRITICS,
      'src/domain/error-name.ts',
      'src/domain/plan.ts',
      'src/lanes/',
      'src/bundle.ts',
      'src/codec/',
      'src/deployment.ts',
      'src/metrics.ts',
      'src/pollers.ts',
      'src/replay.ts',
      'src/review/',
      'src/run-workers.ts',
      'src/deferred.ts',
      DIGEST,
      'temporal/setup.ts',
      '@temporalio/worker',
      NODE,
    ],
    why: 'assembles Workers and looks whether the server is set up, and hands on how a deployment is loaded; never the client',
  },
  // What talks to people and services.
  { of: 'src/client-errors.ts', may: ['src/domain/review/codes.ts'], why: 'for every caller' },
  {
    of: 'src/client-review-act.ts',
    may: [...CLIENT_PARTS, CONTRACT, DOMAIN, DIGEST, '@temporalio/client', '@temporalio/common', `${NODE}crypto`],
    why: 'as the rest of the client, and makes ids of commands',
  },
  {
    of: 'src/client',
    may: [
      CONTRACT,
      DOMAIN,
      SCHEMAS,
      DIGEST,
      ...CLIENT_PARTS,
      ...REVIEW_PARTS,
      START_OPTIONS,
      'src/codec/codec-error.ts',
      'src/codec/load.ts',
      'src/lanes/deployment-state.ts',
      'src/lanes/deployment-view.ts',
      'src/pollers.ts',
      'src/settings.ts',
      'src/uuid-v7.ts',
      '@temporalio/client',
      '@temporalio/common',
    ],
    why: 'a service holds a client without activities, critics, the worker or a native module',
  },
  { of: 'src/report/', may: [DOMAIN, 'src/lanes/lanes.ts', 'picocolors'], why: 'pure; a plan is shown with the names of its lanes' },
  {
    of: 'src/settings.ts',
    may: [CONTRACT, SCHEMAS, DOMAIN, 'src/codec/keys.ts', 'temporal/running.ts', 'zod', '@temporalio/envconfig'],
    why: 'the one reader of the environment; nothing below worker, client and cli imports it',
  },
  {
    of: 'src/cli',
    may: [
      'src/cli/',
      'src/client.ts',
      ...CLIENT_PARTS,
      'src/worker.ts',
      'src/assess/',
      'src/codec/',
      'src/deployment.ts',
      'src/in-process.ts',
      'src/in-process-runner.ts',
      'src/plan-cases.ts',
      'src/testing/run-apart.ts',
      'src/testing/registry.ts',
      'src/plan-loader.ts',
      'src/metrics.ts',
      'src/pollers.ts',
      'src/settings.ts',
      'src/report/',
      'src/review/',
      ...PURE_LANES,
      'src/lanes/known-lanes.ts',
      'src/lanes/deployment-view.ts',
      'src/lanes/queue-setting.ts',
      SCHEMAS,
      DOMAIN,
      CONTRACT,
      DIGEST,
      'temporal/',
      '@temporalio/client',
      '@temporalio/worker',
      'commander',
      'log-update',
      'p-queue',
      'picocolors',
      'pino',
      'yaml',
      NODE,
    ],
    why: 'never workflows, activities or critics',
  },
  {
    of: 'src/index.ts',
    may: ['src/client.ts', ...CLIENT_PARTS, SCHEMAS, 'src/critics/critic.ts', 'src/report/'],
    why: 'the public surface',
  },
  { of: 'temporal/', may: [CONTRACT, '@temporalio/client', '@temporalio/common', NODE], why: 'the server, for worker, CLI and tests' },
];

const covers = (rule: string, target: string): boolean =>
  /[/:]$/.test(rule) ? target.startsWith(rule) : target === rule || target.startsWith(`${rule}/`);

/** `src/client` and `src/cli` mean all files whose path begins so. */
const rowOf = (file: string): Row | undefined => TABLE.find((row) => file.startsWith(row.of));

/** What a pure file may not even name. */
const IMPURE =
  /\bnew Date\(\)|\b(?:process|Date\.now|Math\.random|performance|setTimeout|setInterval|globalThis|fetch|console)\b(?=\.\w|[([])/g;
const MAY_READ_ENVIRONMENT = ['src/settings.ts', 'src/cli/', 'temporal/'];
const MUST_BE_PURE = [DOMAIN, 'src/contract.ts', 'src/lanes/lanes.ts', 'src/report/', 'src/assess/output/', 'src/workflows/walk.ts'];

function breaches(sources: Sources): string[] {
  return [...sources].flatMap(([file, source]) => {
    const row = rowOf(file);
    if (row === undefined) return [`${file} has no row in the table of who may import whom`];
    const own = row.of.endsWith('/') ? [row.of] : [];
    const imported = importsOf(file, source)
      .filter(({ target }) => ![...own, ...row.may].some((rule) => covers(rule, target)))
      .map(({ target }) => `${file} imports ${target}, and may not: ${row.why}`);
    const pure = MUST_BE_PURE.some((rule) => covers(rule, file));
    const impure = pure ? [...withoutComments(source).matchAll(IMPURE)].map(([name]) => `${file} uses ${name}, and must be pure`) : [];
    const environment = withoutComments(source).includes('process.env') && !MAY_READ_ENVIRONMENT.some((rule) => covers(rule, file));
    return [...imported, ...impure, ...(environment ? [`${file} reads process.env; settings are handed to it`] : [])];
  });
}

const sources = readSources('src', 'temporal');

describe('imports', () => {
  it('of every file are those that its row of the table allows', () => {
    expect(breaches(sources)).toEqual([]);
  });

  it('of values make no cycle', () => {
    expect(importCycle(sources)).toBeUndefined();
  });

  it('name nothing that is not there, so that no row is dead', () => {
    const targets = [...sources].flatMap(([file, source]) => importsOf(file, source).map(({ target }) => target));
    expect(targets.filter((target) => /^(src|temporal)\//.test(target) && !sources.has(target))).toEqual([]);
    expect(TABLE.filter((row) => ![...sources.keys()].some((file) => rowOf(file) === row)).map((row) => row.of)).toEqual([]);
  });

  it.each([
    ['src/domain/verdict.ts', "import { z } from 'zod';", 'zod'],
    ['src/domain/gate.ts', "import { parse } from '@marcbachmann/cel-js';", '@marcbachmann/cel-js'],
    ['src/workflows/walk.ts', "import { sleep } from '@temporalio/workflow';", '@temporalio/workflow'],
    ['src/workflows/proxies.ts', "import { BudgetPool } from '../lanes/budgets.js';", 'src/lanes/budgets.ts'],
    ['src/workflows/evaluate.ts', "export * from '../schemas/finding.js';", 'src/schemas/finding.ts'],
    ['src/workflows/evaluate.ts', "import '../critics/registry.js';", 'src/critics/registry.ts'],
    ['src/critics/pii.ts', "import { Context } from '@temporalio/activity';", '@temporalio/activity'],
    ['src/activities/index.ts', "import { loadSettings } from '../settings.js';", 'src/settings.ts'],
    ['src/client.ts', "import {\n  createTribunalWorker,\n} from './worker.js';", 'src/worker.ts'],
    ['src/client-handle.ts', "import { type AnyCritic } from './critics/critic.js';", 'src/critics/critic.ts'],
    ['src/worker.ts', "const client = await import('./client.js');", 'src/client.ts'],
    ['src/cli/show.ts', "import { evaluate } from '../workflows/evaluate.js';", 'src/workflows/evaluate.ts'],
  ])('that a table forbids are told: %s with %s', (file, statement, target) => {
    expect(breaches(new Map([[file, statement]]))).toEqual([expect.stringContaining(`${file} imports ${target}, and may not`)]);
  });

  it.each([
    ['src/domain/verdict.ts', 'const now = Date.now();', 'uses Date.now'],
    ['src/domain/gate.ts', 'const die = Math.random();', 'uses Math.random'],
    ['src/critics/http.ts', "const key = process.env['KEY'];", 'reads process.env'],
    ['src/somewhere.ts', '', 'has no row'],
  ])('are not all: %s with %s is told too', (file, statement, problem) => {
    expect(breaches(new Map([[file, statement]]))).toEqual([expect.stringContaining(problem)]);
  });

  it('of types are free, and those in comments are none', () => {
    const harmless = "import type { Worker } from '@temporalio/worker';\n// import { z } from 'zod';\n/* import { z } from 'zod'; */\n";
    expect(breaches(new Map([['src/domain/new.ts', harmless]]))).toEqual([]);
  });

  it('that make a cycle are told file by file', () => {
    const planted = new Map([
      ...sources,
      ['src/domain/plan.ts', `${sources.get('src/domain/plan.ts') ?? ''}\nexport { decideGate } from './gate.js';\n`],
    ]);
    const cycle = importCycle(planted);
    expect(cycle?.at(0)).toBe(cycle?.at(-1));
    expect(cycle).toEqual(expect.arrayContaining(['src/domain/plan.ts', 'src/domain/gate.ts']));
  });
});
