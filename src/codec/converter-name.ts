/** What names a data converter: `tribunal/codec`, or the path of a module. */
import { dirname, isAbsolute, join } from 'node:path';

/** Stands for the ready codec, wherever the package is installed. */
export const READY = 'tribunal/codec';

/** As a deployment file names it: a path starts at the folder of the file. */
export const converterBeside = (file: string, name: string): string =>
  name === READY || isAbsolute(name) ? name : join(dirname(file), name);
