/**
 * The environment to typed settings, and where the Temporal server is. Beside `cli/` the only file of `src` that reads
 * `process.env`; nothing below `worker`, `client` and `cli` may import it, and it loads no native module.
 */
import type { TLSConfig } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { parseKeys, type CodecKeys } from './codec/keys.js';
import { DEFAULT_DEPLOYMENT, DEPLOYMENT_FORM } from './contract.js';
import { didYouMean } from './domain/nearest.js';
import { durationField } from './schemas/duration.js';
import { parseWith } from './schemas/issues.js';
import { parseListenAddress, type ListenAddress } from './schemas/listen-address.js';
import { findRunningServer } from '../temporal/running.js';

const VARIABLES = {
  TRIBUNAL_DEPLOYMENT: z.string().regex(DEPLOYMENT_FORM, {
    error: (issue) => `${JSON.stringify(issue.input)} is no name of a deployment: write a small letter, then up to 63 of a-z, 0-9, _ and -`,
  }),
  TRIBUNAL_CACHE: z.string(),
  TRIBUNAL_SHUTDOWN_GRACE: durationField('how long critics may go on after a stop was asked for'),
  TRIBUNAL_LOG: z.enum(['debug', 'info', 'warn', 'error']),
  TRIBUNAL_LOG_FORMAT: z.enum(['text', 'json']),
  TRIBUNAL_METRICS: z.string().transform((text, context) => {
    const parsed = parseListenAddress(text);
    if (parsed.ok) return parsed.address;
    context.issues.push({ code: 'custom', message: parsed.message, input: text });
    return z.NEVER;
  }),
  TRIBUNAL_DATA_CONVERTER: z.string(),
  // No sentence of zod's own: they quote the value.
  TRIBUNAL_CODEC_KEYS: z.string().transform((text, context): CodecKeys => {
    const parsed = parseKeys(text);
    if (parsed.ok) return parsed.keys;
    context.issues.push({ code: 'custom', message: parsed.problem, input: undefined });
    return z.NEVER;
  }),
  TRIBUNAL_CODEC_ACCEPT_PLAIN: z.enum(['yes', 'no']),
} as const;

const Environment = z.object(VARIABLES).partial();
const KNOWN = Object.keys(VARIABLES);
const PREFIX = 'TRIBUNAL_';
/** Variables that hold the secrets which plans name; their names are free. */
export const SECRET_PREFIX = 'TRIBUNAL_SECRET_';
/** Longer than most attempts, shorter than a supervisor's patience; the same as a worker without settings. */
const DEFAULT_SHUTDOWN_GRACE_MS = 30_000;

export interface Settings {
  /** `TRIBUNAL_DEPLOYMENT`; default `tribunal`. */
  readonly deployment: string;
  /** `TRIBUNAL_SHUTDOWN_GRACE`: how long critics may go on after a stop was asked for; default 30 s. */
  readonly shutdownGraceMs: number;
  /** `TRIBUNAL_LOG`: lines of the SDK that a worker shows; default `warn`. */
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** `TRIBUNAL_LOG_FORMAT`: text for people, or one JSON object a line; default `text`. */
  readonly logFormat: 'text' | 'json';
  /** `TRIBUNAL_METRICS`: where a worker tells its metrics and answers probes; default: nowhere. */
  readonly metrics?: ListenAddress;
  /** `TRIBUNAL_DATA_CONVERTER`: `tribunal/codec` or the path of a module. */
  readonly dataConverter?: string;
  /** `TRIBUNAL_CODEC_KEYS`, for `tribunal/codec`. */
  readonly codecKeys?: CodecKeys;
  /** `TRIBUNAL_CODEC_ACCEPT_PLAIN`; default no. */
  readonly codecAcceptsPlain: boolean;
}

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads every `TRIBUNAL_*` variable and tells all that is wrong at once. An empty variable counts as unset. */
export function loadSettings(env: NodeJS.ProcessEnv = process.env): SettingsResult {
  const ours = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith(PREFIX) && !name.startsWith(SECRET_PREFIX) && value !== ''),
  );
  const problems = Object.keys(ours)
    .filter((name) => !KNOWN.includes(name))
    .map((name) => `${name}: there is no such setting${didYouMean(name, KNOWN)}; known are ${KNOWN.join(', ')}`);
  const parsed = parseWith(Environment, ours);
  if (!parsed.ok)
    return { ok: false, problems: [...problems, ...parsed.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)] };
  if (problems.length > 0) return { ok: false, problems };
  const values = parsed.value;
  return {
    ok: true,
    settings: {
      deployment: values.TRIBUNAL_DEPLOYMENT ?? DEFAULT_DEPLOYMENT,
      shutdownGraceMs: values.TRIBUNAL_SHUTDOWN_GRACE?.ms ?? DEFAULT_SHUTDOWN_GRACE_MS,
      logLevel: values.TRIBUNAL_LOG ?? 'warn',
      logFormat: values.TRIBUNAL_LOG_FORMAT ?? 'text',
      ...(values.TRIBUNAL_METRICS !== undefined ? { metrics: values.TRIBUNAL_METRICS } : {}),
      ...(values.TRIBUNAL_DATA_CONVERTER !== undefined ? { dataConverter: values.TRIBUNAL_DATA_CONVERTER } : {}),
      ...(values.TRIBUNAL_CODEC_KEYS !== undefined ? { codecKeys: values.TRIBUNAL_CODEC_KEYS } : {}),
      codecAcceptsPlain: values.TRIBUNAL_CODEC_ACCEPT_PLAIN === 'yes',
    },
  };
}

/** What both the client's and the worker's connection take. Holds secrets: print with {@link describeServer}. */
export interface ServerConnection {
  readonly address: string;
  readonly apiKey?: string;
  readonly tls?: TLSConfig | boolean;
  readonly metadata?: Record<string, string>;
}

export interface ResolvedServer {
  readonly connectionOptions: ServerConnection;
  readonly namespace: string;
  readonly source: 'environment' | 'profile' | 'running server';
  readonly uiUrl?: string;
}

export interface ResolveOptions {
  /** Take the running embedded server alone: what a newcomer tries out must never run in production. */
  readonly ignoreEnvironment?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  /** Where the search for the running server begins. Default: the working directory. */
  readonly dir?: string;
}

/**
 * Where the server is: `TEMPORAL_ADDRESS`, else the profile of the Temporal configuration file, else the running embedded server.
 * @throws Error in one sentence, when none of them says.
 */
export async function resolveServer(options: ResolveOptions = {}): Promise<ResolvedServer> {
  const env = options.env ?? process.env;
  const configured = options.ignoreEnvironment === true ? undefined : configuredServer(env);
  if (configured?.connectionOptions !== undefined) {
    const { connectionOptions, namespace } = configured;
    return { connectionOptions, namespace, source: env['TEMPORAL_ADDRESS'] ? 'environment' : 'profile' };
  }
  const running = await findRunningServer(options.dir);
  if (running === undefined) {
    const remedy = 'start the embedded one with `tribunal dev`';
    throw new Error(
      options.ignoreEnvironment === true
        ? `Could not find a Temporal server: none runs in this project; ${remedy}.`
        : `Could not find a Temporal server: TEMPORAL_ADDRESS is not set, no profile names an address and none runs in this project; ${remedy}, or set TEMPORAL_ADDRESS.`,
    );
  }
  return {
    connectionOptions: { address: running.address },
    namespace: configured?.namespace ?? 'default',
    source: 'running server',
    ...(running.uiUrl === undefined ? {} : { uiUrl: running.uiUrl }),
  };
}

/** One line for people, without secrets. */
export function describeServer({ connectionOptions: { address, apiKey, tls }, namespace, source }: ResolvedServer): string {
  const secured = tls === undefined || tls === false ? '' : ', TLS';
  return `${address}, namespace ${namespace}${secured}${apiKey === undefined ? '' : ', with an API key'} (${source})`;
}

interface Configured {
  readonly namespace: string;
  /** Absent: nothing names an address. */
  readonly connectionOptions?: ServerConnection;
}

function configuredServer(env: NodeJS.ProcessEnv): Configured {
  const { connectionOptions, namespace = 'default' } = readProfile(env);
  const { address, apiKey, tls, metadata } = connectionOptions;
  if (address === undefined) return { namespace };
  return {
    namespace,
    connectionOptions: {
      address,
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
      ...(tls === undefined || tls === null ? {} : { tls }),
      ...(metadata === undefined ? {} : { metadata: texts(metadata) }),
    },
  };
}

function readProfile(env: NodeJS.ProcessEnv): ReturnType<typeof loadClientConnectConfig> {
  try {
    return loadClientConnectConfig({ overrideEnvVars: texts(env) });
  } catch (error) {
    // The first line alone, and no cause: a TOML parser quotes the lines around a mistake, and a key may stand there.
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : 'something else than an Error was thrown';
    const where = `${env['TEMPORAL_CONFIG_FILE'] ?? 'temporal.toml'}, profile ${env['TEMPORAL_PROFILE'] ?? 'default'}`;
    throw new Error(
      `Could not read the Temporal configuration (${where}): ${reason}; correct the file or name another profile by TEMPORAL_PROFILE.`,
    );
  }
}

function texts(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
