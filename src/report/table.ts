/** Aligned columns for terminals. Pure. Cells must have passed `safeText`: one cell is one line. */

export interface Column {
  readonly name: string;
  readonly right?: boolean;
  /** Colours a cell after it was padded, so that escapes do not count as width. */
  paint?(cell: string, text: string): string;
}

const INDENT = '  ';
const GAP = '  ';
/** No line is made narrower than this: one word has to have room. */
const LEAST_WIDTH = 20;

/** Lines of at most so many characters, broken at spaces where there are any. */
export function wrap(text: string, width = Infinity, indent = ''): string[] {
  if (indent.length + text.length <= width) return [indent + text];
  const room = Math.max(LEAST_WIDTH, width) - indent.length;
  const parts = text.match(new RegExp(`.{1,${room}}(?: |$)|.{1,${room}}`, 'gu')) ?? [];
  return parts.map((part) => indent + part.trimEnd());
}

/** Header and rows, indented by two. A last cell that does not fit into the width goes below its row. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], width = Infinity): string[] {
  const last = columns.length - 1;
  const widths = columns.map((column, index) => Math.max(column.name.length, ...rows.map((row) => row[index]?.length ?? 0)));
  const cell = (text: string, index: number): string => {
    if (columns[index]?.right === true) return text.padStart(widths[index] ?? 0);
    return index === last ? text : text.padEnd(widths[index] ?? 0);
  };
  const row = (texts: readonly string[]): string[] => {
    const cells = texts.map(cell);
    const painted = cells.map((shown, index) => columns[index]?.paint?.(shown, texts[index] ?? '') ?? shown);
    const fits = INDENT.length + cells.join(GAP).length <= width;
    if (fits || texts[last] === '') return [(INDENT + painted.join(GAP)).trimEnd()];
    return [(INDENT + painted.slice(0, last).join(GAP)).trimEnd(), ...wrap(texts[last] ?? '', width, INDENT + INDENT)];
  };
  return [(INDENT + columns.map((column, index) => cell(column.name, index)).join(GAP)).trimEnd(), ...rows.flatMap(row)];
}

/** Names and values below each other. */
export function pairs(lines: readonly (readonly [name: string, value: string])[]): string[] {
  const longest = Math.max(0, ...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${INDENT}${name.padEnd(longest)}${GAP}${value}`);
}
