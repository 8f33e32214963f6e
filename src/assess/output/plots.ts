/** The plots of the page. Pure. All are 960 units wide: a name on the left, the plot, the numbers on the right. */
import type { Decision } from '../../domain/report.js';
import { number } from '../../report/format.js';
import type { Confusion, CriticFigures, GatingFigures, Loss } from '../figures.js';
import type { Proportion } from '../statistics.js';
import { ms, plural, share } from './numbers.js';
import { cutLabel, dot, label, line, niceShare, rect, scale, svg } from './svg.js';

/** Where things stand, in units of the plot; `nameChars` in characters. */
const AT = {
  width: 960,
  left: 250,
  right: 700,
  numbers: 716,
  nameChars: 34,
  top: 34,
  mark: 17,
  gap: 13,
  cellWidth: 150,
  cellHeight: 56,
  gatingRow: 46,
  latencyRow: 34,
  curve: 260,
} as const;

/** A proportion with its interval, in the colour of its class. */
interface Mark {
  readonly cls: string;
  readonly of: Proportion;
}

export interface IntervalRow {
  readonly name: string;
  /** Below the name, smaller. */
  readonly detail?: string;
  readonly marks: readonly Mark[];
}

/** Dots with their 95 % intervals, on an axis from 0 to 100 % or, for small shares, to a round number above them. */
export function intervalPlot(title: string, rows: readonly IntervalRow[], most?: number): string {
  const highest = Math.max(...rows.flatMap(({ marks }) => marks.filter(({ of }) => of.share !== undefined).map(({ of }) => of.high)), 0);
  const to = most ?? niceShare(highest);
  const x = scale(0, to, AT.left, AT.right);
  const heights = rows.map(({ marks }) => marks.length * AT.mark + AT.gap);
  const bottom = AT.top + heights.reduce((sum, height) => sum + height, 0);
  const parts = axis(to, x, bottom);
  let y = AT.top;
  for (const [index, row] of rows.entries()) {
    const height = heights[index] ?? 0;
    parts.push(...nameOf(row, y, height), ...row.marks.flatMap((mark, place) => markOf(mark, y + AT.gap / 2 + (place + 0.5) * AT.mark, x)));
    y += height;
    parts.push(line(0, y, AT.width, y, 'rule'));
  }
  return svg(AT.width, bottom + 6, title, parts);
}

function axis(to: number, x: (value: number) => number, bottom: number): string[] {
  return [0, 0.25, 0.5, 0.75, 1].flatMap((step) => {
    const at = x(step * to);
    return [line(at, AT.top - 6, at, bottom, 'grid'), label(at, AT.top - 14, share(step * to), 'tick', 'middle')];
  });
}

function nameOf({ name, detail }: IntervalRow, y: number, height: number): string[] {
  const middle = y + height / 2 + 5;
  if (detail === undefined) return [cutLabel(0, middle, name, AT.nameChars, 'name')];
  return [cutLabel(0, middle - 8, name, AT.nameChars, 'name'), cutLabel(0, middle + 8, detail, AT.nameChars + 4, 'detail')];
}

function markOf({ cls, of }: Mark, y: number, x: (value: number) => number): string[] {
  if (of.share === undefined) return [label(AT.numbers, y + 4, 'nothing to count', 'detail')];
  const interval = `${number(of.low * 100)}–${number(of.high * 100)}`;
  return [
    line(x(of.low), y, x(of.high), y, `interval ${cls}`),
    line(x(of.low), y - 4, x(of.low), y + 4, `interval ${cls}`),
    line(x(of.high), y - 4, x(of.high), y + 4, `interval ${cls}`),
    dot(x(of.share), y, 5, `mark ${cls}`),
    label(AT.numbers, y + 4, share(of.share), `value ${cls}-text`),
    label(AT.numbers + 62, y + 4, interval, 'detail'),
    label(AT.width, y + 4, `${number(of.count)} of ${number(of.n)}`, 'detail', 'end'),
  ];
}

const DECISIONS = [
  ['allow', 'allow'],
  ['escalate', 'escalate'],
  ['deny', 'deny'],
  ['not_judged', 'not judged'],
] as const;

/** Each row is what was expected; the darker, the larger the share of its row. */
export function confusionPlot(confusion: Confusion): string {
  const left = 180;
  const head = DECISIONS.map(([, name], column) => label(left + (column + 0.5) * AT.cellWidth, 20, `decided ${name}`, 'tick', 'middle'));
  const rows = confusion.flatMap(({ expected, decided }, row) => {
    const y = AT.top + row * AT.cellHeight;
    const total = Object.values(decided).reduce((sum, count) => sum + count, 0);
    const cells = DECISIONS.flatMap(([decision], column) => {
      const part = decided[decision] / Math.max(1, total);
      const x = left + column * AT.cellWidth;
      const cls = cellClass(expected, decision);
      return [
        rect(x + 2, y + 2, AT.cellWidth - 4, AT.cellHeight - 4, 'cell', { rx: 6 }),
        rect(x + 2, y + 2, AT.cellWidth - 4, AT.cellHeight - 4, `cell-${cls}`, {
          rx: 6,
          'fill-opacity': String(Math.round(part * 75) / 100),
        }),
        label(x + AT.cellWidth / 2, y + 27, number(decided[decision]), 'count', 'middle'),
        label(x + AT.cellWidth / 2, y + 44, share(part), 'cell-share', 'middle'),
      ];
    });
    const name = expected === 'not scored' ? expected : `expected ${expected}`;
    return [label(0, y + 27, name, 'name'), label(0, y + 44, plural(total, 'record'), 'detail'), ...cells];
  });
  return svg(left + DECISIONS.length * AT.cellWidth, AT.top + confusion.length * AT.cellHeight + 4, 'Expected verdicts and decisions', [
    ...head,
    ...rows,
  ]);
}

/** Held up instead of denied, or the other way round, is nearer to right than let through. */
function cellClass(expected: Confusion[number]['expected'], decided: Decision): string {
  if (expected === 'not scored') return 'unscored';
  if (expected === decided) return 'right';
  return expected !== 'allow' && decided !== 'allow' ? 'near' : 'wrong';
}

/** Left what still runs of the cost weight, right what is lost of what should be stopped, with its upper bound. */
export function gatingPlot(gating: readonly GatingFigures[], lossOf: (one: GatingFigures) => Loss): string {
  const losses = gating.map(lossOf);
  const to = niceShare(Math.max(...losses.map(({ stopped, upper }) => (stopped === 0 ? 0 : upper)), 0.005));
  const [runs, lost] = [scale(0, 1, 200, 500), scale(0, to, 610, 810)];
  const bottom = AT.top + gating.length * AT.gatingRow;
  const head = [
    label(200, AT.top - 16, 'cost weight that still runs', 'tick'),
    label(512, AT.top - 16, 'saved', 'tick'),
    label(610, AT.top - 16, `lost of what was stopped, to ${share(to)}`, 'tick'),
    ...[0, 0.5, 1].map((step) => line(runs(step), AT.top - 6, runs(step), bottom, 'grid')),
    ...[0, 0.5, 1].map((step) => line(lost(step * to), AT.top - 6, lost(step * to), bottom, 'grid')),
  ];
  const rows = gating.flatMap((one, index) => {
    const y = AT.top + index * AT.gatingRow;
    const middle = y + AT.gatingRow / 2;
    const ran = 1 - one.savedShare;
    return [
      cutLabel(0, middle - 3, one.stratum, 26, 'name'),
      label(0, middle + 13, plural(one.n, 'record'), 'detail'),
      rect(runs(0), middle - 9, runs(1) - runs(0), 18, 'saved', { rx: 4 }),
      rect(runs(0), middle - 9, runs(ran) - runs(0), 18, 'ran', { rx: 4 }),
      label(512, middle + 5, share(one.savedShare), 'value'),
      ...lossMark(losses[index], middle, lost),
      line(0, y + AT.gatingRow, AT.width, y + AT.gatingRow, 'rule'),
    ];
  });
  return svg(AT.width, bottom + 6, 'What gating saves and what it loses', [...head, ...rows]);
}

function lossMark(loss: Loss | undefined, y: number, x: (value: number) => number): string[] {
  if (loss === undefined || loss.stopped === 0) return [label(822, y + 5, 'none stopped', 'detail')];
  return [
    line(x(0), y, x(loss.upper), y, 'interval lost'),
    line(x(loss.upper), y - 5, x(loss.upper), y + 5, 'interval lost'),
    dot(x(loss.distinctLost / loss.distinctStopped), y, 5, 'mark lost'),
    label(822, y - 2, `${number(loss.distinctLost)} of ${number(loss.distinctStopped)}`, 'value'),
    label(822, y + 13, `at most ${share(loss.upper)}`, 'detail'),
  ];
}

/** From p50 over p95 to p99, on a logarithmic axis. */
export function latencyPlot(critics: readonly CriticFigures[]): string {
  const ran = critics.filter(({ latency }) => latency.n > 0);
  const low = Math.floor(Math.log10(Math.max(0.001, Math.min(...ran.map(({ latency }) => latency.p50), 1))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...ran.map(({ latency }) => latency.p99), 1))));
  const x = scale(low, high, AT.left, AT.right);
  const at = (value: number): number => x(Math.log10(Math.max(value, 10 ** low)));
  const bottom = AT.top + ran.length * AT.latencyRow;
  const decades = Array.from({ length: high - low + 1 }, (_, index) => low + index);
  const head = decades.flatMap((power) => [
    line(x(power), AT.top - 6, x(power), bottom, 'grid'),
    label(
      x(power),
      AT.top - 14,
      power < 3 ? `${String(Number((10 ** power).toFixed(3)))} ms` : `${String(10 ** (power - 3))} s`,
      'tick',
      'middle',
    ),
  ]);
  const rows = ran.flatMap(({ name, latency: { p50, p95, p99 } }, index) => {
    const y = AT.top + index * AT.latencyRow;
    const middle = y + AT.latencyRow / 2;
    return [
      cutLabel(0, middle + 5, name, AT.nameChars, 'name'),
      line(at(p50), middle, at(p99), middle, 'interval time'),
      dot(at(p50), middle, 5, 'mark time'),
      line(at(p95), middle - 6, at(p95), middle + 6, 'interval time'),
      line(at(p99), middle - 6, at(p99), middle + 6, 'interval time faint'),
      label(AT.numbers, middle + 5, `${ms(p50)} · ${ms(p95)} · ${ms(p99)}`, 'value'),
      line(0, y + AT.latencyRow, AT.width, y + AT.latencyRow, 'rule'),
    ];
  });
  return svg(AT.width, bottom + 6, 'Time of a critic’s run: median, 95th and 99th percentile', [...head, ...rows]);
}

/** A curve of one share over the values of a sweep. */
export interface Curve {
  readonly name: string;
  readonly cls: string;
  readonly points: readonly { readonly value: number; readonly share: number | undefined }[];
}

export function curvePlot(title: string, curves: readonly Curve[]): string {
  const values = curves.flatMap(({ points }) => points.map(({ value }) => value));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [x, y] = [scale(least, most, 60, 700), scale(0, 1, AT.top + AT.curve, AT.top)];
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((step) => [
    line(60, y(step), 700, y(step), 'grid'),
    label(50, y(step) + 4, share(step), 'tick', 'end'),
  ]);
  const ticks = [...new Set(values)].map((value) => label(x(value), AT.top + AT.curve + 20, String(value), 'tick', 'middle'));
  const shownTicks = ticks.filter((_, index) => index % Math.ceil(ticks.length / 11) === 0);
  const drawn = curves.flatMap(({ name, cls, points }, index) => {
    const known = points.flatMap((point) => (point.share === undefined ? [] : [{ value: point.value, share: point.share }]));
    const legend = AT.top + 12 + index * 24;
    return [
      ...known
        .slice(1)
        .map((point, before) =>
          line(x(known[before]?.value ?? 0), y(known[before]?.share ?? 0), x(point.value), y(point.share), `interval ${cls}`),
        ),
      ...known.map((point) => dot(x(point.value), y(point.share), 4, `mark ${cls}`)),
      dot(AT.numbers + 6, legend - 4, 5, `mark ${cls}`),
      cutLabel(AT.numbers + 20, legend, name, 30, 'detail'),
    ];
  });
  return svg(AT.width, AT.top + AT.curve + 32, title, [...grid, ...shownTicks, ...drawn]);
}
