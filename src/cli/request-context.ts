/** `--context key=value` of the command line. */
import type { JsonObject } from '../domain/request.js';
import { jsonProblem } from '../schemas/json.js';
import { usageError } from './exit.js';

/** `k=v` to an object; a value that is JSON is taken as JSON. */
export function parseContext(pairs: readonly string[]): JsonObject {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw usageError(`--context ${JSON.stringify(pair)} is not of the form key=value`);
      const value = jsonOrText(pair.slice(at + 1));
      const problem = jsonProblem(value);
      if (problem !== undefined) throw usageError(`--context ${pair.slice(0, at)}: ${problem}`);
      return [pair.slice(0, at), value];
    }),
  );
}

function jsonOrText(text: string): JsonObject[string] {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
