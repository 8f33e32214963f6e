/** A report without critics, for tests of what happens to reports. */
import type { EvaluationReport } from '../../src/domain/report.js';

export const makeReport = (changes: Partial<EvaluationReport> = {}): EvaluationReport => ({
  v: 1,
  evaluationId: 'default/k',
  tenant: 'default',
  plan: { name: 'p', version: 1 },
  planHash: 'a'.repeat(64),
  contentHash: 'b'.repeat(64),
  riskTier: 'low',
  gating: 'on',
  decision: 'allow',
  reasons: [],
  coverage: { planned: 0 },
  covered: 1,
  degraded: false,
  critics: [],
  stages: [],
  metrics: {
    executed: 0,
    queueMs: { mean: 0, p95: 0 },
    runMs: { mean: 0, p95: 0 },
    mostAtOnce: { critics: 0 },
    rateLimited: 0,
    retried: 0,
    cost: { spent: 0, saved: 0, savedShare: 0, unknown: 0 },
    totalMs: 1,
    criticalPathMs: 1,
    overheadMs: 0,
    scope: 'deployment',
  },
  ...changes,
});
