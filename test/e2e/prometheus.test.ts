/**
 * Alerts and dashboard against a real Prometheus that asks a real worker: every expression is understood, every series that
 * it names exists, and every panel shows something once there is something to show.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build, eventually, says } from '../support/processes.js';
import { hasPrometheus, startPrometheus, type Prometheus } from '../support/prometheus.js';
import { makeScene } from '../support/scene.js';

const root = join(import.meta.dirname, '..', '..');

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const { panels } = JSON.parse(readFileSync(join(root, 'docs/grafana.json'), 'utf8')) as { panels: readonly Panel[] };
/** What Grafana puts in. */
const filled = (expression: string): string => expression.replaceAll('$deployment', '.*').replaceAll('$__rate_interval', '10m');

/** Series of which this worker has none, and why. */
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [/^tribunal_lane_/, 'no lane has a limit over processes here; `unit/probes.test.ts` shows that they are told'],
  [/^temporal_workflow_task_execution_failed_total$/, 'no workflow task fails here'],
];
const isAbsent = (name: string): boolean => ABSENT.some(([names]) => names.test(name));

const namesIn = (expression: string): string[] => expression.match(/\b(?:tribunal|temporal)_[a-z_]+/g) ?? [];

/** One flags what is bad, one cannot judge what breaks. */
const CRITICS = `export default [
  { name: 'words', version: '1.0.0', evaluate: ({ content }) =>
    content === 'bad' ? { severity: 0.9, violations: [{ code: 'bad', message: 'bad' }] } : { severity: 0, violations: [] } },
  { name: 'breaks', version: '1.0.0', evaluate({ content }) {
    if (content === 'breaks') throw Object.assign(new Error('x'), { kind: 'permanent', code: 'MY_OWN' });
    return { severity: 0, violations: [] };
  } },
];`;

beforeAll(build);

describe.skipIf(!hasPrometheus)('a Prometheus that asks a worker (skipped where prometheus is not installed)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tribunal-prometheus-'));
  let prometheus: Prometheus | undefined;
  afterAll(async () => {
    await prometheus?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('understands every alert, finds every series that is named, and has something to show in every panel', async (context) => {
    const remote = { uses: 'scripted', stage: 'deep_analysis', retryBackoffBase: 1 };
    const scene = await makeScene(
      context,
      () => ({
        critics: {
          words: { uses: 'words', stage: 'fast_critics', dispatch: 'local' },
          judge: { ...remote, with: { failTimes: 1, finding: { severity: 0.2, cost: { usd: 0.01, inputTokens: 7, outputTokens: 2 } } } },
          breaks: { ...remote, uses: 'breaks', stage: 'validation', maxRetries: 0 },
        },
      }),
      () => CRITICS,
    );
    const worker = await scene.worker({ TRIBUNAL_METRICS: '127.0.0.1:0' });
    const [, target = ''] = await says(worker, /metrics at http:\/\/([\d.:]+)\/metrics/);
    const started = (prometheus = await startPrometheus(dir, target, join(root, 'docs/alerts.yaml')));
    const judgeAll = async (): Promise<string[]> => {
      const reports = await Promise.all(['good', 'bad', 'breaks'].map((content) => scene.client.evaluate({ plan: 'scene', content })));
      return reports.map(({ decision }) => decision);
    };
    const seen = async (count: number): Promise<void> => {
      await eventually(`${count} evaluations are scraped`, async () => {
        const [sum] = await started.query('sum(tribunal_evaluations_total)');
        return Number(sum?.value[1]) >= count ? true : undefined;
      });
    };
    // A rate is the difference of two looks: one round to make the series, one to move them.
    expect(await judgeAll()).toEqual(['allow', 'deny', 'not_judged']);
    await seen(3);
    await judgeAll();
    await seen(6);

    const found = (await started.ask('label/__name__/values')) as string[];
    const alerts = await eventually('every alert has been evaluated', async () => {
      const { groups } = (await started.ask('rules')) as {
        groups: { rules: { name: string; query: string; health: string; lastError?: string }[] }[];
      };
      const rules = groups.flatMap((group) => group.rules);
      return rules.length > 0 && rules.every(({ health }) => health !== 'unknown') ? rules : undefined;
    });
    expect(alerts.filter(({ health }) => health !== 'ok')).toEqual([]);
    const expressions = [...alerts.map(({ query }) => query), ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))];
    const named = new Set(expressions.flatMap(namesIn));
    expect([...named].filter((name) => !found.includes(name) && !isAbsent(name))).toEqual([]);

    for (const { title, targets } of panels) {
      for (const { expr } of targets) {
        const results = await started.query(filled(expr));
        if (namesIn(expr).every(isAbsent)) continue;
        expect(results.length, `${title}: ${expr}`).toBeGreaterThan(0);
        expect(
          results.some(({ value }) => Number.isFinite(Number(value[1]))),
          `${title}: ${expr}`,
        ).toBe(true);
      }
    }
    const [ready] = await started.query(filled(panels[0]?.targets[0]?.expr ?? ''));
    expect(ready).toMatchObject({ metric: { deployment: scene.deployment }, value: [expect.any(Number), '1'] });
    // One in three was not judged; what Prometheus adds at the edges of its window differs from series to series.
    const [share] = await started.query(filled(panels.find(({ title }) => title === 'Share that is not judged')?.targets[0]?.expr ?? ''));
    expect(Number(share?.value[1])).toBeGreaterThan(0.1);
    expect(Number(share?.value[1])).toBeLessThan(0.9);
  });
});

test('the dashboard has ten panels, and asks the Prometheus and for the deployments that are chosen', () => {
  expect(panels).toHaveLength(10);
  for (const { targets } of panels) for (const { expr } of targets) expect(expr).toContain('{deployment=~"$deployment"');
});
