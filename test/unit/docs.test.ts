/** The papers in docs/ against the files that they name: numbers, and titles of tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MIN_RATIONALE_CHARS, MIN_REASON_CHARS } from '../../src/domain/review/answers.js';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : '');

/** The rows of all tables of a paper without their headers, cell by cell. */
function rowsOf(paper: string, header: string): string[][] {
  return read(paper)
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[-|]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .filter(([first]) => first !== header);
}

const withoutTicks = (cell: string): string => cell.replace(/^`(.+)`$/, '$1');

/** The longest declaration of a number, in lines. */
const LONGEST_DECLARATION = 6;

const asWord = (text: string): RegExp => new RegExp(`(?<!\\w)${text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}(?!\\w)`);

/** Whether the value stands behind the name, each as a word of its own. */
function stands(name: string, value: string, file: string): boolean {
  const lines = read(file).split('\n');
  return lines.some(
    (line, index) => asWord(name).test(line) && asWord(value).test(lines.slice(index, index + LONGEST_DECLARATION).join('\n')),
  );
}

describe('docs/decisions.md', () => {
  const rows = rowsOf('docs/decisions.md', 'name').map((cells) => cells.map(withoutTicks));

  it('states every number as its file has it, with a reason', () => {
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.filter(([name = '', value = '', file = '', reason = '']) => reason === '' || !stands(name, value, file))).toEqual([]);
  });

  it('has a row for every constant that is a number', () => {
    const known = new Set(rows.map(([name, , file]) => `${file} ${name}`));
    const constants = ['src', 'temporal'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts'))
        .flatMap((name) => {
          const file = `${folder}/${name}`;
          const found = read(file).matchAll(/^(?:export )?const ([A-Z][A-Z0-9_]*)(?:: \w+)? = (?:\d|'\d+(?:ms|s|m|h|d)')/gm);
          return Array.from(found, ([, constant]) => `${file} ${constant}`);
        }),
    );
    expect(constants.filter((constant) => !known.has(constant))).toEqual([]);
  });
});

describe('docs/guarantees.md', () => {
  /** The second cell of a row names test files, each followed by titles in quotes. */
  const shown = rowsOf('docs/guarantees.md', 'promise').map(([promise = '', tests = '']) => {
    let file = '';
    const titles = Array.from(tests.matchAll(/`([^`]+)`|"([^"]+)"/g)).flatMap(([, path, title]) => {
      if (path !== undefined) file = path;
      return title === undefined ? [] : [{ file, title }];
    });
    return { promise, titles };
  });

  it('shows every promise by a test', () => {
    expect(shown.length).toBeGreaterThan(20);
    expect(shown.filter(({ titles }) => titles.length === 0)).toEqual([]);
  });

  it('names only tests that there are', () => {
    expect(
      shown.flatMap(({ titles }) => titles).filter(({ file, title }) => !file.endsWith('.test.ts') || !read(file).includes(title)),
    ).toEqual([]);
  });
});

describe('docs/reviews.md', () => {
  it('says how much has to be said in each tier', () => {
    const paper = read('docs/reviews.md');
    const { acknowledgement, determination } = MIN_REASON_CHARS;
    expect(paper).toContain(`gives a reason of at least ${acknowledgement} characters for each signal`);
    expect(paper).toContain(
      `a reason of at least ${determination} characters for each signal and a rationale of at least ${MIN_RATIONALE_CHARS}`,
    );
  });
});
