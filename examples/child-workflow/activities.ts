/** What the workflow does outside of its sandbox. */
import { prepareEvaluation, type PreparedEvaluation } from 'tribunal/client';

export interface Reply {
  readonly text: string;
  readonly plan: string;
  /** Name of the deployment whose workers judge. */
  readonly deployment: string;
}

/** Checks the request and makes its digest, which the sandbox of a workflow cannot. Without a key each call is a new evaluation. */
export async function prepareJudgement({ text, plan, deployment }: Reply): Promise<PreparedEvaluation> {
  return prepareEvaluation({ plan, content: text }, { deployment });
}

export async function sendReply({ text }: Reply): Promise<string> {
  return `sent ${text.length} characters`;
}
