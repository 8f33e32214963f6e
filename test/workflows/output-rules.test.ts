/** Findings that are none, or break the plan's output rules, on the real server: remote critics and local ones. */
import { join } from 'node:path';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineCritic } from '../../src/critics/critic.js';
import { callsIn, criticOf, makeHarness, type Harness } from '../support/harness.js';

const finding = { severity: 0.4, violations: [{ code: 'x', message: 'found' }] };

/** By name: what the plan demands, what the critic answers, and which code is expected; none when the answer is in order. */
const SUBJECTS: Record<string, { critic?: object; with?: object; uses?: string; code?: string }> = {
  lacks_a_field: { critic: { requiredOutputFields: ['severity', 'score'] }, with: { finding }, code: 'REQUIRED_FIELD' },
  has_the_field: { critic: { requiredOutputFields: ['severity', 'score'] }, with: { finding: { ...finding, score: 0 } } },
  breaks_the_rule: { critic: { validateOutput: 'output.severity <= 0.3' }, with: { finding }, code: 'OUTPUT_RULE' },
  keeps_the_rule: { critic: { validateOutput: 'output.severity <= 0.4 && output.violations.size() == 1' }, with: { finding } },
  breaks_in_the_rule: { critic: { validateOutput: '1 / (output.violations.size() - 1) > 0' }, with: { finding }, code: 'OUTPUT_RULE' },
  severity_as_text: { with: { return: 'number_as_text' }, code: 'NOT_A_FINDING' },
  severity_in_a_list: { with: { return: 'number_in_list' }, code: 'NOT_A_FINDING' },
  severity_not_a_number: { with: { return: 'nan' }, code: 'NOT_A_FINDING' },
  severity_seven: { with: { return: 'out_of_range' }, code: 'NOT_A_FINDING' },
  nothing_at_all: { with: { return: 'empty' }, code: 'NOT_A_FINDING' },
  own_schema: { uses: 'with_own_schema', code: 'NOT_A_FINDING' },
};
const names = Object.keys(SUBJECTS);
const refused = names.filter((name) => SUBJECTS[name]?.code !== undefined);

const withOwnSchema = defineCritic({
  name: 'with_own_schema',
  version: '1.0.0',
  output: z.object({ details: z.object({ model: z.string() }) }),
  evaluate: () => ({ severity: 0, violations: [], details: { model: 7 } }),
});

function critics(dir: string, dispatch: 'activity' | 'local', extra: object = {}): Record<string, object> {
  return Object.fromEntries(
    Object.entries(SUBJECTS).map(([name, { critic = {}, with: options = {}, uses = 'scripted' }]) => [
      name,
      {
        uses,
        stage: 'core_analysis',
        dispatch,
        ...critic,
        ...extra,
        with: uses === 'scripted' ? { record: join(dir, `${dispatch}.jsonl`), name, ...options } : {},
      },
    ]),
  );
}

const PLANS = (dir: string) => [
  { plan: 'remote', version: 1, timeouts: { global: '60s' }, critics: critics(dir, 'activity'), verdict: { otherwise: 'allow' } },
  { plan: 'at_home', version: 1, timeouts: { global: '60s' }, critics: critics(dir, 'local'), verdict: { otherwise: 'allow' } },
  {
    plan: 'strict',
    version: 1,
    timeouts: { global: '60s' },
    critics: critics(dir, 'activity', { onFailure: 'deny' }),
    verdict: { otherwise: 'allow' },
  },
];

describe('output rules', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await makeHarness({ plans: PLANS, critics: [withOwnSchema] });
  });
  afterAll(() => harness.close());

  it.each([
    { where: 'a remote critic', plan: 'remote', file: 'activity.jsonl' },
    { where: 'a local critic', plan: 'at_home', file: 'local.jsonl' },
  ])('make a bad answer of $where an invalid output, which is not asked for again and escalates', async ({ plan, file }) => {
    const report = await harness.client.evaluate({ plan, content: 'text' });
    expect(report).toMatchObject({ decision: 'escalate', escalatedBy: 'failures' });
    for (const name of names) {
      const code = SUBJECTS[name]?.code;
      const expected = code === undefined ? { outcome: 'succeeded' } : { outcome: 'invalid_output', code };
      expect(criticOf(report, name), name).toMatchObject({ ...expected, attempts: 1 });
    }
    expect(report.coverage).toEqual({ planned: names.length, succeeded: names.length - refused.length, invalid_output: refused.length });
    expect(report.reasons.map((reason) => reason.critic ?? '').toSorted()).toEqual(refused.toSorted());
    const starts = (await callsIn(join(harness.dir, file))).filter((call) => call.event === 'start');
    expect(starts.map((call) => call.name ?? '').toSorted()).toEqual(names.filter((name) => name !== 'own_schema').toSorted());
  });

  it('leave nothing of a bad answer in the report, so that no rule can read it', async () => {
    const report = await harness.client.evaluate({ plan: 'remote', content: 'text' });
    for (const name of refused) expect(criticOf(report, name).finding, name).toBeUndefined();
  });

  it('mean what the plan says they mean', async () => {
    expect((await harness.client.evaluate({ plan: 'strict', content: 'text' })).decision).toBe('deny');
  });
});
