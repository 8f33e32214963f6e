/** Whether what an evaluation closed with is a report. Pure. */
import type { EvaluationReport } from './report.js';

/** Reports are made by this package; the version and the decision tell one from anything else. */
export function isReport(value: unknown): value is EvaluationReport {
  return (
    typeof value === 'object' &&
    value !== null &&
    'v' in value &&
    value.v === 1 &&
    'decision' in value &&
    typeof value.decision === 'string'
  );
}
