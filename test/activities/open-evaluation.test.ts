/** What `open` refuses and pins, called as a plain function; the limits at the limit and one byte above. */
import { ApplicationFailure } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { openEvaluation, type OpenDeps } from '../../src/activities/open-evaluation.js';
import type { EvaluateInput, OpenResult } from '../../src/contract.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { requestDigest } from '../../src/digest.js';
import type { Json } from '../../src/domain/finding.js';
import { jsonBytes } from '../../src/domain/bytes.js';
import { useOf, type Plan } from '../../src/domain/plan.js';
import type { EvaluationRequest } from '../../src/domain/request.js';
import { critic, plan } from '../support/plans.js';

const request = (overrides: Partial<EvaluationRequest> = {}): EvaluationRequest => ({
  plan: 'test_plan',
  tenant: 'default',
  key: 'k',
  content: 'text',
  context: {},
  class: 'interactive',
  gating: 'on',
  ...overrides,
});

const inputOf = (of: EvaluationRequest): EvaluateInput => ({ v: 1, request: of, requestDigest: requestDigest(of) });

async function open(
  of: Plan,
  value: unknown,
  workflowId = 'default/k',
  lead = true,
  memo?: string,
  more: Pick<OpenDeps, 'tenants' | 'notify'> = {},
): Promise<OpenResult> {
  const host = {
    registry: makeRegistry(),
    secrets: () => undefined,
    fetch: globalThis.fetch,
    signal: new AbortController().signal,
    workflowId,
    runId: 'run',
    log: () => undefined,
  };
  const deps = {
    deployment: 'd',
    priorityLevels: 10,
    plans: new Map([[of.name, of]]),
    ...more,
  } as const;
  return await openEvaluation(deps, host, value, {
    lead,
    ...(memo !== undefined ? { memo } : {}),
  });
}

async function refusal(of: Plan, value: unknown, workflowId?: string): Promise<{ code: unknown; message: string }> {
  const thrown: unknown = await open(of, value, workflowId).catch((error: unknown) => error);
  if (!(thrown instanceof ApplicationFailure) || thrown.type !== 'RequestRefused' || thrown.nonRetryable !== true)
    throw new Error('it was not refused');
  const [details] = thrown.details ?? [];
  return { code: (details as { code?: unknown } | undefined)?.code, message: thrown.message };
}

/** A text whose canonical form, with an empty context, has so many bytes. */
const contentOf = (bytes: number): Json => 'x'.repeat(bytes - 2 - 2);

describe('open', () => {
  const remote = (count: number, overrides: Parameters<typeof critic>[1] = {}): Plan =>
    plan(Array.from({ length: count }, (_, index) => critic(`c${index}`, overrides)));

  it('pins the plan, the hash of the content and the risk tier', async () => {
    const of = plan([critic('only', { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', attemptTimeoutMs: 1_000 })]);
    const opened = await open(of, inputOf(request({ riskTier: 'high' })));
    expect(opened).toMatchObject({ plan: of, deployment: 'd', facts: { riskTier: 'high', tenant: 'default', size: 8 } });
    expect(opened.contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(opened.led.records).toMatchObject([{ name: 'only', outcome: 'succeeded' }]);
  });

  it('pins the weight of the tenant, and none for a tenant without one, whatever it is called', async () => {
    const weightOf = async (tenant: string): Promise<unknown> => {
      const tenants = { acme: { weight: 3 } };
      return (await open(remote(1), inputOf(request({ tenant })), `${tenant}/k`, true, undefined, { tenants })).fairnessWeight;
    };
    expect(await Promise.all(['acme', 'other', 'constructor', '__proto__'].map(weightOf))).toEqual([3, undefined, undefined, undefined]);
  });

  it('pins who hears the verdict, and says nothing where nobody does', async () => {
    const openWith = async (notify: NonNullable<OpenDeps['notify']>): Promise<OpenResult> =>
      await open(remote(1), inputOf(request()), 'default/k', true, undefined, { notify });
    const app = { log: true, events: ['verdict', 'review_decided'] } as const;
    expect((await openWith({ app, oncall: { log: true }, ledger: { log: true, events: ['verdict'] } })).hearing).toEqual(['app', 'ledger']);
    expect(await openWith({ oncall: { log: true }, decided: { log: true, events: ['review_decided'] } })).not.toHaveProperty('hearing');
  });

  it('runs no critic when it is asked to pin the plan only', async () => {
    const of = plan([critic('only', { dispatch: 'local', attemptTimeoutMs: 1_000 })]);
    expect((await open(of, inputOf(request()), 'default/k', false)).led).toEqual({ records: [], stages: [] });
  });

  it('refuses a plan that the deployment does not have, and names those that it has', async () => {
    const refused = await refusal(remote(1), inputOf(request({ plan: 'other' })));
    expect(refused).toEqual({ code: 'UNKNOWN_PLAN', message: 'refused: the deployment d has no plan other; it has test_plan' });
  });

  it('refuses a digest that was not made of the request', async () => {
    const input = { ...inputOf(request()), requestDigest: requestDigest(request({ content: 'other' })) };
    expect(await refusal(remote(1), input)).toMatchObject({ code: 'DIGEST_MISMATCH' });
  });

  it('refuses a memo that speaks of another request: by it a second start of the key is compared', async () => {
    const input = inputOf(request());
    await expect(open(remote(1), input, 'default/k', true, input.requestDigest)).resolves.toBeDefined();
    await expect(open(remote(1), input, 'default/k', true, requestDigest(request({ content: 'other' })))).rejects.toThrow(
      'the digest in the memo is that of another request',
    );
  });

  it('refuses a run whose id is not that of its request: a key stands for one evaluation', async () => {
    expect(await refusal(remote(1), inputOf(request()), 'default/another')).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('default/k'),
    });
  });

  it.each([[undefined], [null], ['text'], [{}], [{ v: 2 }], [{ v: 1, request: {} }], [[1]]])('refuses the input %j', async (value) => {
    expect(await refusal(remote(1), value)).toMatchObject({ code: 'BAD_REQUEST' });
  });

  it("takes content of the plan's own limit and refuses one byte more", async () => {
    const of = plan([critic('one')], { limits: { maxConcurrentPerStage: {}, maxContentBytes: 100 } });
    expect((await open(of, inputOf(request({ content: contentOf(100) })))).facts.size).toBe(100);
    expect(await refusal(of, inputOf(request({ content: contentOf(101) })))).toMatchObject({ code: 'TOO_LARGE' });
  });

  it('takes copies of 3 MB for the critics of one stage and refuses one byte more each', async () => {
    const copies = 16;
    const of = remote(copies);
    // Beside the content a call has the critic's own part and 1 KB for names, queue and time-outs.
    const calls = of.critics.reduce((sum, one) => sum + jsonBytes(useOf(one)) + 1_024, 0);
    const each = Math.floor((3 * 1_048_576 - calls) / copies);
    expect((await open(of, inputOf(request({ content: contentOf(each) })))).facts.size).toBe(each);
    expect(await refusal(of, inputOf(request({ content: contentOf(each + 1) })))).toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringContaining('core_analysis'),
    });
  });

  it('counts the findings that a stage may have to hand over', async () => {
    const first = critic('first', { stage: 'fast_critics' });
    const wide = Array.from({ length: 200 }, (_, index) => critic(`w${index}`, { stage: 'fast_critics', dispatch: 'local' }));
    const last = critic('last', { stage: 'validation', dependsOn: wide.map(({ name }) => name) });
    // One critic is never handed more than 512 KB of findings, however many it depends on.
    expect((await open(plan([...wide, last]), inputOf(request()), 'default/k', false)).facts.size).toBe(8);
    const of = plan([first, ...Array.from({ length: 193 }, (_, index) => critic(`c${index}`, { dependsOn: ['first'] }))]);
    // 193 findings of at most 16 KB are more than 3 MB, whatever the content.
    expect(await refusal(of, inputOf(request()))).toMatchObject({ code: 'TOO_LARGE' });
  });

  it('takes copies of 16 MB over all stages and refuses more', async () => {
    const stages = ['pre_validation', 'fast_critics', 'core_analysis', 'deep_analysis', 'post_processing', 'validation'] as const;
    const of = plan(stages.flatMap((stage) => Array.from({ length: 12 }, (_, index) => critic(`${stage}_${index}`, { stage }))));
    const most = Math.floor((16 * 1_048_576) / of.critics.length);
    expect((await open(of, inputOf(request({ content: contentOf(most) })))).facts.size).toBe(most);
    expect(await refusal(of, inputOf(request({ content: contentOf(most + 1) })))).toMatchObject({ code: 'TOO_LARGE' });
  });

  it('lets a plan raise the risk and never lower it', async () => {
    const raising = (when: string, tier: 'high' | 'medium'): Plan =>
      plan([critic('one')], { risk: { default: 'low', floor: 'low', atLeast: [{ tier, when }] } });
    const medical = request({ context: { domain: 'medical' }, riskTier: 'low' });
    expect((await open(raising("has(context.domain) && context.domain == 'medical'", 'high'), inputOf(medical))).facts.riskTier).toBe(
      'high',
    );
    expect((await open(raising('true', 'medium'), inputOf(request({ riskTier: 'critical' })))).facts.riskTier).toBe('critical');
  });

  it('raises the risk by a rule that errs, and says so', async () => {
    const of = plan([critic('one')], {
      risk: { default: 'low', floor: 'low', atLeast: [{ tier: 'high', when: 'has(context.age) && context.age > 17.0' }] },
    });
    const { facts } = await open(of, inputOf(request({ context: { age: 'old' } })));
    expect(facts.riskTier).toBe('high');
    expect(facts.riskErrors).toEqual([expect.stringContaining('the rule for high risk could not be evaluated')]);
  });
});
