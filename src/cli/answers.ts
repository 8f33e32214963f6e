/**
 * What a person at the terminal, or a program in their place, answers: keys and lines. On a terminal a key is taken as it is
 * pressed; elsewhere each is a line of its own.
 */
import { StringDecoder } from 'node:string_decoder';
import type { Io } from './output.js';

/** What a terminal in raw mode sends for Ctrl-C and Ctrl-D. */
const INTERRUPT = '\u0003';
const END = '\u0004';

export class Answers {
  readonly #stdin: Io['stdin'];
  readonly #input: AsyncIterator<Uint8Array | string>;
  readonly #stopped: Promise<undefined>;
  readonly #decoder = new StringDecoder('utf8');
  #pending: Promise<IteratorResult<Uint8Array | string>> | undefined;
  #text = '';
  #hasEnded = false;
  #isRaw = false;

  /** @param stopped answers end with it: nobody waits for a key of somebody who wants to leave. */
  constructor({ stdin }: Pick<Io, 'stdin'>, stopped: Promise<void> = new Promise(() => undefined)) {
    this.#stdin = stdin;
    this.#input = stdin[Symbol.asyncIterator]();
    this.#stopped = stopped.then(() => {
      this.#hasEnded = true;
      return undefined;
    });
  }

  get isTerminal(): boolean {
    return this.#stdin.isTTY === true;
  }

  /** One key, in lower case; `undefined` at the end, and for Ctrl-C and Ctrl-D. */
  async key(): Promise<string | undefined> {
    if (!this.isTerminal || this.#stdin.setRawMode === undefined) {
      const line = await this.line();
      return line?.trim().slice(0, 1).toLowerCase();
    }
    this.#raw(true);
    while (this.#text === '' && (await this.#more()));
    const key = this.#text.slice(0, 1);
    this.#text = this.#text.slice(1);
    return key === '' || key === INTERRUPT || key === END ? undefined : key.toLowerCase();
  }

  /** One line without its end; `undefined` at the end. The terminal's own editing applies. */
  async line(): Promise<string | undefined> {
    this.#raw(false);
    for (;;) {
      const end = this.#text.indexOf('\n');
      if (end !== -1) return this.#taken(end, 1).replace(/\r$/, '');
      if (!(await this.#more())) return this.#text === '' ? undefined : this.#taken(this.#text.length, 0);
    }
  }

  /** Gives the terminal back as it was. */
  close(): void {
    this.#raw(false);
    // Not waited for: on a terminal it would wait for another key.
    if (this.#pending === undefined) void this.#input.return?.();
  }

  #taken(end: number, more: number): string {
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + more);
    return line;
  }

  /** Whether there was more. */
  async #more(): Promise<boolean> {
    if (this.#hasEnded) return false;
    this.#pending ??= this.#input.next();
    const read = await Promise.race([this.#pending, this.#stopped]);
    if (read === undefined) return false;
    this.#pending = undefined;
    if (read.done === true) this.#hasEnded = true;
    else this.#text += typeof read.value === 'string' ? read.value : this.#decoder.write(Buffer.from(read.value));
    return !this.#hasEnded;
  }

  #raw(on: boolean): void {
    if (!this.isTerminal || on === this.#isRaw) return;
    this.#stdin.setRawMode?.(on);
    this.#isRaw = on;
  }
}
