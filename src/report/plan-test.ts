/** How the cases of a plan came out, for people. Pure. Every text that is not ours passes `safeText`. */
import pc from 'picocolors';
import type { CoverageItem } from '../domain/case-coverage.js';
import { percent } from './format.js';
import { safeText } from './safe.js';

export interface TestedPlan {
  readonly file: string;
  readonly plan: string;
  readonly version: number;
  readonly cases: readonly {
    readonly name: string;
    readonly passed: boolean;
    readonly differences: readonly string[];
    readonly notes: readonly string[];
  }[];
  readonly coverage: readonly CoverageItem[];
  readonly coverageShare: number;
  /** The share that was asked for and is missed. */
  readonly least: number | undefined;
}

export function planTestText({ file, plan, version, cases, coverage, coverageShare, least }: TestedPlan, color: boolean): string {
  const colors = pc.createColors(color);
  const head = `${safeText(file)}: ${plan}@${version}`;
  const missed =
    least === undefined
      ? []
      : [`  ${colors.red('the cases cover too little:')} ${percent(coverageShare)}, ${percent(least)} are asked for`];
  if (cases.length === 0) return [`${head}: ${colors.yellow('warning:')} has no cases, so nothing of it was tested`, ...missed].join('\n');
  const failed = cases.filter((one) => !one.passed).length;
  const gaps = coverage.filter((item) => !item.covered);
  return [
    head,
    ...cases.flatMap(({ name, passed, differences, notes }) => [
      `  ${passed ? colors.green('ok  ') : colors.red('FAIL')}  ${safeText(name)}`,
      ...differences.map((difference) => `          ${safeText(difference)}`),
      ...notes.map((note) => `          ${colors.yellow('note:')} ${safeText(note)}`),
    ]),
    `  ${cases.length} cases: ${cases.length - failed} passed, ${failed} failed`,
    `  ${coverage.length - gaps.length} of ${coverage.length} rules, gates and failures were tried (${percent(coverageShare)})${gaps.length > 0 ? '; not tried:' : ''}`,
    ...gaps.map((item) => `    ${safeText(item.gap)}`),
    ...missed,
  ].join('\n');
}
