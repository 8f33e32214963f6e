/**
 * What every variant judges: ten critics that do nothing (or sleep), in six stages, over 3 KB of content.
 * Loaded into the sandbox of the anchors' workflows too, so it imports types alone.
 */
import type { Finding } from '../../src/domain/finding.js';
import type { Dispatch, ExecutionStage } from '../../src/domain/plan.js';

export interface WorkloadCritic {
  readonly name: string;
  readonly stage: ExecutionStage;
  readonly dispatch: Dispatch;
  /** Runs whatever the risk; the others only when it is high. */
  readonly leading: boolean;
}

export interface WorkloadRequest {
  readonly content: string;
  readonly context: { readonly sleepMs: number };
  readonly riskTier: 'low' | 'high';
}

/** Full: all critics run. Gated: the leading ones. */
export type Kind = 'full' | 'gated';

interface StageShape {
  readonly stage: ExecutionStage;
  readonly count: number;
  readonly dispatch: Dispatch;
  readonly leading: boolean;
}

const SHAPE: readonly StageShape[] = [
  { stage: 'pre_validation', count: 1, dispatch: 'local', leading: true },
  { stage: 'fast_critics', count: 2, dispatch: 'local', leading: true },
  { stage: 'core_analysis', count: 3, dispatch: 'activity', leading: false },
  { stage: 'deep_analysis', count: 2, dispatch: 'activity', leading: false },
  { stage: 'post_processing', count: 1, dispatch: 'local', leading: false },
  { stage: 'validation', count: 1, dispatch: 'local', leading: false },
];

/** The stages of the workload with their critics, `width` times as many as usual. */
export function stagesOf(width: number): { readonly leading: boolean; readonly critics: readonly WorkloadCritic[] }[] {
  return SHAPE.map(({ stage, count, dispatch, leading }) => ({
    leading,
    critics: Array.from({ length: count * width }, (_, index) => ({ name: `${stage}_${index + 1}`, stage, dispatch, leading })),
  }));
}

/** How many critics a request makes run. */
export function expectedRuns(kind: Kind, width: number): number {
  const stages = stagesOf(width).filter(({ leading }) => leading || kind === 'full');
  return stages.reduce((sum, { critics }) => sum + critics.length, 0);
}

/** Sleeping critics run one stage after another, the ones of a stage beside each other. */
export const criticalPathMs = (kind: Kind, sleepMs: number): number =>
  sleepMs * SHAPE.filter(({ leading }) => leading || kind === 'full').length;

const CONTENT_BYTES = 3_000;
const SENTENCE = 'The answer names its sources and says what it leaves out. ';

export function request(kind: Kind, sleepMs = 0): WorkloadRequest {
  const content = SENTENCE.repeat(Math.ceil(CONTENT_BYTES / SENTENCE.length)).slice(0, CONTENT_BYTES);
  return { content, context: { sleepMs }, riskTier: kind === 'full' ? 'high' : 'low' };
}

const FINDING_BYTES = 300;
const bare: Finding = { severity: 0.1, violations: [], score: 0.9, evidence: [''] };
const finding: Finding = { ...bare, evidence: ['x'.repeat(FINDING_BYTES - JSON.stringify(bare).length)] };

/** The critic of all variants. */
export async function judge({ context }: Pick<WorkloadRequest, 'context'>): Promise<Finding> {
  if (context.sleepMs > 0) await new Promise((resolve) => setTimeout(resolve, context.sleepMs));
  return finding;
}

/** The verdict that the plan of ours has as rules. */
export function decide(findings: readonly Finding[]): 'allow' | 'deny' | 'escalate' {
  if (findings.some(({ severity }) => severity >= 0.9)) return 'deny';
  return findings.some(({ violations }) => violations.length > 0) ? 'escalate' : 'allow';
}
