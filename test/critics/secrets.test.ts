import { describe, it } from 'vitest';
import { secrets } from '../../src/critics/secrets.js';
import { conformance, expectClean, inputFor, toolsFor } from './conformance.js';

conformance(secrets, {
  good: {},
  telling: { content: { output: `Use ghp_${'a1B2'.repeat(9)} for it.` }, secret: 'a1B2' },
});

describe('secrets', () => {
  // A form that tries every length from every place would take minutes here.
  it.each([
    ['begin marks without an end', '-----BEGIN RSA PRIVATE KEY-----\n'],
    ['beginnings of tokens', 'eyJhbGciOiJ-'],
    ['halves of tokens', 'eyJhbGciOiJ.'],
    ['addresses without an end', 'postgres://a:b'],
    ['assignments without an end', 'password="'],
    ['characters of a key', 'A'],
  ])('judges 256 KB of %s', async (_what, text) => {
    const content = text.repeat(Math.ceil(262_144 / text.length));
    expectClean(await secrets.evaluate(inputFor(content), toolsFor({})));
  });
});
