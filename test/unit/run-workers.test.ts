/** The Workers of a process end together, also when one of them fails without saying so. */
import { expect, test } from 'vitest';
import { runTogether, withStrays, type OneWorker } from '../../src/run-workers.js';

type State = ReturnType<OneWorker['getState']>;

/** Drains when it is told to, and fails as the test says. */
class FakeWorker implements OneWorker {
  state: State = 'RUNNING';
  shutdowns = 0;
  readonly #ended: Promise<void>;
  #settle: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor() {
    this.#ended = new Promise((settle, fail) => {
      this.#settle = settle;
      this.#reject = fail;
    });
  }

  run = (): Promise<void> => this.#ended;
  getState = (): State => this.state;
  shutdown(): void {
    this.shutdowns += 1;
    this.state = 'STOPPED';
    this.#settle();
  }
  fail(error?: Error): void {
    this.state = 'FAILED';
    if (error !== undefined) this.#reject(error);
  }
}

const says = /can poll the server no more/;

test('one that ends by itself ends the others, and that is no error', async () => {
  const [one, other] = [new FakeWorker(), new FakeWorker()];
  const running = runTogether([one, other]);
  one.shutdown();
  await running;
  expect(other.shutdowns).toBe(1);
});

test('one that fails ends the others, and the whole is a failure with one sentence', async () => {
  const [one, other] = [new FakeWorker(), new FakeWorker()];
  const running = runTogether([one, other]);
  one.fail(new Error('Worker still in use'));
  await expect(running).rejects.toThrow(says);
  expect(other.shutdowns).toBe(1);
});

test('one that fails and never says so is found by its state, also when all do', async () => {
  const [one, other] = [new FakeWorker(), new FakeWorker()];
  const running = runTogether([one, other]);
  one.fail();
  other.fail();
  await expect(running).rejects.toThrow(says);
  expect([one.shutdowns, other.shutdowns]).toEqual([0, 0]);
});

test('what critics leave behind is told while they run, and left to Node afterwards', async () => {
  const worker = new FakeWorker();
  const before = process.listenerCount('unhandledRejection');
  const stray: unknown[] = [];
  const running = withStrays(
    (thrown) => stray.push(thrown),
    () => runTogether([worker]),
  );
  process.emit('unhandledRejection', 'left behind', Promise.resolve());
  worker.shutdown();
  await running;
  expect(stray).toEqual(['left behind']);
  expect(process.listenerCount('unhandledRejection')).toBe(before);
});
