/**
 * A plan value against its schema, in such a way that the parts of the right form can be checked further although
 * others are not: people want all problems at once, and none that is only the echo of another.
 */
import { parseWith, type Issue } from './issues.js';
import { checkPlain } from './plain.js';
import { PlanSourceSchema, type ParsedPlan } from './plan.js';

export interface PlanParse {
  readonly issues: readonly Issue[];
  /** Absent when too little is of the right form. With issues: the plan without the parts that have them. */
  readonly parsed?: ParsedPlan;
  /** Names of critics that are not in `parsed` because the schema refuses them. */
  readonly setAside: ReadonlySet<string>;
}

export function parsePlan(value: unknown): PlanParse {
  const plain = checkPlain(value);
  if (!plain.bounded) return { issues: plain.issues, setAside: new Set() };
  const first = parseWith(PlanSourceSchema, value);
  const ofSchema = first.ok ? [] : first.issues.filter((issue) => !plain.issues.some((other) => isWithin(issue.path, other.path)));
  const issues = [...plain.issues, ...ofSchema];
  if (first.ok && issues.length === 0) return { issues, parsed: first.value, setAside: new Set() };
  const rest = withoutIssues(value, issues);
  const second = rest === undefined ? undefined : parseWith(PlanSourceSchema, rest.value);
  return { issues, ...(second?.ok === true ? { parsed: second.value } : {}), setAside: rest?.setAside ?? new Set() };
}

const isWithin = (path: Issue['path'], outer: Issue['path']): boolean => outer.every((step, index) => path[index] === step);

type Part = Record<string, unknown>;

const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Drops what has issues, two levels down; fills in what a plan must have. */
function withoutIssues(value: unknown, issues: readonly Issue[]): { value: Part; setAside: Set<string> } | undefined {
  if (!isPart(value)) return undefined;
  // What JSON cannot hold is among the issues.
  const copy: Part = JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? null : part)));
  const setAside = new Set<string>();
  for (const { path, atKey } of issues) {
    const [part, field, index] = path;
    const inside = part === undefined ? undefined : copy[part];
    // Without its critics nothing else of a plan can be judged.
    if (part === undefined || (part === 'critics' && field === undefined)) return undefined;
    // The parts of a review block judge each other: without one of them the rest would be told echoes.
    if (field === undefined || part === 'review' || !isPart(inside)) delete copy[part];
    else if (part === 'verdict' && field === 'rules' && typeof index === 'number' && Array.isArray(inside['rules'])) {
      // In its place, so that the rules behind it keep their numbers.
      inside['rules'][index] = { escalate: 'true', reason: 'set aside' };
    } else {
      // One whose very name cannot be is no critic that others may mean.
      if (part === 'critics' && !(atKey === true && path.length === 2)) setAside.add(String(field));
      delete inside[field];
    }
  }
  copy['plan'] ??= 'set_aside';
  copy['version'] ??= 1;
  copy['timeouts'] = { global: '30d', ...(isPart(copy['timeouts']) ? copy['timeouts'] : {}) };
  copy['verdict'] = { otherwise: 'escalate', ...(isPart(copy['verdict']) ? copy['verdict'] : {}) };
  return { value: copy, setAside };
}
