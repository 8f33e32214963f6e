/** What the validator of an update takes in the workflow sandbox, signature and all, for commands of a real review. */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { bundleWorkflows } from '../../../../src/bundle.js';
import { readCommand } from '../../../../src/domain/review/command.js';
import type { judgeCommand, Moment } from '../../../../src/domain/review/guard.js';
import { applyCommand, open, openingState } from '../../../../src/domain/review/moves.js';
import type { People } from '../../../../src/domain/review/people.js';
import { REVIEW_ACTIONS, type ReviewInput } from '../../../../src/domain/review/review.js';
import { signCommand } from '../../../../src/review/sign.js';
import { ann, openOne, peopleOf, TIER_PLANS } from '../../../faults/support/reviews.js';
import { median, percentile, spreadOf, type Figure } from '../../measure.js';
import type { Scenario } from '../../scenario.js';
import { withFleet } from '../limits/fleet.js';

type Judge = typeof judgeCommand;

const ENTRY = fileURLToPath(new URL('../../anchors/validator.ts', import.meta.url));
const GOAL_MS = 15;
const WARM_UP = 50;
const WORDS = 'the quote is taken from a public speech, and nobody is named in it';

export const validator: Scenario = {
  name: 'review/validator',
  title: 'Validator of a decision in the workflow sandbox, signature check included',
  async run(bench) {
    const plans = { plans: TIER_PLANS, reviews: peopleOf([ann]) };
    const [id, input] = await withFleet(bench, 1, plans, async (fleet) => {
      const opened = await openOne(fleet, 'acknowledgement');
      return [opened.id, await fleet.client.reviews.input(opened.id)] as const;
    });
    const moment = claimedBy(id, input);
    const { code } = await bundleWorkflows({}, ENTRY);
    const sandbox = await sandboxOf(code);
    const first = takes(sandbox, moment, 1);
    takes(sandbox, moment, WARM_UP);
    const times = takes(sandbox, moment, bench.quick ? 50 : 500);
    return [
      figureOf('p50', median(times), times),
      { ...figureOf('p95', percentile(times, 0.95), times), goal: GOAL_MS },
      figureOf('the first one of a process', median(first), first),
    ];
  },
};

const figureOf = (name: string, value: number, of: readonly number[]): Figure => ({
  name,
  value,
  unit: 'ms',
  spread: spreadOf(of),
  samples: of.length,
});

/** The sandbox as the SDK makes it for workflows that share one: its globals, its frozen modules, its cache of them. */
async function sandboxOf(code: string): Promise<Judge> {
  const load = createRequire(createRequire(import.meta.url).resolve('@temporalio/worker'));
  // No part of the SDK's interface; there is no other way to run code as its sandbox runs it.
  const { ReusableVMWorkflowCreator: Creator } = load('./workflow/reusable-vm.js') as { ReusableVMWorkflowCreator: SandboxCreator };
  const { context } = await Creator.create(
    { code, filename: 'validator.js', sourceMap: { version: 3, sources: [], mappings: '' } },
    5_000,
    new Set(),
  );
  const { judgeCommand: judge } = vm.runInContext('__TEMPORAL__.importWorkflows()', context) as { readonly judgeCommand: Judge };
  return judge;
}

interface SandboxCreator {
  create(bundle: object, timeoutMs: number, activities: ReadonlySet<string>): Promise<{ readonly context: vm.Context }>;
}

/** An open review that ann holds. */
function claimedBy(reviewId: string, input: ReviewInput): Moment {
  const people: People = {
    persons: [{ id: ann.id, groups: ann.groups, key: ann.publicKey, kind: 'human', aliases: [] }],
    digest: 'of this bench',
  };
  const nowMs = Date.now();
  const fresh = { reviewId, input, nowMs, state: { ...openingState(nowMs, input), people } };
  const opened = { ...fresh, state: open(fresh, people, false).state };
  const claim = readCommand('claim', { v: 1, commandId: randomUUID(), payload: {} });
  if (claim === undefined) throw new Error('the claim is no command');
  return { ...opened, state: applyCommand(opened, claim, { id: ann.id }).state };
}

/** Each a decision with a signature of its own, which nobody has seen. */
function takes(judge: Judge, moment: Moment, count: number): number[] {
  const [{ epoch } = { epoch: 0 }] = moment.state.claims;
  const payload = { disposition: 'PROCEED', epoch, signals: [{ id: 'r1', reason: WORDS }] } as const;
  const [action] = REVIEW_ACTIONS.filter((one) => one === 'decide');
  if (action === undefined) throw new Error('there are no decisions');
  const { tenant, packetDigest } = moment.input;
  return Array.from({ length: count }, () => {
    const commandId = randomUUID();
    const assertion = signCommand(ann, { tenant, reviewId: moment.reviewId, action, commandId, payload, packetDigest }, moment.nowMs);
    // As it comes over the wire.
    const command: unknown = JSON.parse(JSON.stringify({ v: 1, commandId, payload, assertion }));
    const begun = performance.now();
    const judged = judge(moment, action, command, true);
    const tookMs = performance.now() - begun;
    if (!judged.ok) throw new Error(`a decision of the bench was refused: ${judged.code}`);
    return tookMs;
  });
}
