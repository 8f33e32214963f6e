/** What a kind of recorded evaluation is, and the words in which plans of such kinds are written. */
import type { NotifyChannels } from '../../src/domain/review/channels.js';
import type { StartRequest } from '../../src/schemas/request.js';
import type { End } from './ends.js';
import type { Recording } from './recording.js';

export interface Kind {
  readonly plan: object;
  readonly request?: Partial<StartRequest>;
  /** Default 10. */
  readonly priorityLevels?: 5;
  /** Channels of the deployment. */
  readonly notify?: NotifyChannels;
  /** What happens; default: one worker judges one request. */
  readonly run?: (recording: Recording) => Promise<void>;
  readonly end: End['end'];
  /** By critic; the others succeed. */
  readonly outcomes?: Readonly<Record<string, string>>;
  /** Code of a reason of the verdict. */
  readonly reason?: string;
  /** Whether its report names a review. */
  readonly review?: true;
  /** What it does depends on its being a reset run, which a replay by the SDK alone does not say. */
  readonly onlyAsReset?: true;
}

/** Critics that do what their options say; `more` are fields of the critic in the plan. */
export const core = (options: object = {}, more: object = {}): object => ({
  uses: 'scripted',
  stage: 'core_analysis',
  ...more,
  with: options,
});
export const deep = (options: object = {}, more: object = {}): object => core(options, { stage: 'deep_analysis', ...more });
export const local = (options: object = {}, more: object = {}): object =>
  core(options, { stage: 'fast_critics', dispatch: 'local', ...more });

/** Allows unless `more` says otherwise, and tries nothing twice. */
export function plan(critics: object, more: object = {}): object {
  return {
    plan: 'recorded',
    version: 1,
    timeouts: { global: '60s' },
    defaults: { maxRetries: 0 },
    critics,
    verdict: { otherwise: 'allow' },
    ...more,
  };
}
