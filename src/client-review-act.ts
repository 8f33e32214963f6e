/**
 * A command on its way to a review. It has one id from the first attempt to the last, so that however often it is sent it
 * happens once; each attempt is signed anew, since a signature lives for minutes. Imports `@temporalio/client` and `common` alone.
 */
import { randomUUID } from 'node:crypto';
import {
  isGrpcServiceError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import { CALL_TIMEOUT_MS, named, type Host } from './client-calls.js';
import { NotRecorded, ReviewNotFound, ReviewRefused, TribunalError } from './client-errors.js';
import { REFRESH_SIGNAL, REVIEW_PREFIX, REVIEW_RECEIPT_QUERY } from './contract.js';
import { hashJson } from './digest.js';
import { REVIEW_CODES, type ReviewCode } from './domain/review/codes.js';
import type { Payloads, ReviewCommand } from './domain/review/command.js';
import type { Receipt, ReviewAction } from './domain/review/review.js';
import type { JsonObject } from './domain/request.js';
import type { CommandSigner } from './review/sign.js';

/** Until a command that nobody answers is given up. */
const ACT_TIMEOUT_MS = 30_000;
/** A review that opens waits for one file to be read. */
const READY_TIMEOUT_MS = 10_000;
/** Between two attempts; a server that was away for a moment is not asked at once by everybody. */
const PAUSE_MS = 250;
/** The file of people is read again by then, by a worker that is not very busy. */
const REFRESH_MS = 2_000;
/** What the review says of somebody whose entry in the file is newer than what it knows. */
const MAY_BE_NEW: readonly ReviewCode[] = ['KEY_UNKNOWN', 'BAD_SIGNATURE'];

export interface ActOptions {
  /** Who signs. */
  readonly signer?: CommandSigner;
  /** In whose name, without a signature: only workers with `--insecure-dev` take it. */
  readonly as?: string;
  /** Of what the person has looked at. */
  readonly packetDigest: string;
  /** Of an earlier attempt to send this very command. Default: a new one. */
  readonly commandId?: string;
  /** How long it is sent again while nobody answers. Default 30 s. */
  readonly timeoutMs?: number;
  /** False: who signs is not looked for again in the file of people, when the review does not know them. */
  readonly refresh?: boolean;
}

/** One command, attempt by attempt. */
export class ReviewCommandSender<Action extends ReviewAction> {
  readonly #host: Host;
  readonly #workflow: WorkflowHandle;
  readonly #commandId: string;
  readonly #digest: string;
  /** When the review was told to read the file of people again. */
  #refreshedAtMs: number | undefined;

  constructor(
    host: Host,
    readonly action: Action,
    readonly reviewId: string,
    readonly payload: Payloads[Action],
    readonly options: ActOptions,
  ) {
    this.#host = host;
    this.#workflow = host.client.workflow.getHandle(reviewId);
    this.#commandId = options.commandId ?? randomUUID();
    this.#digest = hashJson(payload);
    this.#refreshedAtMs = options.refresh === false ? 0 : undefined;
  }

  /** @throws ReviewRefused, ReviewNotFound, NotRecorded, or what `named` makes of other errors. */
  async send(): Promise<Receipt> {
    const begun = Date.now();
    const until = begun + (this.options.timeoutMs ?? ACT_TIMEOUT_MS);
    for (;;) {
      const pauseMs = await this.#attempt(begun, until);
      if (typeof pauseMs !== 'number') return pauseMs;
      if (Date.now() + pauseMs >= until) throw new NotRecorded(this.action, this.reviewId, this.#commandId);
      await new Promise((settle) => setTimeout(settle, pauseMs));
    }
  }

  /** The receipt, or after how many milliseconds it is worth another attempt. */
  async #attempt(begun: number, until: number): Promise<Receipt | number> {
    try {
      const command = await this.#command();
      const deadline = Math.min(until, Date.now() + CALL_TIMEOUT_MS);
      const receipt = await this.#host.client.withDeadline(deadline, () =>
        this.#workflow.executeUpdate<Receipt, [ReviewCommand]>(this.action, {
          args: [command],
          updateId: `${this.action}:${this.#commandId}`,
        }),
      );
      return this.#own(receipt);
    } catch (error) {
      if (error instanceof TribunalError) throw error;
      const code = refusalIn(error);
      if (code !== undefined) return await this.#refused(code, begun);
      if (isOver(error)) return await this.#afterTheEnd(until, error);
      if (mayBeTriedAgain(error)) return PAUSE_MS;
      throw this.#named(error);
    }
  }

  async #command(): Promise<ReviewCommand> {
    const { payload, reviewId, action, options } = this;
    const { signer, as, packetDigest } = options;
    // JSON, as the types of payloads are; an interface has no index signature.
    const base = { v: 1, commandId: this.#commandId, payload: payload as unknown as JsonObject } as const;
    if (signer === undefined) return as === undefined ? base : { ...base, as };
    const tenant = tenantOfReview(reviewId);
    return { ...base, assertion: await signer.sign({ tenant, reviewId, action, commandId: this.#commandId, payload, packetDigest }) };
  }

  async #refused(code: ReviewCode, begun: number): Promise<number> {
    if (code === 'NOT_READY' && Date.now() - begun < READY_TIMEOUT_MS) return PAUSE_MS;
    if (!MAY_BE_NEW.includes(code)) throw new ReviewRefused(code, this.reviewId);
    if (this.#refreshedAtMs === undefined) await this.#refresh();
    else if (Date.now() - this.#refreshedAtMs >= REFRESH_MS) throw new ReviewRefused(code, this.reviewId);
    return PAUSE_MS;
  }

  async #refresh(): Promise<void> {
    this.#refreshedAtMs = Date.now();
    await this.#host.client
      .withDeadline(Date.now() + CALL_TIMEOUT_MS, () => this.#workflow.signal(REFRESH_SIGNAL))
      // Without it the next attempt says what the first one said.
      .catch(() => undefined);
  }

  /** Whether it was taken before the review closed: its workflow remembers the newest commands. */
  async #afterTheEnd(until: number, cause: unknown): Promise<Receipt | number> {
    let receipt: Receipt | null;
    try {
      const deadline = Math.min(until, Date.now() + CALL_TIMEOUT_MS);
      receipt = await this.#host.client.withDeadline(deadline, () =>
        this.#workflow.query<Receipt | null, [string]>(REVIEW_RECEIPT_QUERY, this.#commandId),
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw new ReviewNotFound(this.reviewId, this.#host.namespace);
      if (mayBeTriedAgain(error)) return PAUSE_MS;
      throw this.#named(error);
    }
    if (receipt !== null) return { ...this.#own(receipt), duplicate: true };
    // Aborted by an end that is only under way: the next attempt says how it ended.
    if (cause instanceof WorkflowNotFoundError) throw new ReviewRefused('NOT_OPEN', this.reviewId);
    return PAUSE_MS;
  }

  /** The server gives the first outcome to whatever comes under one update id, so the receipt may be another command's. */
  #own(receipt: Receipt): Receipt {
    if (receipt.payloadDigest !== this.#digest || receipt.action !== this.action)
      throw new ReviewRefused('IDEMPOTENCY_CONFLICT', this.reviewId);
    return receipt;
  }

  #named(error: unknown): unknown {
    return named(this.#host, `cannot ${this.action} ${this.reviewId}`, undefined, error);
  }
}

/** The id holds it: `review/<tenant>/<key>/<run>`. */
export const tenantOfReview = (reviewId: string): string => reviewId.slice(REVIEW_PREFIX.length).split('/')[0] ?? '';

/** What the server says of an update that a workflow has accepted and not answered before it closed. */
const UNANSWERED = 'AcceptedUpdateCompletedWorkflow';
/** And of one that a worker was handed with a task which it completed without it, as one that has just taken over may: nobody has looked at it. */
const UNPROCESSED = 'UnprocessedUpdate';

const typeOf = (error: unknown): string | undefined =>
  error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure ? (error.cause.type ?? undefined) : undefined;

function refusalIn(error: unknown): ReviewCode | undefined {
  const type = typeOf(error);
  return type !== undefined && isReviewCode(type) ? type : undefined;
}

const isReviewCode = (text: string): text is ReviewCode => Object.hasOwn(REVIEW_CODES, text);

/** Closed, closing or never there. */
const isOver = (error: unknown): boolean => error instanceof WorkflowNotFoundError || typeOf(error) === UNANSWERED;

// The codes of https://grpc.github.io/grpc/core/md_doc_statuscodes.html after which a second attempt can go well.
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const ABORTED = 10;
const INTERNAL = 13;
const UNAVAILABLE = 14;
/** `FAILED_PRECONDITION`: the workflow is not ready, or nobody has polled for long; `ABORTED`: by a workflow that closes. */
const PASSING: readonly number[] = [CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, INTERNAL, UNAVAILABLE];

function mayBeTriedAgain(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || typeOf(error) === UNPROCESSED) return true;
  const answer = isGrpcServiceError(error) ? error : error instanceof Error ? error.cause : undefined;
  return isGrpcServiceError(answer) && PASSING.includes(answer.code);
}
