/**
 * Where a command writes. Results go to stdout, everything else to stderr, so that a pipe gets results alone.
 * Whatever comes from outside must have passed `safeText` or `safeJson` before it gets here.
 */
import { safeJson, safeText } from '../report/safe.js';
import { describeError } from './exit.js';

/** The process as a command sees it; tests hand in their own. */
export interface Io {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly env: NodeJS.ProcessEnv;
}

/** How often a line of progress is written where nothing can be redrawn. */
const PLAIN_PROGRESS_MS = 5_000;

export class Output {
  readonly #io: Io;
  readonly json: boolean;
  readonly color: boolean;
  /** Of the terminal; absent elsewhere, where nothing is cut. */
  readonly width: number | undefined;

  constructor(io: Io, json: boolean) {
    this.#io = io;
    this.json = json;
    this.color = io.stdout.isTTY === true && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
    this.width = io.stdout.isTTY === true ? io.stdout.columns : undefined;
  }

  /** A result for people. */
  line(text = ''): void {
    this.#io.stdout.write(`${text}\n`);
  }

  /** A result for programs: one object, one line. */
  object(value: unknown): void {
    this.#io.stdout.write(`${safeJson(value)}\n`);
  }

  /** What a person should know meanwhile; nothing with `--json`. */
  note(text: string): void {
    if (!this.json) this.#io.stderr.write(`${text}\n`);
  }

  /** A question, on the line of its answer. */
  ask(text: string): void {
    if (!this.json) this.#io.stderr.write(text);
  }

  error(error: unknown): void {
    const told = describeError(error);
    if (this.json) this.#io.stderr.write(`${safeJson({ error: told })}\n`);
    else for (const line of `tribunal: ${told.message}`.split('\n')) this.#io.stderr.write(`${safeText(line)}\n`);
  }

  /** A place that shows where things stand: redrawn on a terminal, else a line now and then. */
  async progress(): Promise<Progress> {
    if (this.json) return { show: () => undefined, end: () => undefined };
    if (this.#io.stderr.isTTY === true && this.#io.env['TERM'] !== 'dumb') {
      // Loaded here: commands that draw nothing, a worker's start above all, do without it.
      const { createLogUpdate } = await import('log-update');
      const redraw = createLogUpdate(this.#io.stderr);
      return { show: (text) => redraw(text), end: () => redraw.clear() };
    }
    let due = performance.now() + PLAIN_PROGRESS_MS;
    return {
      show: (text) => {
        if (performance.now() < due) return;
        due = performance.now() + PLAIN_PROGRESS_MS;
        this.note(text.split('\n')[0] ?? '');
      },
      end: () => undefined,
    };
  }
}

export interface Progress {
  /** The first line alone must say the most important: plain outputs show no more. */
  show(text: string): void;
  end(): void;
}
