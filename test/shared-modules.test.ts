/**
 * All runs of a worker process share one copy of the modules that workflow code is made of (`src/bundle.ts`). What a module
 * kept of one run, another one would see, and a replay would not.
 */
import { describe, expect, it } from 'vitest';
import { importsOf, readSources, withoutComments } from './support/imports.js';

const ENTRY = 'src/workflows/index.ts';
/** Keeps what expressions compile to, which is the same for every run. */
const CACHES = ['src/domain/cel.ts'];

/** A variable, or a collection that is not declared as read-only, outside of every function. */
const KEPT = /^(?:export )?(?:let|var) .*|^(?:export )?const \w+(?:: (?!Readonly)[^=]+)? = new (?:Map|Set|WeakMap|WeakSet)\b.*/gm;

const keptBy = (source: string): string[] => [...withoutComments(source).matchAll(KEPT)].map(([line]) => line);

function reachable(sources: ReadonlyMap<string, string>): Set<string> {
  const seen = new Set<string>();
  const open = [ENTRY];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    const source = sources.get(file);
    if (source === undefined || seen.has(file)) continue;
    seen.add(file);
    open.push(...importsOf(file, source).map(({ target }) => target));
  }
  return seen;
}

describe('the modules of workflow code', () => {
  it('keep nothing from one run to the next, but for compiled expressions', () => {
    const sources = readSources('src');
    const files = reachable(sources);
    expect(files).toContain('src/workflows/walk.ts');
    expect(files).toContain(CACHES[0]);
    const keeping = [...files].filter((file) => keptBy(sources.get(file) ?? '').length > 0);
    expect(keeping).toEqual(CACHES);
  });

  it.each([
    'let last: string | undefined;',
    'export let count = 0;',
    'const seen = new Map<string, number>();',
    'const runs: Set<string> = new Set();',
  ])('would be seen to keep: %s', (line) => {
    expect(keptBy(`import a from 'a';\n${line}\n`)).toEqual([line]);
  });

  it.each(["const NAMES: ReadonlySet<string> = new Set(['a']);", 'function f(): void {\n  let inside = 0;\n  const own = new Map();\n}'])(
    'may have: %s',
    (text) => {
      expect(keptBy(text)).toEqual([]);
    },
  );
});
