/** What the process that runs checks tells the one that waits for them. */
import type { CheckLevel } from './check.js';

/** What is to be done; the first message to the child. */
export interface Job {
  /** Stands in front of every message of the child, and is kept from the module: what comes without it is the module's own. */
  readonly token: string;
  /** Absolute path of the critics module. */
  readonly module: string;
  /** Options as a plan writes them. */
  readonly with: unknown;
  readonly timeoutMs: number;
  /** How long the module may take to load. */
  readonly loadMs: number;
  /** Of one critic alone. Absent: all of the module. */
  readonly name?: string;
  /** Checks before this one were run by a process that is gone. */
  readonly from: number;
}

export interface Planned {
  readonly critic: string;
  readonly version: string;
  readonly check: string;
}

export type Message =
  /** Alive: its event loop turns. Says nothing of a module that is not loaded yet. */
  | { readonly type: 'beat' }
  | { readonly type: 'unusable'; readonly message: string }
  | { readonly type: 'planned'; readonly checks: readonly Planned[] }
  | ({ readonly type: 'ended'; readonly index: number } & CheckEnd)
  | { readonly type: 'done' };

export type CheckEnd = { readonly status: 'passed' } | { readonly status: CheckLevel; readonly message: string; readonly lost: boolean };
