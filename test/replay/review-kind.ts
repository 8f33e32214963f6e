/** What a kind of recorded review is, what a recording of one needs, and the plan from which such reviews come. */
import { randomUUID } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { EvaluationReport } from '../../src/domain/report.js';
import type { NotifyChannels } from '../../src/domain/review/channels.js';
import type { Receipt, ReviewStatus } from '../../src/domain/review/review.js';
import type { ReviewTier } from '../../src/domain/review/policy.js';
import type { StartRequest } from '../../src/schemas/request.js';
import { decisionOf, PEOPLE } from '../support/review-plans.js';
import { REVIEW_BLOCK, TestReview, writePeople, type TestPerson } from '../support/reviews.js';
import type { History } from './ends.js';
import { plan } from './kind.js';
import { Recording, type RecordingHost } from './recording.js';

export interface ReviewKind {
  /** Where the review opens. Default acknowledgement. */
  readonly tier?: ReviewTier;
  /** Fields of the plan's `review` block. */
  readonly block?: object;
  /** Channels of the deployment. */
  readonly notify?: NotifyChannels;
  readonly request?: Partial<StartRequest>;
  /** Unsigned commands are taken. */
  readonly insecure?: true;
  /** What happens to the review once it is open; the recording keeps the workflow that it returns, default: the review. */
  readonly run: (recording: ReviewRecording) => Promise<string | undefined | void>;
  /** Nobody waits until the review is open. */
  readonly unopened?: true;
  /** How it must stand or end; of another workflow how it closed. */
  readonly is: ReviewStatus | 'completed' | 'failed';
  /** Types of the entries of all runs, in their order. */
  readonly entries: readonly string[];
  /** How many runs one after the other. Default 1. */
  readonly runs?: 2;
}

const FILE = 'reviewers.yaml';
/** Where {@link DEAF} is asked, and refuses. */
const HOOK_PORT = 47_313;
const HOOK_HOST = `127.0.0.1:${HOOK_PORT}`;
/** The channel of those who decide takes nothing. */
export const DEAF: NotifyChannels = { leads: { webhook: `http://${HOOK_HOST}/hook`, secretEnv: 'HOOK_SECRET' }, rung_one: { log: true } };
const SEVERITY = { finding: { severity: 0.5, violations: [] } };

/** Escalates at once. */
export const escalating = (tier: ReviewTier, block: object = {}): object =>
  plan(
    { judge: { uses: 'scripted', stage: 'fast_critics', dispatch: 'local', with: SEVERITY } },
    {
      verdict: { rules: [{ escalate: 'findings.exists(f, f.severity >= 0.3)', reason: 'looks bad' }], otherwise: 'allow' },
      review: { ...REVIEW_BLOCK, tiers: { default: tier }, ...block },
    },
  );

export class ReviewRecording extends Recording {
  #review: TestReview | undefined;
  #hook: Server | undefined;

  constructor(
    host: RecordingHost,
    name: string,
    readonly kind: ReviewKind,
  ) {
    const hosts = kind.notify === DEAF ? { hosts: [HOOK_HOST] } : {};
    const reviews = { reviewers: FILE, ...hosts, ...(kind.insecure === true ? { insecure: true } : {}) };
    super(host, name, escalating(kind.tier ?? 'acknowledgement', kind.block), 10, kind.notify, reviews);
  }

  get review(): TestReview {
    if (this.#review === undefined) throw new Error('no review was opened');
    return this.#review;
  }

  get tier(): ReviewTier {
    return this.kind.tier ?? 'acknowledgement';
  }

  /** An evaluation escalates, and its review waits for people. */
  async open(): Promise<void> {
    writePeople('.', PEOPLE);
    if (this.kind.notify === DEAF) this.#hook = createServer((_asked, answer) => answer.writeHead(400).end()).listen(HOOK_PORT);
    await this.addWorker();
    if (this.kind.unopened === true) rmSync(FILE);
    const report: EvaluationReport = await (await this.start(this.kind.request)).result();
    if (report.review === undefined) throw new Error(`no review was opened: ${JSON.stringify(report.reasons)}`);
    this.#review = new TestReview(this.temporal, report.review.id, report.review.packetDigest);
    if (this.kind.unopened !== true) await this.untilIs('OPEN');
  }

  override async close(): Promise<void> {
    await super.close();
    this.#hook?.closeAllConnections();
    this.#hook?.close();
  }

  async untilIs(status: ReviewStatus): Promise<void> {
    await this.until(async () => (await this.review.view()).status === status);
  }

  people(people: readonly TestPerson[]): void {
    writePeople('.', people);
  }

  /** The file of people can be read no more, and then again. */
  hidePeople(): void {
    if (existsSync(FILE)) renameSync(FILE, `${FILE}.away`);
  }

  async claim(who: TestPerson): Promise<number | undefined> {
    return (await this.review.act(who, 'claim', {})).epoch;
  }

  async decide(who: TestPerson, disposition: 'PROCEED' | 'HALT', tier = this.tier): Promise<Receipt> {
    return await this.review.act(who, 'decide', decisionOf(tier, disposition, await this.claim(who)));
  }

  /** A command that nobody has signed. */
  async actUnsigned(as: string, action: 'claim' | 'decide' | 'comment', payload: object): Promise<Receipt> {
    return await this.review.send(action, { v: 1, commandId: randomUUID(), payload, as });
  }

  async untilOver(): Promise<void> {
    await this.review.handle.result().catch(() => undefined);
  }

  /** Waits for an event of a workflow's history. */
  async untilEvent(holds: (event: NonNullable<History['events']>[number]) => boolean, workflowId = this.review.reviewId): Promise<void> {
    await this.until(async () => ((await this.history(workflowId)).events ?? []).some(holds));
  }

  /** The histories of all runs, oldest first, once nothing is under way in the newest. */
  async runsOf(workflowId: string): Promise<History[]> {
    await this.until(async () => {
      const described = await this.temporal.workflowService.describeWorkflowExecution({ namespace: 'default', execution: { workflowId } });
      return described.pendingWorkflowTask == null;
    });
    const runs: History[] = [];
    for (let runId: string | undefined; runId !== '';) {
      const history = await this.history(workflowId, runId);
      runs.unshift(history);
      runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? '';
    }
    return runs;
  }
}
