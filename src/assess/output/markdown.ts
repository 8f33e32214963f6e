/** An assessment as Markdown, for tickets and pull requests. Pure. */
import { safeMarkdown } from '../../report/safe.js';
import type { Assessment } from '../figures.js';
import { headlineOf, sectionsOf, subjectOf, type Section } from './sections.js';

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

export function assessmentMarkdown(assessment: Assessment): string {
  return [
    `# Assessment of ${safeMarkdown(subjectOf(assessment))}`,
    '',
    `${headlineOf(assessment)}, ${assessment.at}.`,
    '',
    ...assessment.sets.map(({ file, form, records }) => `- ${safeMarkdown(file)}: ${records} records (${safeMarkdown(form)})`),
    ...sectionsOf(assessment, { depth: Infinity }).flatMap(sectionMarkdown),
    ...(assessment.notes.length === 0 ? [] : ['', '## Notes', '', ...assessment.notes.map((note) => `- ${safeMarkdown(note)}`)]),
    '',
  ].join('\n');
}

function sectionMarkdown({ title, about, columns, rows, below = [] }: Section): string[] {
  return [
    '',
    `## ${safeMarkdown(title)}`,
    '',
    ...(about === undefined ? [] : [safeMarkdown(about), '']),
    line(columns.map(({ name }) => name)),
    line(columns.map(({ right }) => (right === true ? '--:' : '---'))),
    ...rows.map((row) => line(row.map(safeMarkdown))),
    ...below.flatMap((text) => ['', safeMarkdown(text)]),
  ];
}
