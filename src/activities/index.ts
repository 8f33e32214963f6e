/** The local activities of an evaluation, ready for the workflow Worker. */
import { Context } from '@temporalio/activity';
import type { EvaluationActivities } from '../contract.js';
import type { SecretSource } from '../critics/critic.js';
import { makeGuardedFetch } from '../critics/network/guarded-fetch.js';
import type { CriticRegistry } from '../critics/registry.js';
import { MAX_MESSAGE_CHARS } from '../domain/finding.js';
import type { ReviewIndex } from '../review/index-queries.js';
import { openReview } from './open-review.js';
import { openEvaluation, type OpenDeps } from './open-evaluation.js';
import { runLocalStages, type BatchHost } from './run-local-critics.js';

export interface ActivityDeps extends OpenDeps {
  readonly registry: CriticRegistry;
  readonly secrets: SecretSource;
  /** What critics ask the network with. Default: public addresses only. */
  readonly fetch?: typeof fetch;
  readonly reviews: ReviewIndex;
  /** How many workers poll an activity queue. */
  countPollers(queue: string): Promise<number>;
}

export function makeActivities(deps: ActivityDeps): EvaluationActivities {
  const guarded = deps.fetch ?? makeGuardedFetch();
  return {
    openEvaluation: ({ input, lead, memo }) => openEvaluation(deps, batchHost(deps, guarded), input, { lead, memo }),
    runLocalCritics: (input) => runLocalStages(batchHost(deps, guarded), input),
    openReview: async (input) => await openReview(deps.reviews, input, thisRun()),
    isOurReview: async ({ reviewId, packetDigest }) => await deps.reviews.isOurs(reviewId, packetDigest),
    inspectLane: async (queue) => ({ pollers: await deps.countPollers(queue) }),
    // The result is the point: it stands in the marker.
    recordPartialReport: async (report) => report,
  };
}

function thisRun(): { readonly workflowId: string; readonly runId: string } {
  const { workflowId = '', runId = '' } = Context.current().info.workflowExecution ?? {};
  return { workflowId, runId };
}

function batchHost({ registry, secrets }: ActivityDeps, fetch: BatchHost['fetch']): BatchHost {
  const context = Context.current();
  return {
    registry,
    secrets,
    fetch,
    signal: context.cancellationSignal,
    ...thisRun(),
    log: (message, fields) => context.log.info(message.slice(0, MAX_MESSAGE_CHARS), fields),
  };
}
