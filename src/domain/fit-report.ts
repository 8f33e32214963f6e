/**
 * Keeps results under the sizes that a history can hold. Pure: no Node, no clock.
 *
 * F1 Name, stage, outcome, severity and codes of every critic stay, and every reason code does.
 * F2 Texts go first, the longest first, so that short ones survive a neighbour's long one; then lists; then what a
 *    report can be read without. What was cut is counted, never silent.
 */
import { cutToJsonBytes, jsonBytes, jsonTextBytes } from './bytes.js';
import type { Finding, Violation } from './finding.js';
import type { GateDecision } from './outcomes.js';
import type { EvaluationReport, Reason, ReportCritic } from './report.js';

export const MAX_REPORT_BYTES = 524_288;
/** Below this a cut text says nothing; lists are thinned instead. */
const LEAST_TEXT_BYTES = 48;
/** Room for the field `truncated` itself. */
const COUNTER_BYTES = 32;

/** How much of a report may stay. */
interface Allowance {
  /** Of one text, JSON escapes counted. */
  readonly textBytes: number;
  /** Whether details, evidence and the values that gates saw stay. */
  readonly extras: boolean;
  /** Of one critic. */
  readonly violations: number;
  /** Only what F1 names, and times and weight. */
  readonly bare: boolean;
}

/**
 * @param maxBytes of the report's JSON form. Holds for every report of at most 1,000 critics at the default;
 *   below what F1 keeps nothing more is cut.
 */
export function fitReport(report: EvaluationReport, maxBytes = MAX_REPORT_BYTES): EvaluationReport {
  const bytes = jsonBytes(report);
  if (bytes <= maxBytes) return report;
  const room = maxBytes - COUNTER_BYTES;
  const textBytes = capFor(textSizes(report), bytes - room);
  if (textBytes >= LEAST_TEXT_BYTES) return shaped(report, { textBytes, extras: true, violations: Infinity, bare: false });
  const texts = { textBytes: LEAST_TEXT_BYTES, extras: false, bare: false };
  const violations = violationsFor(shaped(report, { ...texts, violations: Infinity }), room);
  if (violations !== undefined) return shaped(report, { ...texts, violations });
  const bare = shaped(report, { textBytes: 0, extras: false, violations: 0, bare: true });
  return jsonBytes(bare) <= maxBytes ? bare : oneReasonACode(bare);
}

/** Sizes of everything that can be cut without losing an entry of a list. */
function textSizes(report: EvaluationReport): number[] {
  const sizes: number[] = [];
  const note = (text: string): string => {
    sizes.push(jsonTextBytes(text));
    return text;
  };
  for (const reason of report.reasons) mapReason(reason, note);
  for (const critic of report.critics) {
    mapTexts(critic, note);
    if (critic.finding?.details !== undefined) sizes.push(jsonBytes(critic.finding.details));
  }
  return sizes;
}

/** The largest size such that cutting everything longer down to it frees so many bytes; −1 when nothing does. */
function capFor(sizes: readonly number[], excessBytes: number): number {
  const descending = sizes.toSorted((a, b) => b - a);
  let longer = 0;
  for (const [index, size] of descending.entries()) {
    longer += size;
    const next = descending[index + 1] ?? 0;
    const cap = Math.floor((longer - excessBytes) / (index + 1));
    if (cap >= next) return cap;
  }
  return -1;
}

/** The most violations of one critic for which all critics fit, or `undefined` when not even none does. */
function violationsFor(report: EvaluationReport, roomBytes: number): number | undefined {
  const byRank: number[] = [];
  for (const critic of report.critics) {
    for (const [rank, violation] of (critic.finding?.violations ?? []).entries())
      byRank[rank] = (byRank[rank] ?? 0) + jsonBytes(violation) + 1;
  }
  let bytes = jsonBytes(report) - byRank.reduce((sum, size) => sum + size, 0);
  if (bytes > roomBytes) return undefined;
  const over = byRank.findIndex((size) => (bytes += size) > roomBytes);
  return over === -1 ? byRank.length : over;
}

function shaped(report: EvaluationReport, allowance: Allowance): EvaluationReport {
  let cut = 0;
  const text = (value: string): string => {
    const short = cutToJsonBytes(value, allowance.textBytes);
    if (short !== value) cut += 1;
    return short;
  };
  const critics = report.critics.map((critic) => {
    const thin = thinned(critic, allowance);
    cut += thin.dropped;
    return mapTexts(thin.critic, text);
  });
  const reasons = allowance.bare ? report.reasons.map(bareReason) : report.reasons.map((reason) => mapReason(reason, text));
  if (allowance.bare) cut += reasons.length;
  return { ...report, reasons, critics, truncated: (report.truncated ?? 0) + cut };
}

/** Whole parts that have no place, counted one each. */
function thinned(critic: ReportCritic, allowance: Allowance): { readonly critic: ReportCritic; readonly dropped: number } {
  const { finding, gate, ...rest } = critic;
  const details = finding?.details !== undefined && (!allowance.extras || jsonBytes(finding.details) > allowance.textBytes);
  const evidence = allowance.extras ? 0 : (finding?.evidence?.length ?? 0);
  const saw = allowance.extras ? 0 : Object.keys(gate?.saw ?? {}).length;
  const violations = Math.max(0, (finding?.violations.length ?? 0) - allowance.violations);
  const kept: ReportCritic = {
    ...(allowance.bare ? bareCritic(critic) : rest),
    ...(gate !== undefined && !allowance.bare ? { gate: allowance.extras ? gate : withoutSaw(gate) } : {}),
    ...(finding !== undefined ? { finding: thinnedFinding(finding, allowance, details) } : {}),
  };
  return { critic: kept, dropped: (details ? 1 : 0) + evidence + saw + violations + (allowance.bare ? 1 : 0) };
}

function thinnedFinding(finding: Finding, allowance: Allowance, dropDetails: boolean): Finding {
  if (allowance.bare) return { severity: finding.severity, violations: [] };
  const { details, evidence, violations, ...rest } = finding;
  return {
    ...rest,
    violations: violations.length > allowance.violations ? violations.slice(0, allowance.violations) : violations,
    ...(evidence !== undefined && allowance.extras ? { evidence } : {}),
    ...(details !== undefined && !dropDetails ? { details } : {}),
  };
}

function bareCritic({ name, stage, outcome, attempts, queuedMs, ranMs, cost, code, coveredBy, mode }: ReportCritic): ReportCritic {
  return {
    name,
    stage,
    outcome,
    attempts,
    queuedMs,
    ranMs,
    cost: { weight: cost.weight },
    ...(code !== undefined ? { code } : {}),
    ...(coveredBy !== undefined ? { coveredBy } : {}),
    ...(mode !== undefined ? { mode } : {}),
  };
}

const bareReason = ({ critic, code, effect }: Reason): Reason => ({
  ...(critic !== undefined ? { critic } : {}),
  code,
  message: '',
  effect,
});

function withoutSaw(gate: GateDecision): GateDecision {
  const { saw: _, ...rest } = gate;
  return rest;
}

/** The last resort, for plans of very many long names: one reason for each code and effect. */
function oneReasonACode(report: EvaluationReport): EvaluationReport {
  const first = new Map<string, Reason>();
  for (const reason of report.reasons) {
    const key = `${reason.code} ${reason.effect}`;
    if (!first.has(key)) first.set(key, reason);
  }
  return { ...report, reasons: [...first.values()], truncated: (report.truncated ?? 0) + report.reasons.length - first.size };
}

function mapReason(reason: Reason, text: (value: string) => string): Reason {
  return { ...reason, ...(reason.rule !== undefined ? { rule: text(reason.rule) } : {}), message: text(reason.message) };
}

function mapTexts(critic: ReportCritic, text: (value: string) => string): ReportCritic {
  return {
    ...critic,
    ...(critic.message !== undefined ? { message: text(critic.message) } : {}),
    ...(critic.held !== undefined ? { held: { ...critic.held, by: text(critic.held.by), reason: text(critic.held.reason) } } : {}),
    ...(critic.gate !== undefined ? { gate: mapGate(critic.gate, text) } : {}),
    ...(critic.finding !== undefined ? { finding: mapFinding(critic.finding, text) } : {}),
  };
}

function mapGate(gate: GateDecision, text: (value: string) => string): GateDecision {
  const saw = Object.entries(gate.saw ?? {}).map(([name, value]) => [name, typeof value === 'string' ? text(value) : value] as const);
  return {
    ...gate,
    ...(gate.saw !== undefined ? { saw: Object.fromEntries(saw) } : {}),
    ...(gate.error !== undefined ? { error: text(gate.error) } : {}),
  };
}

function mapFinding(finding: Finding, text: (value: string) => string): Finding {
  const violations = finding.violations.map((violation): Violation => ({ ...violation, message: text(violation.message) }));
  return { ...finding, violations, ...(finding.evidence !== undefined ? { evidence: finding.evidence.map(text) } : {}) };
}
