/** Reads the import statements of source files: what each one loads when it runs. Types cost nothing and are left out. */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Import {
  /** A path from the root of the repository, such as `src/domain/cel.ts`, or the name of a package. */
  readonly target: string;
  /** Loaded when it is needed, not when the file is. */
  readonly dynamic: boolean;
}

/** Path from the root of the repository to text. */
export type Sources = ReadonlyMap<string, string>;

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** All TypeScript files of these folders. */
export function readSources(...folders: readonly string[]): Sources {
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => normalize(join(folder, file))),
  );
  return new Map(files.filter((file) => file.endsWith('.ts')).map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
}

/** `import { type A } from …` is a value import too: `verbatimModuleSyntax` leaves the statement there. */
const STATIC = /^(?:import|export)\s+(?!type\b)(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/gm;
/** Not `import('x').Type`, which is a type. */
const DYNAMIC = /\bimport\('([^']+)'\)(?!\.[A-Z])/g;

export function importsOf(file: string, source: string): Import[] {
  const code = withoutComments(source);
  const found = (pattern: RegExp, dynamic: boolean): Import[] =>
    [...code.matchAll(pattern)].map(([, specifier = '']) => ({ target: targetOf(file, specifier), dynamic }));
  return [...found(STATIC, false), ...found(DYNAMIC, true)];
}

/** Line comments are taken out only where nothing but space is before them: an address in a text is no comment. */
export const withoutComments = (source: string): string => source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');

function targetOf(file: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts');
}

/** One cycle of static imports, as a list that ends where it began; `undefined`: there is none. */
export function importCycle(sources: Sources): string[] | undefined {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    const source = sources.get(file);
    if (done.has(file) || source === undefined) return undefined;
    for (const { target, dynamic } of importsOf(file, source)) {
      const cycle = dynamic ? undefined : visit(target, [...path, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of sources.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
