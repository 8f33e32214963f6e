/** People with keys, their file, and the commands that they send, signed as their own clients sign them. */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isGrpcServiceError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { REVIEW_STATE_QUERY, type ReviewView } from '../../src/contract.js';
import type { Receipt, ReviewAction } from '../../src/domain/review/review.js';
import { until } from './history.js';
import { makeKeyPair, type Signer } from '../../src/review/keys.js';
import { signCommand } from '../../src/review/sign.js';
import { sign as signBytes } from 'node:crypto';

/** Codes of gRPC and of the server's stages. */
const NOT_FOUND = 5;
const ADMITTED = 1;

export interface TestPerson extends Signer {
  readonly groups: readonly string[];
  readonly entry: Readonly<Record<string, unknown>>;
}

export function makePerson(id: string, groups: readonly string[], more: Readonly<Record<string, unknown>> = {}): TestPerson {
  const { publicKey, privateKey } = makeKeyPair();
  return {
    id,
    groups,
    publicKey,
    entry: { id, groups, key: publicKey, ...more },
    sign: (text) => signBytes(null, Buffer.from(text), privateKey),
  };
}

export function writePeople(dir: string, people: readonly TestPerson[]): string {
  const file = join(dir, 'reviewers.yaml');
  writeFileSync(file, JSON.stringify({ people: people.map(({ entry }) => entry) }));
  return file;
}

/** The block of a plan whose times no test reaches. */
export const REVIEW_BLOCK = {
  openOn: ['finding', 'failure'],
  tiers: { default: 'acknowledgement' },
  reviewers: { triage: ['moderators'], acknowledgement: ['leads'], determination: ['board'] },
  reasons: ['false_positive', 'policy_violation'],
} as const;

export interface CommandOptions {
  readonly commandId?: string;
  readonly nowMs?: number;
  readonly packetDigest?: string;
  readonly tenant?: string;
}

export class TestReview {
  readonly handle: WorkflowHandle;

  constructor(
    readonly temporal: Client,
    readonly reviewId: string,
    readonly packetDigest: string,
  ) {
    this.handle = temporal.workflow.getHandle(reviewId);
  }

  view(): Promise<ReviewView> {
    return this.handle.query<ReviewView>(REVIEW_STATE_QUERY);
  }

  command(person: TestPerson, action: ReviewAction, payload: object, options: CommandOptions = {}): Record<string, unknown> {
    const { commandId = randomUUID(), nowMs = Date.now(), packetDigest = this.packetDigest, tenant = 'default' } = options;
    const fields = { tenant, reviewId: this.reviewId, action, commandId, payload, packetDigest };
    return { v: 1, commandId, payload, assertion: signCommand(person, fields, nowMs) };
  }

  /** Sends a command as it is; the update has the command's id. */
  async send(action: ReviewAction, command: unknown): Promise<Receipt> {
    const id = typeof command === 'object' && command !== null && 'commandId' in command ? String(command.commandId) : randomUUID();
    return await this.handle.executeUpdate<Receipt, [unknown]>(action, { args: [command], updateId: `${action}:${id}` });
  }

  /** Until the server holds a command that no worker has seen yet. */
  async untilAdmitted(action: ReviewAction, commandId: string): Promise<void> {
    const { connection, options } = this.temporal;
    const workflowExecution = { workflowId: this.reviewId };
    await until(async () => {
      try {
        await connection.workflowService.pollWorkflowExecutionUpdate({
          namespace: options.namespace,
          updateRef: { workflowExecution, updateId: `${action}:${commandId}` },
          waitPolicy: { lifecycleStage: ADMITTED },
        });
        return true;
      } catch (error) {
        if (isGrpcServiceError(error) && error.code === NOT_FOUND) return false;
        throw error;
      }
    });
  }

  act(person: TestPerson, action: ReviewAction, payload: object, options?: CommandOptions): Promise<Receipt> {
    return this.send(action, this.command(person, action, payload, options));
  }
}

/** The code with which a command is refused. */
export async function refusalOf(sending: Promise<unknown>): Promise<string> {
  const error: unknown = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof WorkflowUpdateFailedError && error.cause instanceof ApplicationFailure) return error.cause.type ?? 'no type';
  throw new Error(`not refused: ${error instanceof Error ? `${error.name} ${error.message}` : 'it was taken'}`);
}
