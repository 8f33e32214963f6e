/** The form for sets of one's own: `{ text, response?, labels?, spans?, expected?, stratum?, id? }`; `docs/assess.md` tells it. */
import { z } from 'zod';
import type { Json } from '../../domain/finding.js';
import { stepsOf } from '../../critics/json-pointer.js';
import { RISK_TIERS } from '../../domain/plan.js';
import { parseWith, strict } from '../../schemas/issues.js';
import { JsonObjectSchema, JsonSchema } from '../../schemas/json.js';
import { contentOf, textPath, VERDICTS, type Adapter, type LabelledSpan, type Read } from './record.js';

const MAX_NAME = 200;
const name = z.string().min(1).max(MAX_NAME);

const Row = strict({
  id: name.optional(),
  /** Records for `evaluate` have one. */
  key: name.optional(),
  text: z.string().optional(),
  content: JsonSchema.optional(),
  response: z.string().nullish(),
  labels: z.record(name, z.boolean()).optional(),
  spans: z.array(strict({ type: name, start: z.int().min(0), end: z.int().min(1), field: z.string().optional() })).optional(),
  expected: strict({ verdict: z.enum(VERDICTS).nullish(), accept: z.array(z.enum(VERDICTS)).optional() }).nullish(),
  stratum: name.optional(),
  context: JsonObjectSchema.optional(),
  riskTier: z.enum(RISK_TIERS).optional(),
});
type Row = z.output<typeof Row>;

export const ownForm: Adapter = {
  name: 'own',
  recognises: (row) => 'text' in row || 'content' in row,
  read(value, place) {
    const parsed = parseWith(Row, value);
    if (!parsed.ok) return { ok: false, problems: parsed.issues.map(({ path, message }) => withoutText(path, message)) };
    const row = parsed.value;
    if ((row.text === undefined) === (row.content === undefined)) return refused('needs either text or content, and not both');
    if (row.content !== undefined && row.response !== undefined) return refused('response goes with text: put the answer into content');
    const content: Json = row.content ?? contentOf(row.text ?? '', row.response);
    const spans = spansOf(row, content);
    if (typeof spans === 'string') return refused(spans);
    const verdict = row.expected?.verdict ?? undefined;
    return {
      ok: true,
      record: {
        id: row.id ?? row.key ?? place.id,
        stratum: row.stratum ?? place.stratum,
        content,
        context: row.context ?? {},
        ...(row.riskTier !== undefined ? { riskTier: row.riskTier } : {}),
        labels: row.labels ?? {},
        ...(spans !== undefined ? { spans } : {}),
        ...(verdict !== undefined ? { verdict } : {}),
        accept: row.expected?.accept ?? (verdict === undefined ? [] : [verdict]),
      },
    };
  },
};

const refused = (problem: string): Read => ({ ok: false, problems: [problem] });

/** A sentence about the text itself might quote it. */
const withoutText = (path: readonly (string | number)[], message: string): string =>
  ['text', 'content', 'response', 'context'].includes(String(path[0]))
    ? `${path.join('.')} is not of the right kind`
    : `${path.join('.')} ${message}`;

/** The marked stretches with their places in the content, or what is wrong with them. */
function spansOf(row: Row, content: Json): readonly LabelledSpan[] | string | undefined {
  if (row.spans === undefined) return undefined;
  const spans: LabelledSpan[] = [];
  for (const [index, { type, start, end, field }] of row.spans.entries()) {
    const path = pathOf(field, row);
    const text = textAt(content, path);
    if (text === undefined) return `spans.${index}.field names no text of this row`;
    if (start >= end || end > text.length)
      return `spans.${index} does not lie in its text: start ${start}, end ${end}, ${text.length} long`;
    spans.push({ type, start, end, path });
  }
  return spans;
}

function pathOf(field: string | undefined, row: Row): string {
  if (row.content !== undefined) return field ?? '';
  if (field === 'response') return '/output';
  return field === undefined || field === 'text' ? textPath(row.response) : field;
}

/** By JSON Pointer. */
function textAt(content: Json, path: string): string | undefined {
  let at: unknown = content;
  for (const key of stepsOf(path)) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Reflect.get(at, key);
  }
  return typeof at === 'string' ? at : undefined;
}
