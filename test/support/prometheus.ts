/** A real Prometheus on the loopback interface that watches one worker, for tests of alerts and dashboards. */
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually } from './processes.js';

const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
export const hasPromtool = isThere('promtool');
export const hasPrometheus = isThere('prometheus');

export interface Prometheus {
  /** The answer's `data`. */
  ask(path: string): Promise<unknown>;
  /** Results of an instant query. */
  query(expression: string): Promise<{ readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[]>;
  stop(): Promise<void>;
}

/** Asks the target each second, so that rates are there soon. */
export async function startPrometheus(dir: string, target: string, rules: string): Promise<Prometheus> {
  const port = await freePort();
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: [{ job_name: 'tribunal', static_configs: [{ targets: [target] }] }],
  };
  // JSON is YAML.
  writeFileSync(join(dir, 'prometheus.yml'), JSON.stringify(config));
  const child = spawn(
    'prometheus',
    [`--config.file=${join(dir, 'prometheus.yml')}`, `--storage.tsdb.path=${join(dir, 'tsdb')}`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<void>((settle) => child.once('close', () => settle()));
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data?: unknown; error?: string };
    if (status !== 'success') throw new Error(`${path}: ${error ?? response.status}`);
    return data;
  };
  await eventually('prometheus answers', async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended:\n${said}`);
    return await ask('status/runtimeinfo').catch(() => undefined);
  });
  return {
    ask,
    async query(expression) {
      const { result } = (await ask(`query?query=${encodeURIComponent(expression)}`)) as {
        result: Awaited<ReturnType<Prometheus['query']>>;
      };
      return result;
    },
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle));
  const { port } = server.address() as AddressInfo;
  await new Promise((settle) => server.close(settle));
  return port;
}
