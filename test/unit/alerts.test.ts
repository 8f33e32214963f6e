/** The alerts for Prometheus: that they are well formed, when each fires, and that they say what to do. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { hasPromtool } from '../support/prometheus.js';

const root = join(import.meta.dirname, '..', '..');

interface Rule {
  readonly alert: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const file = parse(readFileSync(join(root, 'docs/alerts.yaml'), 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const rules = file.groups.flatMap((group) => group.rules);

const promtool = (...args: string[]): { status: number | null; output: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: root, encoding: 'utf8' });
  return { status, output: stdout + stderr };
};

describe('the alerts', () => {
  it('are five, each with a time, a severity, a summary and what to do, and are told of in the paper for operators', () => {
    expect(rules).toHaveLength(5);
    for (const rule of rules) {
      expect(rule).toMatchObject({
        for: expect.stringMatching(/^\d+m$/),
        labels: { severity: expect.stringMatching(/^(critical|warning)$/) },
      });
      expect(Object.keys(rule.annotations).toSorted()).toEqual(['action', 'description', 'summary']);
    }
    const paper = readFileSync(join(root, 'docs/operations.md'), 'utf8');
    expect(rules.filter(({ alert }) => !paper.includes(`\`${alert}\``))).toEqual([]);
  });

  it.skipIf(!hasPromtool)('pass promtool, and each fires when it should and not before (skipped where promtool is not installed)', () => {
    expect(promtool('check', 'rules', 'docs/alerts.yaml')).toMatchObject({ status: 0, output: expect.stringContaining('5 rules found') });
    const tested = promtool('test', 'rules', 'test/support/alerts.test.yaml');
    expect(tested.status, tested.output).toBe(0);
    const written = readFileSync(join(root, 'test/support/alerts.test.yaml'), 'utf8');
    const firing = Array.from(written.matchAll(/alertname: (\w+)\n +exp_alerts:/g), ([, name]) => name);
    expect(rules.filter(({ alert }) => !firing.includes(alert))).toEqual([]);
  });
});
