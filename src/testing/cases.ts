/**
 * Cases of a critic as files: `cases/<critic>/<case>/input.json` says what is judged, `expected.json` what must be found.
 * Messages name codes and places, never a text of the case: it may be somebody's content.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseOptions } from '../critics/attempt.js';
import type { Critic } from '../critics/critic.js';
import { textPieces } from '../critics/text.js';
import type { Finding, Json } from '../domain/finding.js';
import { MAX_CONTENT_BYTES } from '../domain/plan.js';
import { parseWith, strict } from '../schemas/issues.js';
import { JsonObjectSchema, JsonSchema } from '../schemas/json.js';
import { CheckFailed, type Check } from './check.js';
import { upTo } from './contents.js';
import { expectSpansInside } from './findings.js';
import { makeHost, type ConformanceCase, type Host } from './host.js';

const InputSchema = strict({ options: JsonObjectSchema.optional(), content: JsonSchema, context: JsonObjectSchema.optional() });

const ExpectedSchema = strict({
  severity: z.number().min(0).max(1).optional(),
  /** In the order in which the critic lists them; each with what stands under its span, where that is to be compared. */
  violations: z.array(strict({ code: z.string(), text: z.string().optional(), path: z.string().optional() })).optional(),
});

export interface CriticCase {
  /** Name of its folder. */
  readonly name: string;
  readonly input: z.output<typeof InputSchema>;
  /** What is absent is not compared. */
  readonly expected: z.output<typeof ExpectedSchema>;
}

/**
 * The cases in a folder, each a folder of its own.
 * @param folder that need not exist: then there are none.
 * @throws CheckFailed naming the file that is not a case.
 */
export function readCases(folder: string): CriticCase[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
    .map((name) => ({
      name,
      input: readJson(join(folder, name, 'input.json'), InputSchema),
      expected: readJson(join(folder, name, 'expected.json'), ExpectedSchema),
    }));
}

function readJson<Schema extends z.ZodType>(file: string, schema: Schema): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // A parser's message quotes the text.
    throw new CheckFailed(`${file}: ${error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'}`);
  }
  const parsed = parseWith(schema, value);
  if (parsed.ok) return parsed.value;
  const { path, message } = parsed.issues[0] ?? { path: [], message: 'is not of the right form' };
  throw new CheckFailed(`${file}: ${path.length === 0 ? '' : `${path.join('.')} `}${message}`);
}

/** Options that a case names stand in for those of the suite. */
export function caseChecks<Options>(critic: Critic<Options>, cases: readonly CriticCase[], suite: ConformanceCase<Options>): Check[] {
  return cases.flatMap((one) => {
    const host = hostFor(critic, one, suite);
    const { content } = one.input;
    return [
      { name: `finds what its case ${one.name} expects`, run: () => findsExpected(host(), one) },
      // Findings that grow with the content pass every limit at some size.
      ...(typeof content === 'string' && content !== ''
        ? [
            {
              name: `gives a clean finding for its case ${one.name}, repeated up to 256 KB`,
              run: async () => void (await host().finding(upTo(`${content}\n`, MAX_CONTENT_BYTES))),
            },
          ]
        : []),
    ];
  });
}

function hostFor<Options>(critic: Critic<Options>, { input }: CriticCase, suite: ConformanceCase<Options>): () => Host {
  if (input.options === undefined) return () => makeHost(critic, suite);
  return () => {
    const parsed = parseOptions(critic, input.options);
    if (!parsed.ok) throw new CheckFailed('the critic refuses the options of the case');
    return makeHost(critic, { ...suite, good: input.options ?? {}, options: () => parsed.value });
  };
}

async function findsExpected(host: Host, { input, expected }: CriticCase): Promise<void> {
  const { end } = await host.answer(input.content, { context: input.context ?? {} });
  if (!end.ok) throw new CheckFailed(`gave no finding: ${end.class}, ${end.code}`);
  const { finding } = end;
  expectSpansInside(finding, input.content);
  if (expected.severity !== undefined && finding.severity !== expected.severity)
    throw new CheckFailed(`expected severity ${expected.severity}, found ${finding.severity}`);
  if (expected.violations !== undefined) compareViolations(finding, expected.violations, input.content);
}

function compareViolations({ violations }: Finding, expected: NonNullable<CriticCase['expected']['violations']>, content: Json): void {
  const codes = (list: readonly { readonly code: string }[]): string => list.map(({ code }) => code).join(', ') || 'none';
  if (codes(violations) !== codes(expected))
    throw new CheckFailed(`expected the violations ${codes(expected)}; found ${codes(violations)}`);
  const texts = new Map(textPieces(content).map(({ path, text }) => [path, text]));
  for (const [index, { code, span }] of violations.entries()) {
    const { text, path } = expected[index] ?? {};
    const found = texts.get(span?.path ?? '')?.slice(span?.start, span?.end);
    if (text !== undefined && (span === undefined || found !== text))
      throw new CheckFailed(`violation ${index} (${code}) does not stand where the case expects it`);
    if (path !== undefined && span?.path !== path) throw new CheckFailed(`violation ${index} (${code}) stands at another path`);
  }
}
