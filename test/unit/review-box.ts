/**
 * The review workflow with nothing around it: what it asks of the SDK is answered here, and what it registers can be called in
 * any order. Updates that come in one workflow task are one `task`. For `vi.mock` of the SDK and of the activities' proxies.
 */
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
      new Promise((done) => {
        this.#waiting.push({ is, done, atMs: Date.now() + ms });
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

  readonly proxies = {
    loadHost: async (): Promise<ReviewHost> =>
      await Promise.resolve({ peopleDigest: this.people.digest, people: this.people, insecure: false, channels: [], hearing: [] }),
    recordEntries: async ({ entries }: { entries: readonly HashedEntry[] }): Promise<readonly HashedEntry[]> => {
      this.entries.push(...entries);
      return await Promise.resolve(entries);
    },
  };

  /** One workflow task: each update is validated and handled before the next, as the SDK does it, and then the workflow goes on. */
  async task(sent: readonly (readonly [action: string, given: unknown])[]): Promise<unknown[]> {
    const answers = sent.map(([action, given]) => this.#update(action, given));
    await this.settle();
    return await Promise.all(answers);
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
