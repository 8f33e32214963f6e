/**
 * One person at a queue. A decision is sent as soon as its last key is pressed, and the next case, claimed meanwhile, follows at
 * once; what can be undone, the key `u` undoes. Whatever is held at the end is given back.
 */
import type { ReviewFilter } from '../client.js';
import { ReviewRefused } from '../client-errors.js';
import type { ReviewAction, Receipt } from '../domain/review/review.js';
import type { Payloads } from '../domain/review/command.js';
import { REVIEW_TIERS } from '../domain/review/policy.js';
import { reviewText } from '../report/review-text.js';
import type { Answers } from './answers.js';
import { EXIT } from './exit.js';
import type { Output } from './output.js';
import { heldBy, ReviewCases, type HeldCase } from './review-cases.js';
import { act, canBeUndone, receiptText, type Desk } from './review-desk.js';
import { askText, completed } from './review-draft.js';
import { askedOf } from './review-show.js';

/** What has become of the case on the screen: it stays, the next one comes, or the person leaves. */
type Step = 'stay' | 'next' | 'quit' | { readonly undone: HeldCase };

const KEYS = 'p proceed, h halt, e escalate, s skip, u undo, q quit: ';

export class ReviewSession {
  readonly #desk: Desk;
  readonly #answers: Answers;
  readonly #output: Output;
  readonly #cases: ReviewCases;
  #current: HeldCase | undefined;
  /** The newest decision. */
  #decided: HeldCase | undefined;

  constructor(desk: Desk, answers: Answers, output: Output, filter: ReviewFilter) {
    this.#desk = desk;
    this.#answers = answers;
    this.#output = output;
    this.#cases = new ReviewCases(desk, filter);
  }

  async run(): Promise<number> {
    try {
      for (;;) {
        this.#current ??= await this.#cases.next();
        const step = this.#current === undefined ? await this.#nothing() : await this.#case(this.#current);
        if (step === 'quit') return EXIT.ok;
        if (typeof step === 'object') {
          if (this.#current !== undefined) this.#cases.putBack(this.#current);
          this.#current = step.undone;
        }
        if (step === 'next') this.#current = undefined;
      }
    } finally {
      // At most two: the one on the screen, and the one behind it.
      if (this.#current !== undefined) this.#cases.putBack(this.#current);
      await this.#cases.giveAllBack();
    }
  }

  async #nothing(): Promise<Step> {
    const refusals = [...this.#cases.refusals].map(([code, count]) => `${count} ${code}`).join(', ');
    this.#output.note(`there is nothing to claim${refusals === '' ? '' : ` (not to be had: ${refusals})`}`);
    this.#output.ask('enter looks again, u undoes the last decision, q quits: ');
    const key = await this.#key();
    if (key === undefined || key === 'q') return 'quit';
    return key === 'u' ? await this.#undo() : 'stay';
  }

  async #case(held: HeldCase): Promise<Step> {
    this.#show(held);
    this.#cases.prefetch();
    for (;;) {
      this.#output.ask(KEYS);
      const key = await this.#key();
      const step = key === undefined ? 'quit' : await this.#onKey(key, held);
      if (step !== 'stay') return step;
    }
  }

  async #onKey(key: string, held: HeldCase): Promise<Step> {
    switch (key) {
      case 'p':
      case 'h':
        return await this.#decide(held, key === 'p' ? 'PROCEED' : 'HALT');
      case 'e':
        return await this.#escalate(held);
      case 's':
        await this.#cases.giveBack(held);
        return 'next';
      case 'u':
        return await this.#undo();
      case 'q':
        return 'quit';
      default:
        return 'stay';
    }
  }

  async #decide(held: HeldCase, disposition: Payloads['decide']['disposition']): Promise<Step> {
    const { view, input, epoch } = held;
    const whole = await completed({ disposition }, { tier: view.tier, input }, this.#answers, this.#output);
    if (whole === undefined) return 'quit';
    const receipt = await this.#send('decide', held, { ...whole, disposition, epoch });
    if (receipt === undefined || receipt === 'again') return receipt === 'again' ? 'stay' : 'next';
    this.#decided = held;
    if (canBeUndone(receipt)) this.#output.note('u undoes it until then');
    return 'next';
  }

  async #escalate(held: HeldCase): Promise<Step> {
    const to = REVIEW_TIERS[REVIEW_TIERS.indexOf(held.view.tier) + 1];
    if (to === undefined) {
      this.#output.note('there is no higher tier');
      return 'stay';
    }
    const reason = await askText(`escalate to ${to}`, this.#answers, this.#output);
    if (reason === undefined) return 'quit';
    return (await this.#send('escalate', held, { to, reason })) === 'again' ? 'stay' : 'next';
  }

  async #undo(): Promise<Step> {
    if (this.#decided === undefined) {
      this.#output.note('there is nothing to undo');
      return 'stay';
    }
    const { view, input } = this.#decided;
    const receipt = await this.#send('undo', this.#decided, {});
    this.#decided = undefined;
    if (receipt === undefined || receipt === 'again') return 'stay';
    return { undone: heldBy(this.#desk.me, view, input, receipt) };
  }

  /**
   * `again`: the case is still held, and something else may be said about it. `undefined`: it is not.
   * @throws what is no refusal: whether it was taken is not known then.
   */
  async #send<Action extends ReviewAction>(
    action: Action,
    { view }: HeldCase,
    payload: Payloads[Action],
  ): Promise<Receipt | 'again' | undefined> {
    try {
      const receipt = await act(this.#desk, action, view, payload);
      if (this.#output.json) this.#output.object({ ...receipt });
      else this.#output.line(receiptText(receipt));
      return receipt;
    } catch (error) {
      if (!(error instanceof ReviewRefused)) throw error;
      this.#output.error(error);
      return ['SIGNALS_UNANSWERED', 'REASON_UNKNOWN', 'BAD_REQUEST', 'LIMIT', 'TIER'].includes(error.reason) ? 'again' : undefined;
    }
  }

  #show({ view, input }: HeldCase): void {
    const { json, color, width } = this.#output;
    if (json) this.#output.object({ case: { ...view, ...askedOf(input) } });
    else
      this.#output.line(
        `\n${reviewText({ view, input }, { nowMs: Date.now(), color, compact: true, ...(width !== undefined ? { width } : {}) })}\n`,
      );
  }

  async #key(): Promise<string | undefined> {
    const key = await this.#answers.key();
    this.#output.ask('\n');
    return key;
  }
}
