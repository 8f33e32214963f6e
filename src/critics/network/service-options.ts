/** Secrets of critics that ask a service: from their names to what is sent. */
import { CriticError, type SecretSource } from '../critic.js';

/** What the value of a header can be. */
export const HEADER_VALUE = /^[\t\x20-\x7e]{0,2000}$/;

/** @throws CriticError `HTTP_SECRET`, which names the secret and never quotes it. */
export function secretValue(name: string, secret: SecretSource): string {
  const value = secret(name);
  if (value === undefined || value === '')
    throw new CriticError('permanent', 'HTTP_SECRET', `the worker has no secret called ${name}: set TRIBUNAL_SECRET_${name} where it runs`);
  return value;
}

/** The same, for a header: what a header cannot hold would be quoted by the error of whoever is handed it. */
export function headerSecret(name: string, secret: SecretSource): string {
  const value = secretValue(name, secret);
  if (HEADER_VALUE.test(value)) return value;
  throw new CriticError(
    'permanent',
    'HTTP_SECRET',
    `the secret ${name} holds what no header can: only printable ASCII fits, at most 2000 characters`,
  );
}
