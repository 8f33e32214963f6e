/** From the command line's options to a client, and to the address at which people see an evaluation. */
import { existsSync, readFileSync } from 'node:fs';
import { Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { TribunalClient } from '../client.js';
import { ServerUnreachable } from '../client-errors.js';
import { converterBeside } from '../codec/converter-name.js';
import { DEFAULT_DEPLOYMENT, DEPLOYMENT_FORM } from '../contract.js';
import { readYaml } from '../schemas/plan-file.js';
import { loadSettings, resolveServer, type ResolvedServer, type Settings } from '../settings.js';
import type { GlobalOptions } from './command.js';
import { describeError, usageError } from './exit.js';

const DEPLOYMENT_FILE = 'tribunal.yaml';

export interface Connected {
  readonly client: TribunalClient;
  readonly connection: Connection;
  /** What the client sends and reads payloads by; absent: the SDK's own. */
  readonly dataConverter?: DataConverter;
  /** Where a browser shows an evaluation; `undefined` when nobody knows where the UI is. */
  uiOf(evaluationId: string): string | undefined;
  close(): Promise<void>;
}

/** Which server the options mean: `--address` stands alone, `--namespace` goes over everything. */
export async function serverOf(options: GlobalOptions, env: NodeJS.ProcessEnv): Promise<Server> {
  const server =
    options.address === undefined
      ? await resolveServer({ env })
      : { connectionOptions: { address: options.address }, namespace: 'default', source: '--address' };
  return { ...server, namespace: options.namespace ?? server.namespace };
}

type Server = Pick<ResolvedServer, 'connectionOptions' | 'namespace' | 'uiUrl'> & { readonly source: string };

/** @throws ServerUnreachable naming the address and where it came from. */
export async function openConnection({ connectionOptions, source }: Pick<Server, 'connectionOptions' | 'source'>): Promise<Connection> {
  return await Connection.connect(connectionOptions).catch((error: unknown) => {
    throw new ServerUnreachable(`cannot connect to ${connectionOptions.address} (${source})`, undefined, { cause: error });
  });
}

export async function connectClient(options: GlobalOptions & { readonly file?: string }, env: NodeJS.ProcessEnv): Promise<Connected> {
  const deployment = deploymentName(options, env);
  const converter = await converterFor(options, env);
  const converted = converter === undefined ? {} : { dataConverter: converter.dataConverter };
  const server = await serverOf(options, env);
  const { namespace, uiUrl } = server;
  const connection = await openConnection(server);
  const client = await TribunalClient.connect({ connection, namespace, deployment, ...converted });
  return {
    client,
    connection,
    ...converted,
    uiOf: (evaluationId) => (uiUrl === undefined ? undefined : uiAddress(uiUrl, namespace, evaluationId)),
    close: () => connection.close(),
  };
}

export const uiAddress = (uiUrl: string, namespace: string, evaluationId: string): string =>
  `${uiUrl}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(evaluationId)}`;

/** `--deployment`, else `TRIBUNAL_DEPLOYMENT`, else the name in the deployment file, which is only looked at, not loaded. */
export function deploymentName(options: { readonly deployment?: string; readonly file?: string }, env: NodeJS.ProcessEnv): string {
  if (options.deployment !== undefined) {
    if (DEPLOYMENT_FORM.test(options.deployment)) return options.deployment;
    throw usageError(
      `--deployment ${JSON.stringify(options.deployment)} is not the name of a deployment (${DEPLOYMENT_FORM.source}); a deployment file is given with --file`,
    );
  }
  if (env['TRIBUNAL_DEPLOYMENT']) return settingsOf(env).deployment;
  const file = options.file ?? DEPLOYMENT_FILE;
  if (!existsSync(file)) {
    if (options.file !== undefined) throw usageError(`${file}: there is no such file`);
    return DEFAULT_DEPLOYMENT;
  }
  const { name: named = DEFAULT_DEPLOYMENT } = fieldsOf(file);
  if (typeof named === 'string' && DEPLOYMENT_FORM.test(named)) return named;
  throw usageError(`${file}: name is not the name of a deployment (${DEPLOYMENT_FORM.source})`);
}

/** A file that cannot be read must not ask another deployment, whose plans may be laxer, and must not send content in clear. */
function fieldsOf(file: string): Readonly<Record<string, unknown>> {
  const yaml = readYaml(readFileSync(file, 'utf8'));
  if (!yaml.ok) throw usageError(yaml.problems.map(({ line, col, message }) => `${file}:${line}:${col} ${message}`).join('\n'));
  const { value } = yaml;
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export interface NamedConverter {
  readonly name: string;
  readonly dataConverter: DataConverter;
}

/** `--data-converter`, else `TRIBUNAL_DATA_CONVERTER`, else the line `dataConverter` of the deployment file; `undefined` without any. */
export async function converterFor(
  options: { readonly dataConverter?: string; readonly file?: string },
  env: NodeJS.ProcessEnv,
): Promise<NamedConverter | undefined> {
  const name = options.dataConverter ?? settingsOf(env).dataConverter ?? converterOfFile(options.file ?? DEPLOYMENT_FILE);
  if (name === undefined) return undefined;
  const { loadDataConverter } = await import('../codec/load.js');
  const dataConverter = await loadDataConverter(name, env).catch((error: unknown) => {
    throw usageError(describeError(error).message);
  });
  return { name, dataConverter };
}

function converterOfFile(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const { dataConverter: named } = fieldsOf(file);
  if (named === undefined) return undefined;
  if (typeof named === 'string' && named !== '') return converterBeside(file, named);
  throw usageError(`${file}: dataConverter must be tribunal/codec or the path of a module`);
}

/** @throws CliError with everything that is wrong with the environment. */
export function settingsOf(env: NodeJS.ProcessEnv): Settings {
  const loaded = loadSettings(env);
  if (loaded.ok) return loaded.settings;
  throw usageError(loaded.problems.join('\n'));
}

/** `--plan`, else the only plan of the deployment file. */
export async function planOfDeployment(options: { readonly plan?: string; readonly file?: string }): Promise<string> {
  if (options.plan !== undefined) return options.plan;
  if (options.file === undefined && !existsSync(DEPLOYMENT_FILE))
    throw usageError('--plan NAME is needed: there is no tribunal.yaml here that has only one plan');
  const { loadDeployment } = await import('../deployment.js');
  const deployment = await loadDeployment(options.file === undefined ? {} : { file: options.file });
  const [only, ...others] = deployment.plans.keys();
  if (only !== undefined && others.length === 0) return only;
  throw usageError(`--plan NAME is needed: the deployment has the plans ${[...deployment.plans.keys()].toSorted().join(', ') || '(none)'}`);
}
