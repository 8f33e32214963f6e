/**
 * What critics of text share: the texts of a content with their places, and a finding out of what was met in them.
 */
import { jsonBytes } from '../domain/bytes.js';
import type { Finding, Json, Violation } from '../domain/finding.js';
import { pointerStep } from './json-pointer.js';
import type { JsonObject } from '../domain/request.js';
import type { CriticTools } from './critic.js';
import { matchesByPiece, takingTurns, type Find, type Judge, type TakeTurns } from './pieces.js';

/** One text of the content. */
export interface TextPiece {
  readonly text: string;
  /** JSON Pointer into a structured content; empty when the content is the text itself. */
  readonly path: string;
  /** Of the field that holds the text, or the list that it stands in. */
  readonly name?: string;
}

/** A part of a text: UTF-16 code units, `end` exclusive. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Something that a rule met in a text. */
export interface Match extends Stretch {
  readonly code: string;
  /** Must not quote the text. */
  readonly message: string;
  readonly severity: number;
  /** Of overlapping matches the one of the lowest rank stays, where overlaps are dropped. Default 0. */
  readonly rank?: number;
}

/** Longer places would crowd out violations; what is met there is told without its place. */
const MAX_PATH_CHARS = 400;
/** As many as a finding may have. */
const MAX_LISTED = 100;
/** Leaves room in a finding's 16 KB for the rest of it. */
const MAX_LISTED_BYTES = 14_000;

/** Every text and number in the content, in its order. Names of fields are the caller's and no texts of their own. */
export function textPieces(content: Json): TextPiece[] {
  return Array.from(eachPlace(content)).filter((place) => place !== undefined);
}

/**
 * The same one after the other, since a content may have tens of thousands, with `undefined` for each place without a text:
 * whoever takes turns has to count those, too.
 */
export function* eachPlace(content: Json): Generator<TextPiece | undefined> {
  const open = [[['', content] as const].values() as Iterator<readonly [string | number, Json]>];
  const paths = [''];
  const names: (string | undefined)[] = [undefined];
  for (let entries = open.at(-1); entries !== undefined; entries = open.at(-1)) {
    const next = entries.next();
    if (next.done === true) {
      open.pop();
      paths.pop();
      names.pop();
      continue;
    }
    const [name, value] = next.value;
    const path = open.length === 1 ? '' : pathTo(paths.at(-1) ?? '', String(name));
    const fieldName = typeof name === 'string' && name !== '' ? name : names.at(-1);
    if (typeof value === 'string') yield { text: value, path, ...(fieldName !== undefined && { name: fieldName }) };
    // A card number is one whether or not somebody put it in quotes.
    else if (typeof value === 'number') yield { text: String(value), path };
    else {
      yield undefined;
      if (typeof value !== 'object' || value === null) continue;
      open.push(isList(value) ? value.entries() : Object.entries(value).values());
      paths.push(path);
      names.push(fieldName);
    }
  }
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);

/** Stops growing once it is too long to be told. */
function pathTo(path: string, name: string): string {
  return path.length > MAX_PATH_CHARS ? path : path + pointerStep(name);
}

export interface JudgingOptions {
  /** `keep`: every match counts. `drop`: of overlapping matches the one of the lower rank stays, else the earlier, else the longer. */
  readonly overlaps?: 'keep' | 'drop';
  /** What else the finding is to say, such as a ceiling that was reached. A function is asked when all was judged. */
  readonly details?: JsonObject | ((longestChars: number) => JsonObject | undefined);
}

/**
 * Runs judges over every text, long ones in pieces, and makes one finding: its severity is that of the worst match, listed or
 * not. Beyond what a finding can hold the rest is counted in `details.more`.
 * @throws the signal's reason when the attempt was stopped meanwhile.
 */
export async function judgeTexts(
  content: Json,
  judges: Find | readonly Judge[],
  tools: Pick<CriticTools<unknown>, 'heartbeat' | 'signal'>,
  { overlaps = 'keep', details }: JudgingOptions = {},
): Promise<Finding> {
  const all = typeof judges === 'function' ? [{ find: judges }] : judges;
  const takeTurns = takingTurns(tools);
  const tally = new Tally();
  let longestChars = 0;
  for (const piece of eachPlace(content)) {
    // Nothing can be met in an empty text.
    if (piece === undefined || piece.text === '') await takeTurns(0);
    else if (overlaps === 'drop') await tellWithoutOverlaps(piece, all, takeTurns, tally);
    else await tellAll(piece, all, takeTurns, tally);
    longestChars = Math.max(longestChars, piece?.text.length ?? 0);
    tally.endText();
  }
  return tally.finding(typeof details === 'function' ? details(longestChars) : details);
}

async function tellAll(piece: TextPiece, judges: readonly Judge[], takeTurns: TakeTurns, tally: Tally): Promise<void> {
  for (const judge of judges) {
    for await (const matches of matchesIn(piece, judge, takeTurns)) for (const match of matches) tally.tell(match, piece.path);
  }
}

async function* matchesIn({ text, name }: TextPiece, judge: Judge, takeTurns: TakeTurns): AsyncGenerator<readonly Match[]> {
  yield* matchesByPiece(text, judge, takeTurns);
  if (name !== undefined && judge.findNamed !== undefined) yield judge.findNamed(name, text);
}

/** What overlaps, directly or by others between, is looked at together, with a turn for others between: a text may be full of matches. */
async function tellWithoutOverlaps(piece: TextPiece, judges: readonly Judge[], takeTurns: TakeTurns, tally: Tally): Promise<void> {
  const { path } = piece;
  const met: Match[] = [];
  for (const judge of judges) for await (const matches of matchesIn(piece, judge, takeTurns)) for (const match of matches) met.push(match);
  // Those of each judge stand in order already, which makes it quick.
  met.sort((a, b) => a.start - b.start);
  let cluster: Match[] = [];
  let end = 0;
  for (const match of met) {
    if (match.start >= end) {
      for (const one of withoutOverlaps(cluster)) tally.tell(one, path);
      cluster = [];
      await takeTurns(0);
    }
    cluster.push(match);
    end = Math.max(end, match.end);
  }
  for (const one of withoutOverlaps(cluster)) tally.tell(one, path);
}

/** One finding out of all violations: the worst severity, and as many violations as it can hold. */
export function findingOf(violations: readonly Violation[], said: JsonObject | undefined): Finding {
  const tally = new Tally();
  for (const [index, violation] of violations.entries()) tally.add(violation.code, violation.severity ?? 0, index, () => violation);
  return tally.finding(said);
}

function violationOf({ code, message, severity, start, end }: Match, path: string): Violation {
  if (path.length > MAX_PATH_CHARS) return { code, message, severity };
  return { code, message, severity, span: { ...(path !== '' && { path }), start, end } };
}

interface Told {
  readonly severity: number;
  /** Its place in the content: the text, the place in it, and what was told before it. */
  readonly order: readonly [text: number, start: number, count: number];
  readonly violation: () => Violation;
}

const inOrder = (a: Told, b: Told): number => a.order[0] - b.order[0] || a.order[1] - b.order[1] || a.order[2] - b.order[2];
const worstFirst = (a: Told, b: Told): number => b.severity - a.severity || inOrder(a, b);

/**
 * Keeps of what it is told the first of every code, then the worst: a flood of harmless matches must not push out the one that
 * matters. No more than a finding can hold stays in memory; the rest is counted.
 */
class Tally {
  #count = 0;
  #text = 0;
  #worst = 0;
  readonly #firsts = new Map<string, Told>();
  #others: Told[] = [];
  /** The last of the others when there were too many: only what is worse matters. */
  #bar: Told | undefined;

  tell(match: Match, path: string): void {
    this.add(match.code, match.severity, match.start, () => violationOf(match, path));
  }

  add(code: string, severity: number, start: number, violation: () => Violation): void {
    const told: Told = { severity, order: [this.#text, start, this.#count], violation };
    this.#count += 1;
    this.#worst = Math.max(this.#worst, severity);
    const first = this.#firsts.get(code);
    if (first === undefined || inOrder(told, first) < 0) this.#firsts.set(code, told);
    if (first !== undefined) this.#keep(inOrder(told, first) < 0 ? first : told);
  }

  /** Whatever is told next stands in another text. */
  endText(): void {
    this.#text += 1;
  }

  finding(said: JsonObject | undefined): Finding {
    const ranked = [...Array.from(this.#firsts.values()).sort(worstFirst), ...this.#others.sort(worstFirst)].slice(0, MAX_LISTED);
    let bytes = 0;
    const listed = ranked.filter(({ violation }) => {
      bytes += jsonBytes(violation());
      return bytes <= MAX_LISTED_BYTES;
    });
    const violations = listed.sort(inOrder).map(({ violation }) => violation());
    const more = this.#count - listed.length;
    const details = { ...said, ...(more > 0 && { more }) };
    return { severity: this.#worst, violations, ...(Object.keys(details).length > 0 && { details }) };
  }

  #keep(told: Told): void {
    if (this.#bar !== undefined && worstFirst(told, this.#bar) > 0) return;
    this.#others.push(told);
    if (this.#others.length < 2 * MAX_LISTED) return;
    this.#others.sort(worstFirst);
    this.#others.length = MAX_LISTED;
    this.#bar = this.#others.at(-1);
  }
}

/** Of overlapping matches the most telling stays. */
function withoutOverlaps(matches: readonly Match[]): readonly Match[] {
  const [first] = matches;
  if (first === undefined || matches.length === 1) return matches;
  const from = first.start;
  const taken = new Uint8Array(matches.reduce((last, { end }) => Math.max(last, end), from) - from);
  const ranked = matches.toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0) || a.start - b.start || b.end - a.end);
  return ranked.filter(({ start, end }) => {
    if (taken.subarray(start - from, end - from).includes(1)) return false;
    taken.fill(1, start - from, end - from);
    return true;
  });
}
