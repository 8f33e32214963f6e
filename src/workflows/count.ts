/**
 * Tells the worker what to count. Sinks and not the SDK's `metricMeter`: one call an evaluation instead of a call for
 * every number, nothing to pay where no metrics are asked for, and no labels but ours.
 */
import { ApplicationFailure, proxySinks, workflowInfo } from '@temporalio/workflow';
import type { OpenResult } from '../contract.js';
import { countsOf, knownCode, unopened, type CountSinks } from '../domain/counts.js';
import type { EvaluationReport } from '../domain/report.js';
import type { Walk } from './walk.js';

const { tribunal } = proxySinks<CountSinks>();

/** Whether this is the first time that the code runs here: what a replay counts has been counted. */
const isFirst = (): boolean => !workflowInfo().unsafe.isReplaying;

export function countOpened({ plan: { name, version } }: OpenResult): void {
  if (isFirst()) tribunal.opened({ name, version });
}

export function countClosed({ plan }: OpenResult, walk: Walk, report: EvaluationReport): void {
  if (isFirst()) tribunal.closed(countsOf(plan, walk.records, report));
}

export function countUnopened(): void {
  if (isFirst()) tribunal.closed(unopened);
}

/** @param failure the refusal, whose details have its code. */
export function countRefused(failure: unknown): void {
  if (!isFirst() || !(failure instanceof ApplicationFailure)) return;
  const [details] = failure.details ?? [];
  tribunal.refused(knownCode(typeof details === 'object' && details !== null && 'code' in details ? details.code : undefined));
}
