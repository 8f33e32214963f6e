/** What the Temporal UI shows above a review: state, clocks and what may be done. Ids and codes alone. Runs in the sandbox. */
import type { ReviewView } from '../contract.js';
import { REVIEW_TIERS } from '../domain/review/policy.js';
import { isOpenStatus, quorumOf } from '../domain/review/review.js';

export function reviewDetails(view: ReviewView): string {
  const held = view.claims.map(({ by, until }) => `\`${by}\` until ${until}`);
  return [
    `- **${view.status.toLowerCase().replace('_', ' ')}**, ${view.tier}, queue \`${view.queue}\``,
    `- evaluation \`${view.evaluationId}\``,
    ...(!isOpenStatus(view.status)
      ? [`- ${view.seq} entries, head \`${view.head.slice(0, 12)}\``]
      : [
          ...(held.length > 0 ? [`- held by ${held.join(', ')}`] : []),
          ...(view.votes > 0 ? [`- ${view.votes} ${view.votes === 1 ? 'vote is' : 'votes are'} in`] : []),
          ...(view.claimBy !== undefined ? [`- claim by ${view.claimBy}`] : []),
          `- decide by ${view.decideBy}, expires ${view.expires} with the gate shut`,
          ...(view.effectiveAt !== undefined ? [`- can be undone until ${view.effectiveAt}`] : []),
          `- next: ${nextOf(view)}`,
        ]),
  ].join('\n');
}

function nextOf(view: ReviewView): string {
  if (view.status === 'OPENING') return 'it waits for the file of people';
  if (view.status === 'COMMITTING') return `\`tribunal review undo ${view.reviewId}\` by whoever decided`;
  const isFree = view.claims.length + view.votes < quorumOf(view.tier);
  const actions = [...(isFree ? ['claim'] : []), ...(view.claims.length > 0 ? ['decide', 'unclaim'] : []), 'escalate', 'recuse'];
  const all = view.tier === REVIEW_TIERS.at(-1) ? actions.filter((action) => action !== 'escalate') : actions;
  return `${all.map((action) => `\`${action}\``).join(', ')} with \`tribunal review … ${view.reviewId}\``;
}
