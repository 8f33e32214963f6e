/** The files for containers, as far as they can be read without an engine: what is copied, how it runs, how it is probed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadSettings } from '../../src/settings.js';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Instruction {
  readonly name: string;
  readonly text: string;
  /** From 0. */
  readonly stage: number;
}

function instructions(): Instruction[] {
  const lines = read('Dockerfile')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  let stage = -1;
  return lines.map((line) => {
    const [, name = '', text = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (name === 'FROM') stage += 1;
    return { name, text: text.trim(), stage };
  });
}

const all = instructions();
const of = (name: string): Instruction[] => all.filter((one) => one.name === name);
const last = Math.max(...all.map(({ stage }) => stage));

/** Sources from the checkout, by stage. */
const copied = of('COPY')
  .filter(({ text }) => !text.startsWith('--from='))
  .flatMap(({ text, stage }) =>
    text
      .split(/\s+/)
      .slice(0, -1)
      .map((source) => ({ source, stage })),
  );

describe('the Dockerfile', () => {
  it('copies what there is, and the ignore file lets exactly that through', () => {
    expect(copied.filter(({ source }) => !existsSync(join(root, source)))).toEqual([]);
    const [everything, ...let_] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(everything).toBe('*');
    expect(let_.toSorted()).toEqual([...new Set(copied.map(({ source }) => `!${source}`))].toSorted());
  });

  it('builds from everything that the build is made from', () => {
    const [, list = ''] = /BUILT_FROM = \[(.*?)\]/s.exec(read('scripts/setup.mjs')) ?? [];
    const needed = Array.from(list.matchAll(/'([^']+)'/g), ([, place = '']) => place);
    expect(needed.length).toBeGreaterThan(4);
    const built = copied.filter(({ stage }) => stage === 0).map(({ source }) => source);
    expect(needed.filter((place) => !built.includes(place))).toEqual([]);
    expect(of('RUN').find(({ stage }) => stage === 0)?.text).toBe(read('package.json').match(/"build": "(.*)"/)?.[1]);
  });

  it('pins its images, of a Node that the package takes', () => {
    const images = of('FROM').map(({ text }) => text.split(' ')[0]);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(/^node:20\.\d+\.\d+-bookworm-slim$/);
  });

  it('has no development packages in the image that runs, and takes nothing of the build but dist', () => {
    const final = all.filter(({ stage }) => stage === last);
    expect(final.filter(({ text }) => text.includes('npm ')).map(({ text }) => text)).toEqual([
      expect.stringContaining('npm ci --omit=dev --ignore-scripts'),
    ]);
    expect(of('COPY').flatMap(({ text }) => (text.startsWith('--from=') ? [text] : []))).toEqual(['--from=build /app/dist dist']);
  });

  it('runs a worker without root, a shell or a secret', () => {
    const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> };
    expect(all.findLast(({ name }) => name === 'USER')?.text).toBe('node');
    expect(of('RUN').at(-1)?.text).toBe(`ln -s /app/${bin['tribunal']?.replace('./', '')} /usr/local/bin/tribunal`);
    expect(JSON.parse(of('ENTRYPOINT')[0]?.text ?? '')).toEqual(['tribunal']);
    expect(JSON.parse(of('CMD')[0]?.text ?? '')).toEqual(['worker']);
    expect([...of('ARG'), ...of('ADD')]).toEqual([]);
    expect(of('ENV').map(({ text }) => text)).toEqual(['NODE_ENV=production TRIBUNAL_LOG_FORMAT=json TRIBUNAL_METRICS=:9464']);
  });

  it('asks at its own port whether it lives', () => {
    const port = of('EXPOSE')[0]?.text;
    expect(of('ENV')[0]?.text).toContain(`TRIBUNAL_METRICS=:${port}`);
    expect(of('HEALTHCHECK')[0]?.text).toContain(`http://127.0.0.1:${port}/livez`);
  });
});

interface Container {
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly [probe: string]: unknown;
}
interface Manifest {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly Container[] };
    };
  };
}

describe('the example for a cluster', () => {
  const manifest = parse(read('deploy/kubernetes.yaml')) as Manifest;
  const { metadata, spec: pod } = manifest.spec.template;
  const container = pod.containers[0] as Container;
  const environment = Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
  const loaded = loadSettings(environment);
  const settings = loaded.ok ? loaded.settings : undefined;

  it('is one document with settings that a worker takes', () => {
    expect(parseAllDocuments(read('deploy/kubernetes.yaml'))).toHaveLength(1);
    expect(loaded).toMatchObject({ ok: true, settings: { logFormat: 'json' } });
  });

  it('kills no worker that still drains', () => {
    const [, forceMs = ''] = /FORCE_MS = (\d[\d_]*)/.exec(read('src/worker.ts')) ?? [];
    const drainMs = (settings?.shutdownGraceMs ?? Infinity) + Number(forceMs.replaceAll('_', ''));
    expect(pod.terminationGracePeriodSeconds * 1_000).toBeGreaterThan(drainMs);
  });

  it('probes the port at which the worker answers, and tells Prometheus the same', () => {
    const port = settings?.metrics?.port;
    expect(container.ports).toEqual([{ name: 'metrics', containerPort: port }]);
    expect(metadata.annotations['prometheus.io/port']).toBe(String(port));
    const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((name) => container[name]);
    expect(probes).toMatchObject([
      { httpGet: { path: '/livez', port: 'metrics' } },
      { httpGet: { path: '/livez', port: 'metrics' } },
      { httpGet: { path: '/readyz', port: 'metrics' } },
    ]);
  });
});
