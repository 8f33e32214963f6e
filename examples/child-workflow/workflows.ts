/** A workflow of one's own that asks tribunal before it sends anything. */
import { CancellationScope, proxyActivities } from '@temporalio/workflow';
import { evaluateAsChild, type EvaluationReport } from 'tribunal/workflow';
import type * as activities from './activities.js';

const { prepareJudgement, sendReply } = proxyActivities<typeof activities>({
  startToCloseTimeout: '10 seconds',
  // A request that is refused once is refused always.
  retry: { maximumAttempts: 3, nonRetryableErrorTypes: ['RequestRefused'] },
});

export async function answerCustomer(reply: activities.Reply): Promise<string> {
  const prepared = await prepareJudgement(reply);
  const report = await judged(() => evaluateAsChild(prepared));
  if (report?.decision === 'allow') return await sendReply(reply);
  return `held: ${report?.decision ?? 'not judged'}  ${prepared.evaluationId}`;
}

/** The report, or `undefined` when there is none: refused, cancelled, or not there in time, as without a worker. */
async function judged(evaluate: () => Promise<EvaluationReport>): Promise<EvaluationReport | undefined> {
  const outer = CancellationScope.current();
  try {
    return await CancellationScope.withTimeout('2 minutes', evaluate);
  } catch (error) {
    // Somebody cancelled this workflow: that is not for us to swallow.
    if (outer.consideredCancelled) throw error;
    return undefined;
  }
}
