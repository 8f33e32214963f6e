/** A finding without what may quote the content: what is kept of it between runs, and what figures are made of. Pure. */
import type { Finding, Violation } from '../domain/finding.js';

/** Without evidence, details and the sentences of violations. Codes, severities, places and cost stay. */
export function bareFinding({ severity, violations, score, value, uncertainty, cost }: Finding): Finding {
  return {
    severity,
    violations: violations.map(bareViolation),
    ...(score !== undefined ? { score } : {}),
    ...(value !== undefined ? { value } : {}),
    ...(uncertainty !== undefined ? { uncertainty } : {}),
    ...(cost !== undefined ? { cost } : {}),
  };
}

const bareViolation = ({ code, severity, span }: Violation): Violation => ({
  code,
  message: '',
  ...(severity !== undefined ? { severity } : {}),
  ...(span !== undefined ? { span } : {}),
});
