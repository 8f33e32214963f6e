/** What a worker and the threads of its critics say to each other: plain data alone, and types alone. */
import type { MessagePort } from 'node:worker_threads';
import type { CriticUse } from '../../domain/plan.js';
import type { AttemptEnd } from '../attempt.js';
import type { CriticInput, CriticTools } from '../critic.js';

/** An implementation as a thread finds it. */
export interface ThreadUse {
  readonly use: CriticUse;
  /** Of the worker's implementation: a module that was replaced meanwhile is another critic. */
  readonly version: string;
  /** Its critics module; absent: it is built in. */
  readonly module?: string;
}

/** Handed to each thread when it is made. */
export interface ThreadSetup {
  /** Private hosts that critics may ask. */
  readonly hosts: readonly string[];
  /** Loaded and warmed before the thread takes an attempt. */
  readonly warm: readonly ThreadUse[];
}

/** The line between the worker and the thread, for one attempt. */
export interface Line {
  readonly port: MessagePort;
  /** Answers to `secret`, which a critic waits for without a turn of its event loop: `rung` is notified when one is there. */
  readonly secrets: MessagePort;
  readonly rung: Int32Array;
}

export type ToThread =
  | (ThreadUse & {
      readonly type: 'call';
      readonly input: CriticInput;
      readonly tools: Pick<CriticTools<never>, 'idempotencyKey' | 'attempt'>;
    })
  /** The signal fired; `reason` is the name of its error. */
  | { readonly type: 'stop'; readonly reason: 'TimeoutError' | 'AbortError' }
  | { readonly type: 'hang_up' };

export type FromThread =
  | { readonly type: 'ready'; /** Why it can run nothing. */ readonly problem?: string }
  | { readonly type: 'heartbeat' }
  | { readonly type: 'log'; readonly message: string; readonly fields?: Readonly<Record<string, string | number | boolean>> }
  | { readonly type: 'secret'; readonly name: string }
  /** What a critic left behind threw, by its kind alone. */
  | { readonly type: 'stray'; readonly kind: string }
  | { readonly type: 'answer'; readonly end: AttemptEnd }
  /** After the answer: whether the attempt left anything running. */
  | { readonly type: 'over'; readonly isClean: boolean };
