/** Plan files as text: what no parser may let through, and where things stand. */
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/plan-loader.js';
import { readYaml } from '../../src/schemas/plan-file.js';
import { GOOD, loadText } from './plan-fixture.js';

async function problemsOf(text: string): Promise<readonly string[]> {
  const loaded = await loadText(text);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

const bomb = (levels: number): string =>
  [
    'a: &l0 [x, x, x, x, x, x, x, x, x, x]',
    ...Array.from({ length: levels }, (_, n) => `b${n}: &l${n + 1} [${Array(10).fill(`*l${n}`).join(', ')}]`),
  ].join('\n');

const FILES: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
  ['an empty file', '', /^plan\.yaml:1:1 the file is empty$/],
  ['comments alone', '# nothing\n', /^plan\.yaml:1:1 the file is empty$/],
  ['a text', 'hello', /^plan\.yaml:1:1 must be a map, is "hello"$/],
  ['a list', '- plan: x', /^plan\.yaml:1:1 must be a map, is a list$/],
  ['a bracket that never closes', `${GOOD}cases: [1, 2\n`, /^plan\.yaml:\d+:\d+ .*flow sequence/i],
  ['a tab as indentation', 'plan: x\ncritics:\n\tone: {}\n', /^plan\.yaml:3:1 .*tab/i],
  ['a duplicate key', 'plan: x\nversion: 1\nplan: y\n', /^plan\.yaml:3:1 Map keys must be unique$/],
  [
    'a duplicate key deep inside',
    GOOD.replace('maxRetries: 1', 'maxRetries: 1, maxRetries: 2'),
    /^plan\.yaml:6:80 Map keys must be unique$/,
  ],
  ['a tag', GOOD.replace('version: 1', 'version: !secret 1'), /^plan\.yaml:2:10 .*tag/i],
  ['an alias to nothing', GOOD.replace('version: 1', 'version: *nine'), /^plan\.yaml:2:10 .*alias/i],
  ['a second document', `${GOOD}---\nplan: other\n`, /^plan\.yaml:12:1 .*multiple documents/i],
  ['an alias bomb', bomb(9), /^plan\.yaml:2:10 uses aliases that blow the file up/],
  [
    'a cyclic anchor',
    GOOD.replace('stage: deep_analysis', 'stage: deep_analysis, with: &w { me: *w }'),
    /^plan\.yaml:\d+:\d+ .*nested more than 64 levels/,
  ],
  ['20,000 brackets', '['.repeat(20_000), /^plan\.yaml:1:131 is nested more than 64 levels deep$/],
  [
    '20,000 brackets that close',
    `plan: ${'['.repeat(20_000)}${']'.repeat(20_000)}`,
    /^plan\.yaml:1:\d+ is nested more than 64 levels deep$/,
  ],
  ['20,000 maps', `${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`, /^plan\.yaml:1:\d+ is nested more than 64 levels deep$/],
  ['20,000 dashes', '- '.repeat(20_000), /^plan\.yaml:1:\d+ is nested more than 64 levels deep$/],
  ['20,000 question marks', '? '.repeat(20_000), /^plan\.yaml:1:\d+ is nested more than 64 levels deep$/],
  [
    '65 levels of block maps',
    Array.from({ length: 70 }, (_, n) => `${' '.repeat(n)}a:`).join('\n'),
    /^plan\.yaml:66:66 a\..* is nested more than 64 levels deep$/,
  ],
  ['more than a megabyte', `# ${'x'.repeat(1_048_576)}`, /^plan\.yaml:1:1 the file is longer than 1048576 characters$/],
];

describe('a plan file', () => {
  it.each(FILES)('that holds %s is refused with one problem at its place', async (_, text, problem) => {
    expect(await problemsOf(text)).toEqual([expect.stringMatching(problem)]);
  });

  it('may use anchors and aliases in moderation, and problems point at what the alias stands for', async () => {
    const text = GOOD.replace('one: {', 'one: &one {').replace(/ {2}three: .*/, '  three: *one');
    expect(await problemsOf(text)).toEqual([]);
    expect(await problemsOf(text.replace('uses: anything, stage: pre_validation', 'uses: nothing, stage: pre_validation'))).toEqual([
      expect.stringMatching(/^plan\.yaml:5:21 critics\.one\.uses /),
      expect.stringMatching(/^plan\.yaml:5:21 critics\.three\.uses /),
    ]);
  });

  it('knows no merge keys: they are unknown fields', async () => {
    expect(await problemsOf(GOOD.replace('two: {', 'two: { <<: *one,').replace('one: {', 'one: &one {'))).toEqual([
      expect.stringMatching(/^plan\.yaml:6:10 critics\.two\.<< unknown field "<<"/),
    ]);
  });

  it('takes words such as no and on for texts', () => {
    const yaml = readYaml('a: no\nb: on\n');
    expect(yaml).toMatchObject({ ok: true, value: { a: 'no', b: 'on' } });
  });

  it('keeps control characters out of what is printed', async () => {
    const [problem] = await problemsOf(GOOD.replace('version: 1', 'version: 1\n"\\e[31m\\u202e": 2'));
    expect(problem).toMatch(/^plan\.yaml:3:1 \\u001b\[31m\\u202e unknown field/);
  });
});

describe('positions in a plan file', () => {
  const at = (text: string, path: readonly (string | number)[], where = {}): string => {
    const yaml = readYaml(text);
    if (!yaml.ok) throw new Error('not YAML');
    const { line, col } = yaml.position(path, where);
    return `${line}:${col}`;
  };

  it('are exact inside quoted and plain texts', () => {
    expect(at('a: abc', ['a'], { offset: 2 })).toBe('1:6');
    expect(at('a: "abc"', ['a'], { offset: 2 })).toBe('1:7');
    expect(at("a: 'abc'", ['a'], { offset: 0 })).toBe('1:5');
  });

  it('are the start of texts that are folded or escaped', () => {
    expect(at('a: "a\\u0062c"', ['a'], { offset: 2 })).toBe('1:4');
    expect(at('a: |\n  abc\n', ['a'], { offset: 2 })).toBe('1:4');
    expect(at('a: >-\n  abc\n  def\n', ['a'], { offset: 5 })).toBe('1:4');
  });

  it('of what is missing are the name of what should hold it', () => {
    expect(at('a:\n  b:\n    c: 1\n', ['a', 'b', 'd'])).toBe('2:3');
    expect(at('a: [1]\n', ['a', 3])).toBe('1:1');
    expect(at('a: 1\n', ['b'])).toBe('1:1');
  });
});
