/** What the rows of four public sets have in common here: `{ id, prompt, response, labels: { source, … }, expected }`. */
import { z } from 'zod';
import { parseWith } from '../../schemas/issues.js';
import { contentOf, VERDICTS, type Adapter, type Read, type SetRecord } from './record.js';

const Row = z.looseObject({
  id: z.string().min(1),
  prompt: z.string(),
  response: z.string().nullish(),
  labels: z.looseObject({ source: z.string() }),
  expected: z.looseObject({ verdict: z.enum(VERDICTS).nullable(), accept: z.array(z.enum(VERDICTS)) }),
});
export type SharedRow = z.output<typeof Row>;

/** What a set says of a row beside its text. */
export type Labelled = Pick<SetRecord, 'stratum' | 'labels' | 'spans'>;

/**
 * @param source the value of `labels.source` by which rows are known.
 * @param label of a row; its labels are checked by the schema.
 */
export function sharedAdapter<Labels>(
  name: string,
  source: string,
  schema: z.ZodType<Labels>,
  label: (labels: Labels, row: SharedRow) => Labelled,
): Adapter {
  return {
    name,
    recognises: (row) =>
      'labels' in row && typeof row.labels === 'object' && row.labels !== null && 'source' in row.labels && row.labels.source === source,
    read: (row) => read(row, schema, label),
  };
}

function read<Labels>(value: object, schema: z.ZodType<Labels>, label: (labels: Labels, row: SharedRow) => Labelled): Read {
  const row = parseWith(Row, value);
  const labels = parseWith(z.object({ labels: schema }), value);
  const issues = [...(row.ok ? [] : row.issues), ...(labels.ok ? [] : labels.issues)];
  // What stands there may be of the text: the place and what should be there say enough.
  if (!row.ok || !labels.ok) return { ok: false, problems: issues.map(({ path }) => `${path.join('.')} is not of the form of this set`) };
  const { id, prompt, response, expected } = row.value;
  return {
    ok: true,
    record: {
      id,
      content: contentOf(prompt, response),
      context: {},
      ...label(labels.value.labels, row.value),
      ...(expected.verdict !== null ? { verdict: expected.verdict } : {}),
      accept: expected.accept,
    },
  };
}
