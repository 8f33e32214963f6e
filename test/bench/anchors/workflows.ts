/** The anchors: the same evaluation without tribunal, written the obvious way, and the least that is durable at all. */
import { condition, defineUpdate, proxyActivities, proxyLocalActivities, setHandler } from '@temporalio/workflow';
import type { Finding } from '../../../src/domain/finding.js';
import { decide, stagesOf, type WorkloadRequest } from '../workload.js';
import type { AnchorActivities } from './activities.js';

export interface AnchorInput extends WorkloadRequest {
  readonly width: number;
}

export interface AnchorResult {
  readonly decision: 'allow' | 'deny' | 'escalate';
  readonly results: Readonly<Record<string, Finding>>;
}

const { runCritic } = proxyActivities<AnchorActivities>({ startToCloseTimeout: '1 minute' });
const { runAll } = proxyLocalActivities<AnchorActivities>({ startToCloseTimeout: '1 minute' });

/** One activity a critic; each gets the content and all results so far. */
export async function naive({ content, context, riskTier, width }: AnchorInput): Promise<AnchorResult> {
  const results: Record<string, Finding> = {};
  for (const { critics, leading } of stagesOf(width)) {
    if (!leading && riskTier !== 'high') continue;
    const prior = { ...results };
    const findings = await Promise.all(critics.map(({ name }) => runCritic({ name, content, context, prior })));
    critics.forEach(({ name }, index) => {
      const finding = findings[index];
      if (finding !== undefined) results[name] = finding;
    });
  }
  return { decision: decide(Object.values(results)), results };
}

/** Start and result are durable, nothing between. */
export async function floor(input: AnchorInput): Promise<AnchorResult> {
  return await runAll(input);
}

/** The least that an update can be: no validator, nothing done, nothing returned. */
export const nothing = defineUpdate('nothing');

/** Sleeps, and answers updates, until it is terminated. */
export async function answering(): Promise<void> {
  setHandler(nothing, () => undefined);
  await condition(() => false);
}
