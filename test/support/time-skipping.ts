/**
 * Reviews on the test server, which skips time: weeks pass in a moment. It knows no reset, no priority and no index, so what
 * needs those runs on the real server.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { makeNotifyActivities } from '../../src/activities/notify.js';
import { makeReviewActivities } from '../../src/activities/review.js';
import { REVIEW, reviewQueue, type ReviewActivities } from '../../src/contract.js';
import type { NotifyChannels } from '../../src/domain/review/channels.js';
import type { Notification } from '../../src/domain/review/notification.js';
import type { Receipt, ReviewAction, ReviewInput, ReviewResult } from '../../src/domain/review/review.js';
import { NotifyError } from '../../src/review/notify.js';
import { peopleReader } from '../../src/review/people.js';
import { ensureTestServer } from '../../temporal/binary.js';
import { ATTRIBUTES } from '../../temporal/setup.js';
import { TestReview, writePeople, type TestPerson } from './reviews.js';

/** The server's path, or why there is none: then these tests are skipped. */
export const testServer: { readonly path: string } | { readonly missing: string } = await ensureTestServer().then(
  (path) => ({ path }),
  (error: unknown) => ({ missing: error instanceof Error ? (error.message.split('\n').at(-2)?.trim() ?? error.message) : 'unknown' }),
);

/** The wire's numbers. Of attributes this server knows nothing but how they are added. */
const CODES: Readonly<Record<string, number>> = { Text: 1, Keyword: 2, Int: 3, Double: 4, Bool: 5, Datetime: 6, KeywordList: 7 };
const ATTRIBUTE_CODES = Object.fromEntries(ATTRIBUTES.map(({ name, type }) => [name, CODES[type] ?? 0]));

const DEPLOYMENT = 'd';
/** The group's own, one a rung, and one that hears every decision. */
const CHANNELS: NotifyChannels = {
  leads: { log: true },
  moderators: { log: true },
  rung_one: { log: true },
  rung_two: { log: true },
  consumer: { log: true, events: ['review_decided'] },
};

interface Told {
  readonly channel: string;
  readonly notification: Notification;
}

export interface TimeScene {
  readonly env: TestWorkflowEnvironment;
  readonly told: Told[];
  /** Channels that take nothing. */
  readonly deaf: Set<string>;
  /** Path of the file of people. */
  readonly file: string;
  writePeople(people: readonly TestPerson[]): void;
  /** @param build anything: a worker of another build has other code. */
  startWorker(build?: string, activities?: Partial<ReviewActivities>): Promise<void>;
  stopWorker(): Promise<void>;
  open(input: ReviewInput): Promise<TimedReview>;
  close(): Promise<void>;
}

/** Signs by the server's clock. */
export class TimedReview {
  readonly plain: TestReview;

  constructor(
    readonly env: TestWorkflowEnvironment,
    readonly reviewId: string,
    readonly packetDigest: string,
  ) {
    this.plain = new TestReview(env.client, reviewId, packetDigest);
  }

  view(): ReturnType<TestReview['view']> {
    return this.plain.view();
  }

  async act(person: TestPerson, action: ReviewAction, payload: object): Promise<Receipt> {
    return await this.plain.act(person, action, payload, { nowMs: await this.env.currentTimeMs() });
  }

  /** Time runs until the review is over. */
  async result(): Promise<ReviewResult> {
    return (await this.plain.handle.result()) as ReviewResult;
  }
}

export async function makeTimeScene(people: readonly TestPerson[]): Promise<TimeScene> {
  if ('missing' in testServer) throw new Error(testServer.missing);
  quiet();
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: testServer.path } },
  });
  await env.connection.operatorService.addSearchAttributes({ namespace: 'default', searchAttributes: ATTRIBUTE_CODES });
  const dir = mkdtempSync(join(tmpdir(), 'tribunal-time-'));
  const told: Told[] = [];
  const deaf = new Set<string>();
  const file = writePeople(dir, people);
  let stop = async (): Promise<void> => {};

  async function startWorker(build = '', activities: Partial<ReviewActivities> = {}): Promise<void> {
    const connection = await NativeConnection.connect({ address: env.address });
    const send = async (channel: string, notification: Notification): Promise<void> => {
      if (deaf.has(channel)) throw new NotifyError('HTTP_400', 'not taken', { isFinal: true });
      told.push({ channel, notification });
      await Promise.resolve();
    };
    const worker = await Worker.create({
      connection,
      taskQueue: reviewQueue(DEPLOYMENT),
      workflowBundle: { code: `/* ${build} */${readFileSync(inject('bundlePath'), 'utf8')}` },
      shutdownGraceTime: 0,
      // Each task replays all that was before. And this server gives a task to the poll of a worker that is gone: there is but one.
      maxCachedWorkflows: 0,
      maxConcurrentWorkflowTaskPolls: 1,
      activities: {
        ...makeReviewActivities({ people: peopleReader(file), channels: CHANNELS, insecure: false, log: () => {} }),
        ...makeNotifyActivities({ send }),
        ...activities,
      },
    });
    const running = worker.run();
    stop = async () => {
      stop = async () => {};
      worker.shutdown();
      await running;
      await connection.close();
    };
  }

  async function open(input: ReviewInput): Promise<TimedReview> {
    const workflowId = `review/default/${randomUUID()}/0123456789ab`;
    await env.client.workflow.start(REVIEW, { workflowId, taskQueue: reviewQueue(DEPLOYMENT), args: [input], workflowTaskTimeout: '2s' });
    return new TimedReview(env, workflowId, input.packetDigest);
  }

  return {
    env,
    told,
    deaf,
    file,
    writePeople: (others) => void writePeople(dir, others),
    startWorker,
    stopWorker: () => stop(),
    open,
    async close() {
      await stop();
      await env.teardown();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function quiet(): void {
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
    });
  } catch {
    // Of another scene of this process.
  }
}
