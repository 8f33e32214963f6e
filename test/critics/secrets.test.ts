import { describe, expect, it } from 'vitest';
import { presetMatches } from '../../src/critics/secrets/preset.js';
import { secrets } from '../../src/critics/secrets.js';
import type { Finding, Json } from '../../src/domain/finding.js';
import { conformance, expectClean, inputFor, toolsFor } from './conformance.js';

const TOKEN = `ghp_${'a1B2'.repeat(9)}`;

conformance(secrets, {
  good: {},
  telling: { content: { output: `Use ${TOKEN} for it.` }, secret: 'a1B2' },
});

const judge = async (content: Json): Promise<Finding> => expectClean(await secrets.evaluate(inputFor(content), toolsFor({})));
const LONG_CHARS = 262_144;

describe('secrets', () => {
  // A form that tries every length from every place would take minutes here.
  it.each([
    ['begin marks without an end', '-----BEGIN RSA PRIVATE KEY-----\n'],
    ['halves of begin marks', '-----BEGIN'],
    ['beginnings of tokens', 'eyJhbGciOiJ-'],
    ['halves of tokens', 'eyJhbGciOiJ.'],
    ['addresses without an end', 'postgres://a:b'],
    ['addresses with a user', 'http://a:b'],
    ['assignments without an end', 'password="'],
    ['names of keys', 'aws_secret_access_key    '],
    ['beginnings of Slack tokens', 'xoxb-a-'],
    ['beginnings of SendGrid keys', 'SG.a'],
    ['commands without a password', 'curl -u a '],
    ['headers without a token', 'authorization: bearer '],
    ['sentences without a password', 'the password is '],
    ['beginnings of Discord tokens', 'MTIzNDU2Nzg5MDEyMzQ1Njc4.'],
    ['invisible characters', 'a\u200b'],
    ['characters of a key', 'A'],
    ['digits', '1234567890'],
    ['spaces', ' '],
    ['emoji', '😀'],
  ])('judges 256 KB of %s', async (_what, text) => {
    const content = text.repeat(Math.ceil(LONG_CHARS / text.length));
    expectClean(await secrets.evaluate(inputFor(content), toolsFor({})));
  });

  it.each([15_000, 16_380, 16_384, 32_760, 100_000])('finds a token once that begins %i characters into a long text', async (before) => {
    const text = `${'x '.repeat(before / 2)}${TOKEN}${' y'.repeat(40_000)}`;
    expect((await judge(text)).violations.map(({ code, span }) => [code, span])).toEqual([
      ['github_token', { start: before, end: before + TOKEN.length }],
    ]);
  });

  it('finds a private key of 8,000 characters that stands across pieces, as one', async () => {
    const key = `-----BEGIN RSA PRIVATE KEY-----\n${'MIIEowIBAAKCAQEA'.repeat(490)}\n-----END RSA PRIVATE KEY-----`;
    const { violations } = await judge(`${'word '.repeat(2_500)}${key}${' word'.repeat(10_000)}`);
    expect(violations.map(({ code, span }) => [code, span])).toEqual([['private_key', { start: 12_500, end: 12_500 + key.length }]]);
  });

  it('judges a structure of many short texts in the time of a few', async () => {
    const content = Array.from({ length: 29_000 }, (_, index) => ({ token: `n${index}` }));
    const before = performance.now();
    expect((await judge(content)).violations).toEqual([]);
    // With all rules over each it takes more.
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it('keeps nothing of the texts that it judged', async () => {
    const before = performance.getEntries().length;
    for (let round = 0; round < 50; round += 1) await judge(`round ${round} ${TOKEN}`);
    expect(performance.getEntries()).toHaveLength(before);
  });

  it('takes no value over from the rules of secretlint', async () => {
    const matches = await presetMatches(`token ${TOKEN} of GitHub`, 0);
    expect(matches.map(({ code }) => code)).toEqual(['github_token']);
    expect(JSON.stringify(matches)).not.toContain('a1B2');
  });
});
