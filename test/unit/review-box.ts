/**
 * The review workflow with nothing around it: what it asks of the SDK is answered here, and what it registers can be called in
 * any order. Updates that come in one workflow task are one `task`. For `vi.mock` of the SDK and of the activities' proxies.
 */
import { CancelledFailure } from '@temporalio/common';
import type { ReviewArgs, ReviewHost } from '../../src/contract.js';
import type { HashedEntry } from '../../src/domain/review/chain.js';
import type { People } from '../../src/domain/review/people.js';
import type { Receipt } from '../../src/domain/review/review.js';

interface Update {
  readonly handler: (given: unknown) => unknown;
  readonly validator?: (...given: readonly unknown[]) => unknown;
}

interface Waiting {
  readonly is: () => boolean;
  readonly done: (isSo: boolean) => void;
  readonly cancel: (reason: Error) => void;
  readonly atMs: number;
}

/** What one run of the workflow has around it. */
export class Box {
  readonly updates = new Map<string, Update>();
  readonly entries: HashedEntry[] = [];
  readonly told: unknown[] = [];
  carried: ReviewArgs | undefined;
  continueAsNewSuggested = false;
  #waiting: Waiting[] = [];

  constructor(readonly people: People) {}

  readonly sdk = {
    setHandler: (of: { type: string; name: string }, handler: Update['handler'], options?: Pick<Update, 'validator'>): void => {
      if (of.type === 'update') this.updates.set(of.name, { handler, ...options });
    },
    workflowInfo: () => ({
      workflowId: 'review/default/k/0123456789ab',
      runId: 'run',
      originalExecutionRunId: 'run',
      continueAsNewSuggested: this.continueAsNewSuggested,
    }),
    condition: (is: () => boolean, ms = Infinity): Promise<boolean> =>
      new Promise((done, cancel) => {
        // The least timer is the next workflow task.
        this.#waiting.push({ is, done, cancel, atMs: ms <= 1 ? 0 : Date.now() + ms });
        this.#wake();
      }),
    startChild: async (_type: string, { args }: { args: unknown[] }) => {
      this.told.push(args[0]);
      return await Promise.resolve({ result: () => new Promise(() => {}) });
    },
    allHandlersFinished: () => true,
    upsertSearchAttributes: () => {},
    setCurrentDetails: () => {},
    patched: () => true,
    makeContinueAsNewFunc:
      () =>
      (...args: ReviewArgs): Promise<never> => {
        this.carried = args;
        return new Promise(() => {});
      },
  };

  /** Whether the file of people can be read, and how often it was tried. */
  isReadable = true;
  reads = 0;

  readonly proxies = {
    loadHost: async (): Promise<ReviewHost> => {
      this.reads += 1;
      if (!this.isReadable) return await Promise.reject(new Error('the file cannot be read'));
      return await Promise.resolve({ peopleDigest: this.people.digest, people: this.people, insecure: false, channels: [], hearing: [] });
    },
    record: async ({ entries }: { entries: readonly HashedEntry[] }): Promise<readonly HashedEntry[]> => {
      await this.#unlessCancelled(this.writable);
      this.entries.push(...entries);
      return entries;
    },
  };

  /** One workflow task: each update is validated and handled before the next, as the SDK does it, and then the workflow goes on. */
  async task(sent: readonly (readonly [action: string, given: unknown])[]): Promise<unknown[]> {
    const answers = sent.map(([action, given]) => this.#update(action, given));
    await this.settle();
    return await Promise.all(answers);
  }

  /** Entries are written down when this is settled. */
  writable: Promise<unknown> = Promise.resolve();
  #shielded = 0;
  #cancels: ((reason: Error) => void)[] = [];

  /** What runs in here is not reached by a cancellation. */
  async nonCancellable<T>(run: () => Promise<T>): Promise<T> {
    this.#shielded += 1;
    try {
      return await run();
    } finally {
      this.#shielded -= 1;
    }
  }

  async #unlessCancelled(work: Promise<unknown>): Promise<void> {
    if (this.#shielded > 0) return void (await work);
    const cancelled = new Promise((_resolve, reject) => this.#cancels.push(reject));
    return void (await Promise.race([work, cancelled]));
  }

  /** As a request to cancel does it: whatever is waited for fails, now and from now on. */
  cancel(): void {
    const reason = new CancelledFailure('cancelled');
    this.sdk.condition = () => Promise.reject(reason);
    for (const cancel of [...this.#cancels.splice(0), ...this.#waiting.splice(0).map((one) => one.cancel)]) cancel(reason);
  }

  /** When the workflow wakes by itself. */
  get nextMs(): number {
    return Math.min(...this.#waiting.map(({ atMs }) => atMs));
  }

  /** Lets the workflow run until it waits. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) {
      this.#wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #update(action: string, given: unknown): unknown {
    const update = this.updates.get(action);
    try {
      update?.validator?.(given);
      return update?.handler(given);
    } catch (error) {
      return error;
    }
  }

  #wake(): void {
    const ready = this.#waiting.filter(({ is, atMs }) => is() || Date.now() >= atMs);
    this.#waiting = this.#waiting.filter((one) => !ready.includes(one));
    for (const { is, done } of ready) done(is());
  }
}

export const isReceipt = (answer: unknown): answer is Receipt => typeof answer === 'object' && answer !== null && 'seq' in answer;
