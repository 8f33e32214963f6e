/** An assessment for a terminal. Pure. */
import { safeText } from '../../report/safe.js';
import { table, wrap } from '../../report/table.js';
import type { Assessment } from '../figures.js';
import type { Misjudged } from '../misjudged.js';
import { headlineOf, sectionsOf, subjectOf, type Section } from './sections.js';

/** Strata of one and two steps; finer ones are in the files. */
const SHOWN_STEPS = 2;

export function assessmentText(assessment: Assessment, width = Infinity): string {
  return [
    `Assessment of ${safeText(subjectOf(assessment))}`,
    headlineOf(assessment),
    ...sectionsOf(assessment, { depth: SHOWN_STEPS }).flatMap((section) => sectionText(section, width)),
    ...(assessment.notes.length === 0
      ? []
      : ['', 'Notes', ...assessment.notes.flatMap((note) => wrap(`- ${safeText(note)}`, width, '  '))]),
  ].join('\n');
}

function sectionText({ title, about, columns, rows, below = [] }: Section, width: number): string[] {
  // Columns that say nothing for any row take room from those that do.
  const used = columns.map((_, index) => rows.some((row) => row[index] !== ''));
  const kept = <T>(cells: readonly T[]): T[] => cells.filter((_, index) => used[index]);
  const shown = table(
    kept(columns),
    rows.map((row) => kept(row).map(safeText)),
    width,
  );
  return [
    '',
    safeText(title),
    ...(about === undefined ? [] : wrap(about, width, '  ')),
    ...shown,
    ...below.flatMap((line) => wrap(safeText(line), width, '  ')),
  ];
}

/** What a person asked to see of the records that a critic got wrong: the only place where texts are shown. */
export const misjudgedText = (misjudged: readonly Misjudged[]): string[] => [
  '',
  'Misses and false alarms',
  ...misjudged.map(({ critic, family, what, id, text }) => `  ${safeText(`${critic}, ${family}, ${what}: ${id}: ${text}`)}`),
];
