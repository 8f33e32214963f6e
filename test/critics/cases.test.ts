/**
 * Walks `cases/<critic>/<case>/{input,expected}.json`. Made-up secrets are written there with an escaped character, so that
 * scanners of repositories pass over them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeRegistry } from '../../src/critics/registry.js';
import { textPieces } from '../../src/critics/text.js';
import { parseOptions } from '../../src/critics/attempt.js';
import type { Finding, Json } from '../../src/domain/finding.js';
import type { JsonObject } from '../../src/domain/request.js';
import { expectClean, inputFor, toolsFor } from './conformance.js';

interface CaseInput {
  readonly options?: JsonObject;
  readonly content: Json;
  readonly context?: JsonObject;
}

interface CaseExpected {
  readonly severity: number;
  /** In the order of the content: code, the text under the span, and its path in a structure. */
  readonly violations: readonly { readonly code: string; readonly text: string; readonly path?: string }[];
}

const root = new URL('cases/', import.meta.url);
const folders = (at: URL): string[] =>
  readdirSync(at, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
const read = (at: URL): unknown => JSON.parse(readFileSync(at, 'utf8'));

const registry = makeRegistry();

describe.each(folders(root))('%s', (criticName) => {
  it.each(folders(new URL(`${criticName}/`, root)))('%s', async (caseName) => {
    const folder = new URL(`${criticName}/${caseName}/`, root);
    const { options = {}, content, context = {} } = read(new URL('input.json', folder)) as CaseInput;
    const expected = read(new URL('expected.json', folder)) as CaseExpected;
    const critic = await registry.find(criticName);
    if (critic === undefined) throw new Error(`no critic is called ${criticName}`);
    const parsed = parseOptions(critic, options);
    if (!parsed.ok) throw new Error(parsed.issues.map(({ message }) => message).join('; '));
    const finding = expectClean(await critic.evaluate(inputFor(content, { context }), toolsFor(parsed.value)), critic);
    expect({ severity: finding.severity, violations: violationsOf(finding, content) }).toEqual(expected);
  });
});

function violationsOf(finding: Finding, content: Json): CaseExpected['violations'] {
  const texts = new Map(textPieces(content).map(({ path, text }) => [path, text]));
  return finding.violations.map(({ code, span }) => {
    const text = texts.get(span?.path ?? '')?.slice(span?.start, span?.end) ?? '';
    return { code, text, ...(span?.path !== undefined && { path: span.path }) };
  });
}
