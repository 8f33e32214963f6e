/** What a critic may do in a thread of its own, each by the name that its options say. */
import { writeFileSync } from 'node:fs';
import { isMainThread, MessagePort, threadId } from 'node:worker_threads';

const clear = { severity: 0, violations: [] };
const forever = () => {
  for (;;);
};
const state = { warmed: 0, calls: 0 };

const acts = {
  answer: () => ({ ...clear, severity: 0.5 }),
  loop: forever,
  exit: () => process.exit(0),
  fill() {
    const kept = [];
    // In small steps: see docs/critics.md.
    for (;;) kept.push(Array(50_000).fill(1));
  },
  throw_later() {
    setTimeout(() => {
      throw new Error('content');
    }, 1);
    return new Promise((resolve) => setTimeout(() => resolve(clear), 30));
  },
  leave_loop() {
    setTimeout(forever, 50);
    return acts.where();
  },
  leave_exit() {
    setTimeout(() => process.exit(0), 50);
    return acts.where();
  },
  /** With nothing that keeps the thread at work and so tells of it. */
  die_later({ content }) {
    const timer = setTimeout(() => {
      writeFileSync(content.file, '');
      process.exit(0);
    }, 50);
    timer.unref();
    return clear;
  },
  where: () => ({ ...clear, details: { isMainThread, threadId, ...state } }),
  secrets: (_input, { secret }) => ({ ...clear, details: [secret('KEY') ?? null, secret('OTHER') ?? null, secret('BROKEN') ?? null] }),
  async fetch({ content }, tools) {
    const response = await tools.fetch(content.url, { signal: tools.signal });
    return { ...clear, details: await response.json() };
  },
  say(_input, { log, heartbeat }) {
    heartbeat();
    log('found', { count: 1, nested: { a: 1 } });
    log('lost', { callback: () => {} });
    return clear;
  },
  flood(_input, { log }) {
    for (let line = 0; line < 5_000; line += 1) log(`line ${line}`);
    return clear;
  },
  handed: ({ content, context, findings }, { options, idempotencyKey, attempt }) => ({
    ...clear,
    details: { content, context, findings, options, idempotencyKey, attempt },
  }),
  change({ content }) {
    content.text = 'other';
    return clear;
  },
  stop: (_input, { signal, log }) =>
    new Promise((_, fail) => {
      signal.addEventListener('abort', () => {
        log(`told: ${signal.reason.name}`);
        fail(signal.reason);
      });
    }),
  /** Speaks in the place of the thread, in its own words. */
  forge({ content }) {
    const { postMessage } = MessagePort.prototype;
    MessagePort.prototype.postMessage = function forged(message) {
      postMessage.call(this, message?.type === 'answer' ? content : message);
    };
    return clear;
  },
};

const critic = (name, more = {}) => ({
  name,
  version: '1.0.0',
  options: { safeParse: (data) => ({ success: true, data }) },
  evaluate(input, tools) {
    state.calls += 1;
    return acts[tools.options.act](input, tools);
  },
  ...more,
});

export default [
  critic('acting', { warm: () => (state.warmed += 1) }),
  critic('cold', {
    warm() {
      if (!isMainThread) throw new Error('the model is not there');
    },
  }),
  critic('mortal', { warm: () => (isMainThread ? undefined : process.exit(0)) }),
];
