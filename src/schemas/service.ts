/** How people name a service that is asked or told something: its address, and secrets by their names. Imports zod alone. */
import { z } from 'zod';

/**
 * An absolute http(s) URL without a user name or a password. The text may be a secret's neighbour: it is not quoted.
 * @param remedy where secrets are written instead.
 */
export const serviceUrl = (remedy = 'write the name of a secret under secretHeaders') =>
  z.string().superRefine((text, context) => {
    const problem = urlProblem(text, remedy);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

function urlProblem(text: string, remedy: string): string | undefined {
  if (!URL.canParse(text)) return 'is not an absolute URL';
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'must begin with http:// or https://';
  if (username !== '' || password !== '') return `must not hold a user name or password: ${remedy}`;
  return undefined;
}

const SECRET_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
/** Values are not quoted: somebody may have written the secret itself. */
const secretRule = `must be the name of a secret, of the form ${SECRET_NAME.source}`;
export const secretName = () => z.string({ error: secretRule }).regex(SECRET_NAME, { error: secretRule });
