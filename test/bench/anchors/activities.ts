/** Activities of the anchors: the workload's critic, one at a time or all of them. */
import type { Finding } from '../../../src/domain/finding.js';
import { decide, judge, stagesOf, type WorkloadRequest } from '../workload.js';
import type { AnchorInput, AnchorResult } from './workflows.js';

export interface CriticArguments extends Pick<WorkloadRequest, 'content' | 'context'> {
  readonly name: string;
  readonly prior: Readonly<Record<string, Finding>>;
}

export const anchorActivities = {
  runCritic: async (input: CriticArguments): Promise<Finding> => await judge(input),

  async runAll(input: AnchorInput): Promise<AnchorResult> {
    const results: Record<string, Finding> = {};
    for (const { critics, leading } of stagesOf(input.width)) {
      if (!leading && input.riskTier !== 'high') continue;
      const findings = await Promise.all(critics.map(async ({ name }) => [name, await judge(input)] as const));
      Object.assign(results, Object.fromEntries(findings));
    }
    return { decision: decide(Object.values(results)), results };
  },
};

export type AnchorActivities = typeof anchorActivities;
