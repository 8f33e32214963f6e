/** What the options of critics that ask a service share: its address, and secrets by their names. */
import { z } from 'zod';
import { CriticError, type SecretSource } from '../critic.js';

/** An absolute http(s) URL without a user name or a password. The text may be a secret's neighbour: it is not quoted. */
export const serviceUrl = () =>
  z.string().superRefine((text, context) => {
    const problem = urlProblem(text);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not an absolute URL';
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'must begin with http:// or https://';
  if (username !== '' || password !== '') return 'must not hold a user name or password: write the name of a secret under secretHeaders';
  return undefined;
}

const SECRET_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
/** Values are not quoted: somebody may have written the secret itself. */
const secretRule = `must be the name of a secret, of the form ${SECRET_NAME.source}`;
export const secretName = () => z.string({ error: secretRule }).regex(SECRET_NAME, { error: secretRule });

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
