/**
 * How far an archive was swept, by deployment, and where it may lack something. A newer run may take back what an older one
 * said: whoever answers from the archive must know that no newer one is missing in it.
 */
import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Host } from '../client-calls.js';
import { call } from '../client-calls.js';

/** Milliseconds since 1970. */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface ArchivePosition {
  /** All that closed before is there, but for gaps; 0: nobody has swept yet, or nobody knows. */
  swept(): Promise<number>;
  moveTo(ms: number): Promise<void>;
  /** What closed meanwhile was gone from the server before anybody swept. */
  gaps(): Promise<readonly Gap[]>;
  addGap(gap: Gap): Promise<void>;
}

const SWEPT_FORM = /^\{"v":1,"closedBefore":"([^"]+)"\}\n$/;
const GAP_FORM = /^\{"v":1,"from":"([^"]+)","to":"([^"]+)"\}$/;

export function positionIn(dir: string, deployment: string): ArchivePosition {
  const root = resolve(dir);
  const file = join(root, `.swept-${deployment}.json`);
  const gapsFile = join(root, `.gaps-${deployment}.jsonl`);
  return {
    async swept() {
      const ms = Date.parse(SWEPT_FORM.exec(await textOf(file))?.[1] ?? '');
      // From the beginning when nobody knows: what is there is not written twice.
      return Number.isNaN(ms) ? 0 : ms;
    },
    async moveTo(ms) {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const beside = `${file}.${randomUUID()}.tmp`;
      try {
        await writeFile(beside, `{"v":1,"closedBefore":"${new Date(ms).toISOString()}"}\n`, { mode: 0o600, flush: true });
        await rename(beside, file);
      } finally {
        await rm(beside, { force: true });
      }
    },
    async gaps() {
      const lines = (await textOf(gapsFile)).split('\n').filter((line) => line !== '');
      return lines.map((line) => {
        const [, from = '', to = ''] = GAP_FORM.exec(line) ?? [];
        const [fromMs, toMs] = [Date.parse(from), Date.parse(to)];
        // A line that cannot be read may stand for any time.
        return Number.isNaN(fromMs) || Number.isNaN(toMs) ? { fromMs: 0, toMs: Infinity } : { fromMs, toMs };
      });
    },
    async addGap({ fromMs, toMs }) {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const line = `{"v":1,"from":"${new Date(fromMs).toISOString()}","to":"${new Date(toMs).toISOString()}"}\n`;
      await appendFile(gapsFile, line, { mode: 0o600, flush: true });
    },
  };
}

const textOf = async (file: string): Promise<string> =>
  await readFile(file, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  });

/** How long the server keeps what has closed. */
export async function retentionMs(host: Host): Promise<number> {
  return await call(host, 'cannot look up the retention', undefined, async () => {
    const described = await host.client.workflowService.describeNamespace({ namespace: host.namespace });
    return Number(described.config?.workflowExecutionRetentionTtl?.seconds ?? 0) * 1_000;
  });
}
