/** What is wrong with a key file, as the command line tells it. */
import type { KeyFileError } from '../review/keys.js';
import { CliError, EXIT } from './exit.js';

/** @throws CliError with the code of the key file's error; anything else as it is. */
export function asKeyError(error: unknown): never {
  if (!isKeyFileError(error)) throw error;
  throw new CliError(error.code === 'KEY_EXISTS' ? EXIT.usage : EXIT.error, error.code, error.message);
}

/** By name: the class lives in a module that loads schemas and curves, and only these commands need them. */
const isKeyFileError = (error: unknown): error is KeyFileError => error instanceof Error && error.name === 'KeyFileError';
