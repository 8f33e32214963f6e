/**
 * Names and shapes shared by workflow, client and worker; safe inside the workflow sandbox.
 * What a history records is never renamed: workflow type, activity names, id forms, attributes.
 */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { AttemptRecord, CriticRecord, CriticResult } from './domain/outcomes.js';
import type { CriticUse, ExecutionStage, Plan, RiskTier } from './domain/plan.js';
import type { EvaluationReport } from './domain/report.js';
import type { RunFacts } from './domain/gate.js';
import type { EvaluationRequest, JsonObject } from './domain/request.js';
import type { Finding, Json } from './domain/finding.js';
import type { HashedEntry } from './domain/review/chain.js';
import type { Notification } from './domain/review/notification.js';
import type { People } from './domain/review/people.js';
import type { ReviewInput, ReviewState, ReviewStatus, ReviewResult } from './domain/review/review.js';
import type { PlanReview, ReviewTier } from './domain/review/policy.js';
import type { DeploymentState } from './lanes/deployment-state.js';
import type { OwnedLane } from './lanes/lanes.js';

/** Workflow type of an evaluation. */
export const EVALUATE = 'evaluate';
/** Local activity whose marker holds the report of a cancelled evaluation. */
export const RECORD_PARTIAL = 'recordPartialReport' satisfies keyof EvaluationActivities;
/** Query of a running evaluation: {@link Progress}. */
export const PROGRESS_QUERY = 'progress';

export const DEFAULT_DEPLOYMENT = 'tribunal';
export const DEFAULT_TENANT = 'default';

export const TENANT_FORM = /^[A-Za-z0-9._-]{1,64}$/;
export const KEY_FORM = /^[A-Za-z0-9._-]{1,128}$/;
export const DEPLOYMENT_FORM = /^[a-z][a-z0-9_-]{0,63}$/;

/** Workflow id of an evaluation. */
export const evaluationId = (tenant: string, key: string): string => `${tenant}/${key}`;

/** Of the form of one; holds nothing that means something in a query. */
export function isEvaluationId(text: string): boolean {
  const [tenant = '', key = '', ...more] = text.split('/');
  return more.length === 0 && TENANT_FORM.test(tenant) && KEY_FORM.test(key);
}

/** Task queues: the workflow queue is the deployment's name; `lanes/` has the activity queues. */
export const workflowQueue = (deployment: string): string => deployment;

/** Workflow type that keeps a deployment's lanes and its card; one a deployment. */
export const DEPLOYMENT = 'deployment';
const DEPLOYMENT_PREFIX = 'deployment:';
/** No tenant has a colon, so no evaluation has this id. */
export const deploymentId = (deployment: string): string => `${DEPLOYMENT_PREFIX}${deployment}`;
export const isDeploymentId = (workflowId: string): boolean => workflowId.startsWith(DEPLOYMENT_PREFIX);
/** Where worker processes ask for lanes to own. */
export const leaseQueue = (deployment: string): string => `${deployment}/leases`;
/** Memo keys of the deployment's workflow: a `DeploymentState`, its workers apart, since they alone come and go often. */
export const DEPLOYMENT_MEMO = 'tribunalDeployment';
export const WORKERS_MEMO = 'tribunalWorkers';
export const REGISTER_UPDATE = 'register';
export const LEAVE_UPDATE = 'leave';
export const DRAINED_SIGNAL = 'drained';

export interface DeploymentInput {
  readonly v: 1;
  readonly deployment: string;
  readonly state: DeploymentState;
  /** No lane is handed out before: whoever owned lanes under an earlier run has noticed by then. Milliseconds. */
  readonly quietMs?: number;
}

/** Argument of `holdLanes`. */
export interface HoldInput {
  readonly lanes: readonly OwnedLane[];
}

/** What the holder of lanes does; runs on {@link leaseQueue}. */
export interface LeaseActivities {
  /** Owns lanes until it is told to stop, is cancelled or loses them. */
  holdLanes(input: HoldInput): Promise<void>;
}

/** Workflow type of a review, the human part of an evaluation that escalated. */
export const REVIEW = 'review';
/** Workflow type that delivers one notification to its channels. */
export const NOTIFICATION = 'notification';
/** Workflow id of a delivery: a second one of the same notification is refused by the server. */
export const notificationId = (id: string): string => `notification/${id}`;
export const REVIEW_PREFIX = 'review/';
/** The first characters of a run id are a clock. */
const RUN_SUFFIX_CHARS = 12;
/** Workflow id of the review that a run of an evaluation opens. */
export const reviewId = (evaluation: string, runId: string): string => `${REVIEW_PREFIX}${evaluation}/${runId.slice(-RUN_SUFFIX_CHARS)}`;
/** Evaluation and end of a run id, of what {@link reviewId} makes; holds nothing that means something in a query. */
export const REVIEW_ID_FORM = /^review\/([A-Za-z0-9._-]+\/[A-Za-z0-9._-]+)\/([0-9a-f-]{1,12})$/;
/** By its beginning alone. A tenant may be called `review`. */
export const isReviewId = (workflowId: string): boolean => workflowId.startsWith(REVIEW_PREFIX) && workflowId.split('/').length > 2;
/** Of its own, so that a deploy of critics does not stop people from deciding. */
export const reviewQueue = (deployment: string): string => `${deployment}/reviews`;
/** Which of the index are reviews of a deployment. */
export const reviewsOf = (deployment: string): string => `WorkflowType = '${REVIEW}' AND TaskQueue = '${reviewQueue(deployment)}'`;
/** Queries of a review: a {@link ReviewView}; by a command's id its `Receipt`, or `null`. */
export const REVIEW_STATE_QUERY = 'state';
export const REVIEW_RECEIPT_QUERY = 'receipt';
/** A newer run of the evaluation has come to a verdict of its own: this review is about nothing any more. */
export const SUPERSEDED_SIGNAL = 'superseded';
/** The file of people may have changed. */
export const REFRESH_SIGNAL = 'refresh';
/** Local activity whose markers hold the chain. */
export const RECORD_ENTRIES = 'recordEntries' satisfies keyof ReviewActivities;
/** Local activity whose markers hold the people who may act. */
export const LOAD_HOST = 'loadHost' satisfies keyof ReviewActivities;
/** Local activity whose marker holds the pinned plan of an evaluation. */
export const OPEN_EVALUATION = 'openEvaluation' satisfies keyof EvaluationActivities;

/** What a review answers to everybody who may look: no reasons, no content, no vote before it counts. */
export interface ReviewView {
  readonly reviewId: string;
  readonly evaluationId: string;
  readonly tenant: string;
  readonly status: ReviewStatus;
  readonly tier: ReviewTier;
  readonly queue: string;
  readonly packetDigest: string;
  readonly seq: number;
  readonly head: string;
  readonly claims: readonly { readonly by: string; readonly epoch: number; readonly until: string }[];
  /** How many votes are in. */
  readonly votes: number;
  readonly openedAt: string;
  readonly claimBy?: string;
  readonly decideBy: string;
  readonly expires: string;
  /** Until when the decision can be undone. */
  readonly effectiveAt?: string;
  /** When it was over. */
  readonly endedAt?: string;
  readonly rung: number;
  readonly insecure?: true;
}

/** What the worker knows of the world around reviews. */
export interface ReviewHost {
  readonly peopleDigest: string;
  /** Absent: as the caller knows them. */
  readonly people?: People;
  /** Unsigned commands are accepted. */
  readonly insecure: boolean;
  /** Channels of the deployment: their names, and which hear of every decision. */
  readonly channels: readonly string[];
  readonly hearing: readonly string[];
}

/** What `openReview` needs to know of an evaluation that escalates. */
export interface OpenReviewInput {
  readonly review: PlanReview;
  readonly plan: string;
  /** Of the run that was reset; without a reset, of this one. */
  readonly originalRunId: string;
  /** Whether a review is to be opened; without it only earlier ones are superseded. */
  readonly open?: Omit<ReviewInput, 'v' | 'deployment' | 'evaluationRunId' | 'reportHash' | 'packetDigest'>;
}

export type OpenReviewResult =
  /** `runId`: of the run that asked, as it stays when a later reset keeps this. */
  | { readonly open: true; readonly reviewId: string; readonly runId: string; readonly reportHash: string; readonly packetDigest: string }
  | { readonly open: false; readonly superseded: number; readonly full?: { readonly open: number; readonly most: number } };

export interface LoadHostInput {
  readonly tenant: string;
  /** Whose people decide or lead. */
  readonly groups: readonly string[];
  /** Whom the record calls requester or author. */
  readonly names: readonly string[];
  /** Of the people that the review knows. */
  readonly knownDigest?: string;
}

/** Local activities of the review workflow. None can be completed from outside of its worker. */
export interface ReviewActivities {
  /** Who may act on a review of this tenant, as the deployment's file says now. */
  loadHost(input: LoadHostInput): Promise<ReviewHost>;
  /** Puts entries of the chain into the history: the result, which is what was given, stands in the marker. */
  recordEntries(input: { readonly reviewId: string; readonly entries: readonly HashedEntry[] }): Promise<readonly HashedEntry[]>;
}

/** Activity of the notification workflow. */
export interface NotifyActivities {
  notify(input: { readonly channel: string; readonly notification: Notification }): Promise<void>;
}

export interface NotificationInput {
  readonly v: 1;
  readonly channels: readonly string[];
  readonly notification: Notification;
}

/** Workflow type that looks whether reviews are on their way; the schedule starts one every ten minutes. */
export const WATCHDOG = 'watchdog';
export const watchdogScheduleId = (deployment: string): string => `tribunal-watchdog:${deployment}`;
/** Workflow id of a look, to which the schedule adds its time. */
export const watchdogId = (deployment: string): string => `watchdog:${deployment}`;

/** How many a look has found; what was told before is among them. */
export interface WatchdogFound {
  readonly overdue: number;
  readonly stuck: number;
  readonly terminated: number;
  readonly missing: number;
  readonly full: number;
}

/** Activity of the watchdog workflow. */
export interface WatchdogActivities {
  lookAfterReviews(): Promise<WatchdogFound>;
}

/** Arguments of the review workflow: what it is about, and what an earlier run has come to. */
export type ReviewArgs = readonly [input: ReviewInput, carried?: Omit<ReviewState, 'people'>];
export type { ReviewResult };

export const SEARCH_ATTRIBUTES = {
  tenant: defineSearchAttributeKey('TribunalTenant', SearchAttributeType.KEYWORD),
  plan: defineSearchAttributeKey('TribunalPlan', SearchAttributeType.KEYWORD),
  decision: defineSearchAttributeKey('TribunalDecision', SearchAttributeType.KEYWORD),
  risk: defineSearchAttributeKey('TribunalRisk', SearchAttributeType.KEYWORD),
  critics: defineSearchAttributeKey('TribunalCritics', SearchAttributeType.KEYWORD_LIST),
  degraded: defineSearchAttributeKey('TribunalDegraded', SearchAttributeType.BOOL),
  evaluationId: defineSearchAttributeKey('TribunalReviewEvaluationId', SearchAttributeType.KEYWORD),
  reviewState: defineSearchAttributeKey('TribunalReviewState', SearchAttributeType.KEYWORD),
  reviewTier: defineSearchAttributeKey('TribunalReviewTier', SearchAttributeType.KEYWORD),
  reviewQueue: defineSearchAttributeKey('TribunalReviewQueue', SearchAttributeType.KEYWORD),
  reviewAssignees: defineSearchAttributeKey('TribunalReviewAssignees', SearchAttributeType.KEYWORD_LIST),
  reviewOpenedAt: defineSearchAttributeKey('TribunalReviewOpenedAt', SearchAttributeType.DATETIME),
  reviewDueAt: defineSearchAttributeKey('TribunalReviewDueAt', SearchAttributeType.DATETIME),
} as const;

/** Memo key with the request's digest, by which a second start of the same key is compared. */
export const DIGEST_MEMO = 'tribunalDigest';

export interface EvaluateInput {
  readonly v: 1;
  readonly request: EvaluationRequest;
  /** SHA-256 (hex) over RFC 8785 of `{ plan, tenant, content, context, riskTier, gating }`. */
  readonly requestDigest: string;
}

/** `open`: the first local activity of every evaluation. */
export interface OpenResult {
  /** Pinned: the compiled plan that this run follows whatever happens to the file. */
  readonly plan: Plan;
  readonly contentHash: string;
  /** Without the context, which stands in the workflow's input. */
  readonly facts: Omit<RunFacts, 'context'>;
  readonly deployment: string;
  /** How many priority levels the server's task queues have. */
  readonly priorityLevels: 5 | 10;
  /** Of the tenant, on lanes that several share. Absent: 1, and in histories that are older than weights. */
  readonly fairnessWeight?: number;
  /** Channels that hear every verdict. Absent: none does, and in histories that are older than channels. */
  readonly hearing?: readonly string[];
  /** What the leading local stages came to. */
  readonly led: LocalBatchResult;
}

/** A run of local critics: as many stages as need no activity. */
export interface LocalBatchInput {
  readonly plan: Plan;
  readonly content: Json;
  readonly facts: RunFacts;
  readonly state: WalkState;
}

export interface LocalBatchResult {
  /** The records that the batch added, in the order in which they were decided. */
  readonly records: readonly CriticRecord[];
  readonly stages: readonly { readonly stage: ExecutionStage; readonly ms: number; readonly ended: boolean }[];
  /** How many texts (details, evidence) were dropped to keep the result under its size limit. */
  readonly dropped?: number;
}

/** Everything the walk has decided so far. JSON; grows by whole records only. */
export interface WalkState {
  readonly records: readonly CriticRecord[];
  /** Machine time used so far, milliseconds: all of it, and of the stage that is under way. */
  readonly usedMs: number;
  readonly stageUsedMs: number;
  /** The stage that is under way, if one is. */
  readonly stage?: ExecutionStage;
}

/** Argument of a remote critic's activity; its type is the critic's name. */
export interface RunCriticInput {
  readonly critic: CriticUse;
  readonly content: Json;
  readonly context: JsonObject;
  readonly findings: Readonly<Record<string, Finding>>;
  /** For the plan's output rules. */
  readonly tenant: string;
  readonly riskTier: RiskTier;
  readonly size: number;
}

/** What a remote critic's activity returns when an attempt succeeded. */
export type RunCriticOutput = CriticResult;

/** `details[0]` of the failure with which one attempt of a remote critic ends; also what its last heartbeat tells of earlier ones. */
export interface AttemptFailure {
  readonly outcome: 'failed' | 'timed_out' | 'invalid_output' | 'unavailable' | 'worker_lost';
  readonly code: string;
  /** All attempts so far, this one last. */
  readonly attempts: readonly AttemptRecord[];
  readonly startedAt?: number;
  readonly endedAt?: number;
}

/** Details of each heartbeat of a remote critic. */
export interface Beat {
  /** Attempts that have ended. */
  readonly attempts: readonly AttemptRecord[];
  readonly startedAt?: number;
  /** The attempt that is under way: since when it runs, or that it still waits for a budget. */
  readonly runningSince?: number;
  readonly waiting?: true;
}

/** Local activities of an evaluation, by the names that histories record. */
export interface EvaluationActivities {
  openEvaluation(input: { readonly input: EvaluateInput; readonly lead: boolean; readonly memo?: unknown }): Promise<OpenResult>;
  runLocalCritics(input: LocalBatchInput): Promise<LocalBatchResult>;
  /** Before the verdict of an evaluation whose plan has reviews closes: earlier reviews of it are over, and the new one is prepared. */
  openReview(input: OpenReviewInput): Promise<OpenReviewResult>;
  /** Whether the workflow that has this id already is the review that was to be started. */
  isOurReview(input: { readonly reviewId: string; readonly packetDigest: string }): Promise<boolean>;
  /** Whether any worker polls a lane. */
  inspectLane(queue: string): Promise<{ readonly pollers: number }>;
  /** Puts the report of a cancelled evaluation into its history: the close itself carries no details. */
  recordPartialReport(report: EvaluationReport): Promise<EvaluationReport>;
}

export interface Progress {
  readonly stage?: ExecutionStage;
  readonly planned: number;
  readonly ended: readonly { readonly name: string; readonly stage: ExecutionStage; readonly outcome: CriticRecord['outcome'] }[];
  readonly running: readonly { readonly name: string; readonly stage: ExecutionStage }[];
}
