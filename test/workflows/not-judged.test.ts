/** An evaluation that cannot judge says so where operators look: status, failure, search attributes, current details. */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../../src/contract.js';
import type { EvaluationReport } from '../../src/domain/report.js';
import { makeHarness, type Harness } from '../support/harness.js';
import { decode, until } from '../support/history.js';

const PLAN = {
  plan: 'outage',
  version: 4,
  defaults: { maxRetries: 0 },
  timeouts: { global: '60s' },
  critics: {
    flags: {
      uses: 'scripted',
      stage: 'fast_critics',
      dispatch: 'local',
      with: { finding: { severity: 0.6, violations: [{ code: 'x', message: 'found' }] } },
    },
    judge: { uses: 'scripted', stage: 'core_analysis', with: { throw: 'permanent' } },
    behind: { uses: 'scripted', stage: 'core_analysis', dispatch: 'activity', dependsOn: ['judge'] },
    watcher: { uses: 'scripted', stage: 'core_analysis', mode: 'shadow', with: { throw: 'permanent' } },
    later: { uses: 'scripted', stage: 'validation' },
  },
  verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.5)', reason: 'something was found' }], otherwise: 'allow' },
};

const CLEAN = { ...PLAN, plan: 'clean', critics: { only: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local' } } };
const DENIED = {
  ...PLAN,
  plan: 'denied',
  critics: { ...PLAN.critics, ruin: { uses: 'scripted', stage: 'core_analysis', with: { finding: { severity: 1 } } } },
  verdict: { rules: [{ deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe' }], otherwise: 'allow' },
};

describe('an evaluation that cannot judge', () => {
  let harness: Harness;
  let report: EvaluationReport;
  beforeAll(async () => {
    harness = await makeHarness({ plans: [PLAN, CLEAN, DENIED] });
    report = await harness.client.evaluate({ plan: 'outage', content: 'text', tenant: 'acme', riskTier: 'high' });
  });
  afterAll(() => harness.close());

  it('closes as failed with a typed failure that holds the report', async () => {
    const error: unknown = await harness.temporal.workflow.result(report.evaluationId).catch((thrown: unknown) => thrown);
    if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure)) throw error;
    expect(error.cause).toMatchObject({ type: 'NotJudged', nonRetryable: true });
    expect(error.cause.message).toMatch(/^not judged: judge: failed/);
    expect(error.cause.details).toEqual([report]);
    expect(report).toMatchObject({ decision: 'not_judged', coverage: { planned: 4, succeeded: 2, failed: 1, skipped: 1 } });
    expect((await harness.client.handle(report.evaluationId).status()).status).toBe('failed');
    expect(await harness.client.handle(report.evaluationId).result()).toEqual(report);
  });

  it('says so although a rule would escalate, and a deny still outranks it', async () => {
    expect(report.reasons.map(({ code, effect }) => ({ code, effect }))).toEqual([
      { code: 'RULE', effect: 'escalate' },
      { code: 'SCRIPTED_PERMANENT', effect: 'fail' },
    ]);
    expect((await harness.client.evaluate({ plan: 'denied', content: 'text' })).decision).toBe('deny');
  });

  it('is found in the index by decision, plan, tenant, tier and by the critics that failed or flagged', async () => {
    const query = [
      `WorkflowId = '${report.evaluationId}'`,
      `TribunalDecision = 'not_judged'`,
      `TribunalPlan = 'outage@4'`,
      `TribunalTenant = 'acme'`,
      `TribunalRisk = 'high'`,
      `TribunalCritics = 'fail:judge@4'`,
      `TribunalCritics = 'flag:flags@4'`,
      `ExecutionStatus = 'Failed'`,
    ].join(' AND ');
    // The index follows the truth a moment later.
    const found = await until(async () => {
      for await (const info of harness.temporal.workflow.list({ query })) return info;
      return undefined;
    });
    expect(found.typedSearchAttributes.get(SEARCH_ATTRIBUTES.critics)?.toSorted()).toEqual([
      'fail:behind@4',
      'fail:judge@4',
      'flag:flags@4',
    ]);
    expect(found.typedSearchAttributes.get(SEARCH_ATTRIBUTES.degraded)).toBe(report.degraded);
  });

  it('names in its current details the event to reset to, which the report names too', async () => {
    const details = await currentDetails(report.evaluationId);
    expect(details).toContain('NOT JUDGED');
    expect(details).toContain(`temporal workflow reset --workflow-id ${report.evaluationId} --event-id ${report.reset?.keepSiblings}`);
    expect(details).toContain('`judge` failed');
    const event = (await harness.history(report.evaluationId)).find((one) => Number(one.eventId) === report.reset?.keepSiblings);
    // A reset goes to a workflow task that was completed.
    expect(event?.workflowTaskCompletedEventAttributes).toBeTruthy();
  });

  it('is the only one that names such an event: an allow has nothing to mend', async () => {
    const clean = await harness.client.evaluate({ plan: 'clean', content: 'text' });
    const details = await currentDetails(clean.evaluationId);
    expect(details).toContain('ALLOW');
    expect(details).not.toContain('reset');
  });

  async function currentDetails(workflowId: string): Promise<string> {
    const { queryResult } = await harness.connection.workflowService.queryWorkflow({
      namespace: inject('server').namespace,
      execution: { workflowId },
      query: { queryType: '__temporal_workflow_metadata' },
    });
    return decode<{ readonly currentDetails?: string }>(queryResult)?.currentDetails ?? '';
  }
});
