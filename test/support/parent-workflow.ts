/** A workflow of somebody else, which has an evaluation as its child. Runs in the sandbox. */
import { evaluateAsChild, type EvaluationReport, type PreparedEvaluation } from '../../src/workflow.js';

export async function parent(prepared: PreparedEvaluation): Promise<EvaluationReport> {
  return await evaluateAsChild(prepared);
}
