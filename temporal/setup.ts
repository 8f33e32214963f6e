/**
 * Makes a namespace ready: the search attributes that an evaluation writes and, where asked, the namespace itself.
 * A missing attribute would make every evaluation hang for ever, so a worker asks before it polls.
 * Safe to run twice. May import `src/contract.ts` of our own code.
 */
import type { Connection } from '@temporalio/client';
import { SearchAttributeType } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import { SEARCH_ATTRIBUTES } from '../src/contract.js';

/** What is needed of a connection; both the client's and the worker's have it. */
export type SetupConnection = Pick<Connection, 'workflowService' | 'operatorService'>;

export interface SetupOptions {
  /** Make the namespace when it does not exist. */
  readonly create?: boolean;
  /** How long closed evaluations are kept, and with them the keys that make a start idempotent. Default 30. */
  readonly retentionDays?: number;
  /** How long to wait until a new attribute or namespace is seen. Default 30 s. */
  readonly timeoutMs?: number;
}

export interface SetupResult {
  readonly created: boolean;
  readonly registered: readonly string[];
}

/** Long after a caller would repeat a request: until then its key finds the first judgement. */
export const DEFAULT_RETENTION_DAYS = 30;
const DAY_MS = 86_400_000;
/** A new attribute is seen after a second or so. */
const POLL_MS = 100;
const GRPC = { notFound: 5, alreadyExists: 6, permissionDenied: 7, unimplemented: 12 } as const;

/** The wire's numbers of the types and the names that people write. */
const TYPES: Readonly<Record<SearchAttributeType, { readonly code: number; readonly name: string }>> = {
  [SearchAttributeType.TEXT]: { code: 1, name: 'Text' },
  [SearchAttributeType.KEYWORD]: { code: 2, name: 'Keyword' },
  [SearchAttributeType.INT]: { code: 3, name: 'Int' },
  [SearchAttributeType.DOUBLE]: { code: 4, name: 'Double' },
  [SearchAttributeType.BOOL]: { code: 5, name: 'Bool' },
  [SearchAttributeType.DATETIME]: { code: 6, name: 'Datetime' },
  [SearchAttributeType.KEYWORD_LIST]: { code: 7, name: 'KeywordList' },
};

/** Name and type of every attribute, as the `temporal` CLI writes them. */
export const ATTRIBUTES: readonly { readonly name: string; readonly type: string }[] = Object.values(SEARCH_ATTRIBUTES).map((key) => ({
  name: key.name,
  type: TYPES[key.type].name,
}));

/** Nothing of this name on the server; the code is that of gRPC. */
class NamespaceMissing extends Error {
  readonly code = GRPC.notFound;
  constructor(namespace: string, cause: unknown) {
    super(
      `Could not find the namespace ${namespace} on the server; make it with tribunal setup --create --namespace ${namespace}, or name another one.`,
      {
        cause,
      },
    );
  }
}

/** Names of the attributes that the namespace lacks; one of another type is an error. */
export async function missingSearchAttributes(connection: SetupConnection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace }).catch((error: unknown) => {
    throw grpcCode(error) === GRPC.notFound ? new NamespaceMissing(namespace, error) : error;
  });
  const missing: string[] = [];
  for (const key of Object.values(SEARCH_ATTRIBUTES)) {
    const found = customAttributes?.[key.name];
    const wanted = TYPES[key.type];
    if (found === undefined) missing.push(key.name);
    else if (found !== wanted.code) {
      const met = Object.values(TYPES).find((type) => type.code === found)?.name ?? String(found);
      throw new Error(
        `Could not use namespace ${namespace}: its search attribute ${key.name} has the type ${met} and must have ${wanted.name}; remove it (temporal operator search-attribute remove --name ${key.name}) and run tribunal setup, or use another namespace.`,
      );
    }
  }
  return missing;
}

/** Registers what is missing and waits until the server shows it. */
export async function setupNamespace(connection: SetupConnection, namespace: string, options: SetupOptions = {}): Promise<SetupResult> {
  const deadline = Date.now() + (options.timeoutMs ?? 30_000);
  const created =
    options.create === true && (await createNamespace(connection, namespace, options.retentionDays ?? DEFAULT_RETENTION_DAYS));
  const registered = await untilItWorks(deadline, () => missingSearchAttributes(connection, namespace), created);
  if (registered.length > 0) await register(connection, namespace, registered);
  for (;;) {
    const missing = registered.length === 0 ? [] : await missingSearchAttributes(connection, namespace);
    if (missing.length === 0) return { created, registered };
    if (Date.now() > deadline) {
      throw new Error(
        `Could not see the search attributes ${missing.join(', ')} in namespace ${namespace} after registering them; run tribunal setup again.`,
      );
    }
    await pause();
  }
}

/** Sets how long a namespace keeps closed evaluations. */
export async function setRetention(connection: SetupConnection, namespace: string, days: number): Promise<void> {
  await connection.workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: msToTs(days * DAY_MS) } });
}

async function register(connection: SetupConnection, namespace: string, names: readonly string[]): Promise<void> {
  const wanted = Object.values(SEARCH_ATTRIBUTES).filter((key) => names.includes(key.name));
  const searchAttributes = Object.fromEntries(wanted.map((key) => [key.name, TYPES[key.type].code]));
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch (error) {
    const code = grpcCode(error);
    // Another process was quicker: what it registered is looked at next.
    if (code === GRPC.alreadyExists) return;
    if (code !== GRPC.permissionDenied && code !== GRPC.unimplemented) throw error;
    const list = wanted.map((key) => `${key.name} (${TYPES[key.type].name})`).join(', ');
    throw new Error(
      `Could not register search attributes in namespace ${namespace}: the server does not let this account do it; add ${list} in its console.`,
      { cause: error },
    );
  }
}

async function createNamespace(connection: SetupConnection, namespace: string, days: number): Promise<boolean> {
  try {
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs(days * DAY_MS) });
    return true;
  } catch (error) {
    if (grpcCode(error) === GRPC.alreadyExists) return false;
    throw error;
  }
}

/** A new namespace is unknown to the rest of the server for some seconds. */
async function untilItWorks<T>(deadline: number, work: () => Promise<T>, isNew: boolean): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isNew || grpcCode(error) !== GRPC.notFound || Date.now() > deadline) throw error;
      await pause();
    }
  }
}

function grpcCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
