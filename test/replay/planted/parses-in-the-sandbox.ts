/** A planted fault: workflow code that parses a finding itself, and so carries zod and a schema. */
import { FindingSchema } from '../../../src/schemas/finding.js';
import { evaluate as realEvaluate } from '../../../src/workflows/evaluate.js';

export async function evaluate(input: Parameters<typeof realEvaluate>[0]): ReturnType<typeof realEvaluate> {
  const report = await realEvaluate(input);
  for (const { finding } of report.critics) FindingSchema.optional().parse(finding);
  return report;
}
