/**
 * Values of the search attribute `TribunalCritics`: which critics flagged and which failed. Pure.
 * The server fails a workflow whose attribute is larger than 2 KB, so the list is cut and says by how much.
 */
import { jsonBytes } from './bytes.js';
import type { EvaluationReport, ReportCritic } from './report.js';

/** Of the JSON form of the whole list, which is what the server measures. */
export const MAX_SEARCH_BYTES = 2_000;

/** `fail:judge@4` before `flag:pii@4`, then `more:N`; the number after @ is the plan's version. */
export function searchValues(report: Pick<EvaluationReport, 'plan' | 'critics'>): string[] {
  // A shadow critic changes nothing: found under `flag:` it would be taken for one that did.
  const critics = report.critics.filter((critic) => critic.mode === undefined);
  const value =
    (prefix: string) =>
    (critic: ReportCritic): string =>
      `${prefix}:${critic.name}@${report.plan.version}`;
  const values = [...critics.filter(isFailure).map(value('fail')), ...critics.filter(isFlag).map(value('flag'))];
  if (jsonBytes(values) <= MAX_SEARCH_BYTES) return values;
  // The brackets, and the last value with the longest number that it can hold.
  let left = MAX_SEARCH_BYTES - jsonBytes([`more:${values.length}`]);
  const kept = values.findIndex((one) => (left -= jsonBytes(one) + 1) < 0);
  return [...values.slice(0, kept), `more:${values.length - kept}`];
}

/** Cut by a decisive rule is not a failure: nobody failed. */
const isFailure = (critic: ReportCritic): boolean =>
  critic.outcome !== 'succeeded' && critic.outcome !== 'gated' && !(critic.outcome === 'cancelled' && critic.code === 'DECISIVE');

const isFlag = (critic: ReportCritic): boolean =>
  critic.outcome === 'succeeded' && critic.finding !== undefined && (critic.finding.severity > 0 || critic.finding.violations.length > 0);
