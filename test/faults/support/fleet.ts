/**
 * Several worker processes of one deployment on a real server, with a recorder that knows which critics run. Knows no
 * test runner, so that the campaign can use it too.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { TribunalClient } from '../../../src/client.js';
import { eventually, startWorker, writePlan, type Running } from '../../support/processes.js';
import { startProxy, type Proxy } from './proxy.js';
import { startRecorder, type Recorder } from './recorder.js';

const CRITICS = fileURLToPath(new URL('../critics.mjs', import.meta.url));

export interface FleetPlan {
  readonly plan: string;
  readonly critics: Readonly<Record<string, object>>;
  readonly [field: string]: unknown;
}

export interface FleetOptions {
  readonly address: string;
  readonly plans: readonly FleetPlan[];
  /** Named lanes of the deployment. */
  readonly lanes?: Readonly<Record<string, object>>;
  /** Critics module; default: that of all fault tests. */
  readonly critics?: string;
  /** Further variables of the workers. */
  readonly env?: NodeJS.ProcessEnv;
  /** People and channels: further fields of the deployment's file. Gets the folder in which that file is. */
  readonly reviews?: (dir: string) => object;
}

export interface Fleet {
  readonly client: TribunalClient;
  readonly connection: Connection;
  readonly temporal: Client;
  readonly deployment: string;
  readonly recorder: Recorder;
  /** One more worker process. */
  worker(): Promise<Member>;
  /** What workers load that are started from now on. */
  deploy(next: Pick<FleetOptions, 'plans' | 'lanes' | 'critics'>): void;
  /** Several, started beside each other. */
  workers(count: number): Promise<Member[]>;
  /** All that were started. */
  readonly members: readonly Member[];
  /** The worker that was started as this process. */
  member(pid: number): Member;
  /** Waits until so many critics run. */
  atOnce(count: number): Promise<void>;
  /** The process that runs critics, once one does. */
  owner(): Promise<Member>;
  /** Ends whatever was started here. */
  close(): Promise<void>;
}

/** A worker process and its wire to the server. */
export interface Member extends Running {
  readonly wire: Proxy;
}

/** Enough attempts and time that no fault uses them up: an attempt that was lost with its process counts as one. */
const PATIENT = {
  version: 1,
  timeouts: { global: '300s' },
  defaults: { maxRetries: 30, retryBackoffBase: 1, attemptTimeout: '250s' },
  verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe' }], otherwise: 'allow' },
};

/** An entry of a plan; its calls are recorded under the name. */
export const recorded = (name: string, fields: object = {}): object => ({
  uses: 'recorded',
  with: { name },
  stage: 'core_analysis',
  ...fields,
});

/** Several of them in one plan: `c1`, `c2`, … */
export const several = (count: number, fields: object = {}): Record<string, object> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index + 1}`, recorded(`c${index + 1}`, fields)]));

export async function makeFleet({ address, env = {}, reviews, ...first }: FleetOptions): Promise<Fleet> {
  const deployment = `f-${randomUUID().slice(0, 8)}`;
  const dir = mkdtempSync(join(tmpdir(), 'tribunal-faults-'));
  const file = join(dir, 'tribunal.yaml');
  const more = reviews?.(dir) ?? {};
  function deploy({ plans, lanes, critics = CRITICS }: Pick<FleetOptions, 'plans' | 'lanes' | 'critics'>): void {
    const files = plans.map((plan) => relative(dir, writePlan(dir, { ...PATIENT, ...plan })));
    // JSON is YAML.
    writeFileSync(
      file,
      JSON.stringify({ plans: files, critics: [relative(dir, critics)], ...(lanes !== undefined ? { lanes } : {}), ...more }),
    );
  }
  deploy(first);
  const recorder = await startRecorder();
  const connection = await Connection.connect({ address });
  const client = await TribunalClient.connect({ connection, deployment });
  const members: Member[] = [];

  async function worker(): Promise<Member> {
    const wire = await startProxy(address);
    const args = ['--file', file, '--address', wire.address, '--namespace', 'default'];
    const own = { FAULTS_RECORDER: String(recorder.port), ...env };
    const running = await startWorker(connection, deployment, args, { cwd: dir, env: own });
    const started = { ...running, wire };
    members.push(started);
    return started;
  }

  function member(pid: number): Member {
    const found = members.find((one) => one.pid === pid);
    if (found === undefined) throw new Error(`no worker was started as process ${pid}`);
    return found;
  }

  return {
    client,
    connection,
    temporal: new Client({ connection, namespace: 'default' }),
    deployment,
    recorder,
    worker,
    deploy,
    members,
    workers: (count) => Promise.all(Array.from({ length: count }, worker)),
    member,
    async atOnce(count) {
      await eventually(`${count} critics run at once`, () => (recorder.open().length >= count ? true : undefined));
    },
    owner: async () => member(await eventually('a process runs critics', () => recorder.open().at(-1)?.pid)),
    async close() {
      await Promise.all(members.map((one) => one.destroy()));
      await Promise.all(members.map(({ wire }) => wire.close()));
      await connection.close();
      await recorder.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
