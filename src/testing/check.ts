/** A check of a critic, and how it fails. Knows no test runner: `run` throws, and every runner understands that. */

export interface Check {
  /** What is promised, as a sentence without its subject: "gives a clean finding for an empty text". */
  readonly name: string;
  /** @throws CheckFailed in one sentence that holds nothing of the content. */
  run(): Promise<void>;
}

/** `error`: a promise that hosts rely on is broken. `warning`: it may be meant so. `not_run`: there was nothing to look at. */
export type CheckLevel = 'error' | 'warning' | 'not_run';

export class CheckFailed extends Error {
  override readonly name = 'CheckFailed';
  constructor(
    message: string,
    readonly level: CheckLevel = 'error',
    /** It did not answer in time; what comes after would likely take as long. */
    readonly lost: boolean = false,
  ) {
    super(message);
  }
}
