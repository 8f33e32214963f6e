/** What the commands about reviews share: the reviews of the deployment, who acts, and what comes back. */
import type { Command } from 'commander';
import type { ActOptions, TribunalClient } from '../client.js';
import { ReviewRefused } from '../client-errors.js';
import { REVIEW_ID_FORM, REVIEW_PREFIX, type ReviewView } from '../contract.js';
import { COMMAND_ID_FORM, readCommand, type Payloads } from '../domain/review/command.js';
import { PERSON_ID_FORM } from '../domain/review/people.js';
import { isOpenStatus, type Receipt, type ReviewAction } from '../domain/review/review.js';
import type { CommandSigner } from '../review/sign.js';
import { safeText } from '../report/safe.js';
import type { Call, GlobalOptions } from './command.js';
import { connectClient } from './connect.js';
import { EXIT, usageError } from './exit.js';
import type { Output } from './output.js';
import { asKeyError } from './reviewer-error.js';

export interface WhoOptions {
  readonly as?: string;
}

export interface ActingOptions extends WhoOptions {
  readonly commandId?: string;
}

type Reviews = TribunalClient['reviews'];

export interface Desk {
  readonly reviews: Reviews;
  /** Id of the person who acts. */
  readonly me: string;
  readonly who: { readonly signer: CommandSigner } | { readonly as: string };
}

export const addWho = (command: Command): Command =>
  command.option('--as <id>', 'in the name of this person, without a signature: only workers with --insecure-dev take that');

export const addActing = (command: Command): Command =>
  addWho(command).option('--command-id <id>', 'of an earlier attempt that nobody has answered: it happens once');

/** The id that was typed, with or without its first word; `undefined`: it is none. */
export function reviewIdIn(text: string): string | undefined {
  const id = text.startsWith(REVIEW_PREFIX) ? text : `${REVIEW_PREFIX}${text}`;
  return REVIEW_ID_FORM.test(id) ? id : undefined;
}

/** @throws CliError when what was typed is no id of a review. */
export function reviewIdOf(text = ''): string {
  const id = reviewIdIn(text);
  if (id !== undefined) return id;
  throw usageError(`${JSON.stringify(text.slice(0, 200))} is not the id of a review: \`tribunal review list\` names them`);
}

/** A command that only looks. */
export async function withReviews({ options, io }: Call<unknown>, work: (reviews: Reviews) => Promise<number>): Promise<number> {
  const connected = await connectClient(serverOptions(options), io.env);
  try {
    return await work(connected.client.reviews);
  } finally {
    await connected.close();
  }
}

/** Without `file`, which is a decision here, and a deployment file where the server is looked for. */
function serverOptions({ address, namespace, deployment, dataConverter }: GlobalOptions): GlobalOptions {
  return {
    ...(address !== undefined ? { address } : {}),
    ...(namespace !== undefined ? { namespace } : {}),
    ...(deployment !== undefined ? { deployment } : {}),
    ...(dataConverter !== undefined ? { dataConverter } : {}),
  };
}

/** A command that somebody gives. */
export async function withDesk(given: Call<WhoOptions>, work: (desk: Desk) => Promise<number>): Promise<number> {
  // Before the server is asked: without a key there is nothing to ask for.
  const who = await whoActs(given.options.as, given.io.env);
  const me = 'as' in who ? who.as : who.signer.id;
  return await withReviews(given, (reviews) => work({ reviews, me, who }));
}

async function whoActs(as: string | undefined, env: NodeJS.ProcessEnv): Promise<Desk['who']> {
  if (as !== undefined) {
    if (PERSON_ID_FORM.test(as)) return { as };
    throw usageError(`--as must be the id of a person (${PERSON_ID_FORM.source})`);
  }
  const { loadSigner } = await import('../review/keys.js');
  const { localCommandSigner } = await import('../review/sign.js');
  return { signer: localCommandSigner(await loadSigner(env).catch(asKeyError)) };
}

/** @throws CliError when the workflow would not take it for a command of this action: no need to ask. */
export function checkedPayload<Action extends ReviewAction>(action: Action, payload: Payloads[Action], how: string): Payloads[Action] {
  if (readCommand(action, { v: 1, commandId: 'not-sent', payload }) !== undefined) return payload;
  throw usageError(how);
}

/** One command on one review, bound to what is under review now. */
export async function act<Action extends ReviewAction>(
  { reviews, who }: Desk,
  action: Action,
  view: Pick<ReviewView, 'reviewId' | 'packetDigest'>,
  payload: Payloads[Action],
  { commandId, refresh, timeoutMs }: Partial<Pick<ActOptions, 'commandId' | 'refresh' | 'timeoutMs'>> = {},
): Promise<Receipt> {
  if (commandId !== undefined && !COMMAND_ID_FORM.test(commandId))
    throw usageError(`--command-id must be of the form ${COMMAND_ID_FORM.source}`);
  const options = {
    ...who,
    packetDigest: view.packetDigest,
    ...(commandId !== undefined ? { commandId } : {}),
    ...(refresh !== undefined ? { refresh } : {}),
    ...(timeoutMs !== undefined ? { timeoutMs } : {}),
  };
  return await reviews.act(action, view.reviewId, payload, options).catch(async (error: unknown) => {
    if (!(error instanceof ReviewRefused) || error.reason !== 'NOT_OPEN') throw error;
    // Where nobody answers any more, the code has to do.
    const now = await reviews.view(view.reviewId).catch(() => undefined);
    throw now === undefined ? error : new ReviewRefused('NOT_OPEN', view.reviewId, whyNotOpen(action, now));
  });
}

/** What stands behind `NOT_OPEN`, as far as the review as it is now tells. */
export function whyNotOpen(action: ReviewAction, { status, endedAt, effectiveAt }: ReviewView): string {
  if (!isOpenStatus(status)) return `it is ${status}${endedAt === undefined ? '' : ` since ${endedAt}`}`;
  if (action === 'undo') {
    if (status === 'COMMITTING') return 'its decision takes effect already, and cannot be undone any more';
    const why = status === 'AWAITING_SECOND' ? ': the vote of a first person stands' : '';
    return `it is ${status}, and there is nothing of yours to undo${why}`;
  }
  return effectiveAt === undefined ? `it is ${status}` : `it is decided, which takes effect at ${effectiveAt} unless it is undone`;
}

/** A command whose payload is known from its options alone. */
export async function runAct<Action extends ReviewAction>(
  given: Call<ActingOptions>,
  action: Action,
  payloadOf: (view: ReviewView, desk: Desk) => Payloads[Action],
): Promise<number> {
  const id = reviewIdOf(given.args[0]);
  return await withDesk(given, async (desk) => {
    const view = await desk.reviews.view(id);
    showReceipt(await act(desk, action, view, payloadOf(view, desk), given.options), given.output);
    return EXIT.ok;
  });
}

/** The epoch of the claim that the person has, which a vote quotes. */
export function ownEpoch({ claims, reviewId }: ReviewView, { me }: Desk, given: string | undefined): number {
  if (given !== undefined) {
    const epoch = Number(given);
    if (Number.isSafeInteger(epoch) && epoch > 0) return epoch;
    throw usageError('--epoch must be a whole number, as `claim` has printed it');
  }
  const own = claims.find(({ by }) => by === me);
  if (own !== undefined) return own.epoch;
  throw usageError(
    `${me} does not hold ${reviewId}: \`tribunal review claim ${reviewId}\` first, or name the epoch of an earlier claim by --epoch`,
  );
}

/** Elsewhere than in triage a decision takes effect as soon as it is given. */
export const canBeUndone = ({ at, effectiveAt }: Receipt): boolean => effectiveAt !== undefined && effectiveAt > at;

export function showReceipt(receipt: Receipt, output: Output): void {
  if (output.json) output.object(receipt);
  else output.line(receiptText(receipt));
}

export function receiptText({ reviewId, status, seq, hash, epoch, leaseUntil, effectiveAt, duplicate }: Receipt): string {
  const parts = [
    `${reviewId} is ${status}`,
    ...(leaseUntil !== undefined ? [`held until ${leaseUntil} (epoch ${epoch ?? '-'})`] : []),
    ...(effectiveAt !== undefined ? [`takes effect at ${effectiveAt}`] : []),
    `entry ${seq} (${hash.slice(0, 12)})`,
    ...(duplicate === true ? ['it was taken before'] : []),
  ];
  return safeText(parts.join(', '));
}
