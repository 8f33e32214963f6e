/**
 * A critic that does what its options say: waits, fails, hangs, or answers with a given finding. For tests, demos,
 * load runs and plans whose real critics do not exist yet.
 */
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Finding } from '../domain/finding.js';
import { parseDuration } from '../schemas/duration.js';
import { FindingSchema } from '../schemas/finding.js';
import { strict } from '../schemas/issues.js';
import { CriticError, defineCritic, type CriticInput, type CriticTools } from './critic.js';
import { HOSTILE_RETURNS, hostileError } from './scripted/hostile.js';

/** Stays a text: options are pinned as checked and are checked again by the worker, so that a check must not change them. */
const duration = z.string().superRefine((text, context) => {
  const parsed = parseDuration(text);
  if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.message });
});

const THROWS = ['error', 'transient', 'rate_limited', 'permanent', 'string', 'hostile'] as const;

const Options = strict({
  /** Of no effect; the plan's `prices` know a model by this name. */
  model: z.string().min(1).exactOptional(),
  /** Told in the record. */
  name: z.string().exactOptional(),
  /** Writes a JSON line to this file when a call starts and when it ends. */
  record: z.string().min(1).exactOptional(),
  /** Waits until this many critics have come to the folder. */
  barrier: strict({ dir: z.string().min(1), count: z.int().min(1) }).exactOptional(),
  /** Waits until the file exists. */
  waitFor: z.string().min(1).exactOptional(),
  sleep: duration.exactOptional(),
  /** Never answers, and does not listen to its signal. */
  hang: z.literal(true).exactOptional(),
  throw: z.enum(THROWS).exactOptional(),
  /** With `throw: rate_limited`. */
  retryAfter: duration.exactOptional(),
  /** Throws on the first attempts only; as `throw` says, `transient` unless named. */
  failTimes: z.int().min(0).exactOptional(),
  /** Answers with something that is no finding. */
  return: z.enum(Object.keys(HOSTILE_RETURNS)).exactOptional(),
  finding: FindingSchema.extend({
    severity: FindingSchema.shape.severity.default(0),
    violations: FindingSchema.shape.violations.default([]),
  })
    .strict()
    .default({ severity: 0, violations: [] }),
  /** Puts the findings that it received into `details`. */
  echo: z.boolean().default(false),
});

export type ScriptedOptions = z.output<typeof Options>;
type Tools = CriticTools<ScriptedOptions>;

/** How often it looks for a file: soon enough for tests, too seldom to be a load. */
const POLL_MS = 20;

export const scripted = defineCritic<ScriptedOptions>({
  name: 'scripted',
  version: '1.0.0',
  options: Options,
  async evaluate(input, tools) {
    record('start', input, tools);
    try {
      await wait(tools);
      fail(tools);
      return answer(input, tools.options);
    } finally {
      record('end', input, tools);
    }
  },
});

function record(event: 'start' | 'end', { findings }: CriticInput, { options, attempt, idempotencyKey }: Tools): void {
  if (options.record === undefined) return;
  const named = options.name !== undefined ? { name: options.name } : {};
  const line = { event, ...named, attempt, key: idempotencyKey, at: Date.now(), findings: Object.keys(findings), pid: process.pid };
  // One write a line, so that several processes can share a file.
  appendFileSync(options.record, `${JSON.stringify(line)}\n`);
}

async function wait({ options, signal, idempotencyKey }: Tools): Promise<void> {
  const { barrier, waitFor, sleep, hang } = options;
  if (barrier) {
    mkdirSync(barrier.dir, { recursive: true });
    // The same for all attempts of a critic: a retry does not count twice.
    writeFileSync(join(barrier.dir, encodeURIComponent(idempotencyKey)), '');
    await until(() => readdirSync(barrier.dir).length >= barrier.count, signal);
  }
  if (waitFor !== undefined) await until(() => existsSync(waitFor), signal);
  if (sleep !== undefined) await pause(msOf(sleep), signal);
  if (hang) await new Promise(() => {});
}

async function until(holds: () => boolean, signal: AbortSignal): Promise<void> {
  while (!holds()) await pause(POLL_MS, signal);
}

/** @throws the signal's reason when it is aborted meanwhile. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** The options' check has refused everything that is no duration. */
function msOf(text: string): number {
  const parsed = parseDuration(text);
  return parsed.ok ? parsed.ms : 0;
}

function fail({ options, attempt }: Tools): void {
  const { failTimes, retryAfter } = options;
  const kind = options.throw ?? (failTimes === undefined ? undefined : 'transient');
  if (kind === undefined || attempt > (failTimes ?? Infinity)) return;
  switch (kind) {
    case 'transient':
      throw new CriticError('transient', 'SCRIPTED_TRANSIENT', 'fails this time, as its options say');
    case 'rate_limited':
      throw new CriticError(
        'rate_limited',
        'SCRIPTED_RATE_LIMITED',
        'is rate limited, as its options say',
        retryAfter === undefined ? {} : { retryAfterMs: msOf(retryAfter) },
      );
    case 'permanent':
      throw new CriticError('permanent', 'SCRIPTED_PERMANENT', 'fails every time, as its options say');
    case 'error':
      throw new Error('scripted error');
    case 'string':
      throw 'scripted text';
    case 'hostile':
      throw hostileError();
  }
}

function answer({ findings }: CriticInput, { finding, echo, return: hostile }: ScriptedOptions): Finding {
  // No finding at all, on purpose: the host must survive it.
  if (hostile !== undefined) return HOSTILE_RETURNS[hostile]?.() as Finding;
  return echo ? { ...finding, details: findingsAsJson(findings) } : finding;
}

const findingsAsJson = (findings: CriticInput['findings']): NonNullable<Finding['details']> => JSON.parse(JSON.stringify(findings));
