/** Aligned columns for terminals. Pure. Cells must have passed `safeText`: one cell is one line. */

export interface Column {
  readonly name: string;
  readonly right?: boolean;
  /** Colours a cell after it was padded, so that escapes do not count as width. */
  paint?(cell: string, text: string): string;
}

/** At most so many characters, with `…` where it was cut; never half a surrogate pair. */
export function clip(text: string, width = Infinity): string {
  if (text.length <= width) return text;
  const start = text.slice(0, Math.max(0, width - 1)).replace(/[\uD800-\uDBFF]$/, '');
  return width < 1 ? '' : `${start}…`;
}

/** Header and rows, indented by two; the last column is not padded. Lines are clipped to the width. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width?: number): string[] {
  const widths = columns.map((column, index) => Math.max(column.name.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const line = (cells: readonly string[], painted: boolean): string => {
    let left = (width ?? Infinity) - INDENT.length;
    const shown = columns.map((column, index) => {
      const text = cells[index] ?? '';
      const gap = index === 0 ? '' : GAP;
      const cell = clip(gap + padded(text, widths[index] ?? 0, column.right === true, index === columns.length - 1), left);
      left -= cell.length;
      return painted && column.paint !== undefined ? column.paint(cell, text) : cell;
    });
    return (INDENT + shown.join('')).trimEnd();
  };
  return [line(columns.map((column) => column.name), false), ...rows.map((row) => line(row, true))];
}

/** Names and values below each other. */
export function pairs(lines: readonly (readonly [name: string, value: string])[], width?: number): string[] {
  const longest = Math.max(0, ...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => clip(`${INDENT}${name.padEnd(longest)}${GAP}${value}`, width));
}

const INDENT = '  ';
const GAP = '  ';

function padded(text: string, width: number, right: boolean, last: boolean): string {
  if (right) return text.padStart(width);
  return last ? text : text.padEnd(width);
}
