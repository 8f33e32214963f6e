/**
 * What critics of text share: the texts of a content with their places, and a finding out of what was met in them.
 */
import { jsonBytes } from '../domain/bytes.js';
import type { Finding, Json, Violation } from '../domain/finding.js';
import type { JsonObject } from '../domain/request.js';
import type { CriticTools } from './critic.js';
import { matchesInPieces, takingTurns, type Find, type Judge } from './pieces.js';

/** One text of the content. */
export interface TextPiece {
  readonly text: string;
  /** JSON Pointer into a structured content; empty when the content is the text itself. */
  readonly path: string;
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

/** Every text and number in the content, in its order. Names of fields are the caller's and not judged. */
export function textPieces(content: Json): TextPiece[] {
  return [...eachText(content)];
}

/** The same one after the other: a content may have tens of thousands. */
export function* eachText(content: Json): Generator<TextPiece> {
  const open = [[['', content] as const].values() as Iterator<readonly [string | number, Json]>];
  const paths = [''];
  for (let entries = open.at(-1); entries !== undefined; entries = open.at(-1)) {
    const next = entries.next();
    if (next.done === true) {
      open.pop();
      paths.pop();
      continue;
    }
    const [name, value] = next.value;
    const path = open.length === 1 ? '' : pathTo(paths.at(-1) ?? '', String(name));
    if (typeof value === 'string') yield { text: value, path };
    // A card number is one whether or not somebody put it in quotes.
    else if (typeof value === 'number') yield { text: String(value), path };
    else if (typeof value === 'object' && value !== null) {
      open.push(isList(value) ? value.entries() : Object.entries(value).values());
      paths.push(path);
    }
  }
}

const isList = (value: object): value is readonly Json[] => Array.isArray(value);

/** Stops growing once it is too long to be told. */
function pathTo(path: string, name: string): string {
  return path.length > MAX_PATH_CHARS ? path : `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

export interface JudgingOptions {
  /** `keep`: every match counts. `drop`: of overlapping matches the one of the lower rank stays, else the earlier, else the longer. */
  readonly overlaps?: 'keep' | 'drop';
  /** What else the finding is to say, such as a ceiling that was reached. */
  readonly details?: JsonObject | undefined;
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
  const violations: Violation[] = [];
  for (const { text, path } of eachText(content)) {
    const met: Match[] = [];
    for (const judge of all) for (const match of await matchesInPieces(text, judge, takeTurns)) met.push(match);
    const counted = overlaps === 'drop' ? withoutOverlaps(text, met) : met;
    for (const match of inOrder(counted)) violations.push(violationOf(match, path));
  }
  return findingOf(violations, details);
}

/** One finding out of all violations: the worst severity, and as many violations as it can hold. */
export function findingOf(violations: readonly Violation[], said: JsonObject | undefined): Finding {
  const severity = violations.reduce((worst, { severity: one = 0 }) => Math.max(worst, one), 0);
  const listed = mostTelling(violations);
  const more = violations.length - listed.length;
  const details = { ...said, ...(more > 0 && { more }) };
  return { severity, violations: listed, ...(Object.keys(details).length > 0 && { details }) };
}

function violationOf({ code, message, severity, start, end }: Match, path: string): Violation {
  if (path.length > MAX_PATH_CHARS) return { code, message, severity };
  return { code, message, severity, span: { ...(path !== '' && { path }), start, end } };
}

/** The first of every code, then the worst: a flood of harmless matches must not push out the one that matters. */
function mostTelling(violations: readonly Violation[]): Violation[] {
  const met = new Set<string>();
  const ranked = violations.map((violation, index) => {
    const first = !met.has(violation.code);
    met.add(violation.code);
    return { violation, index, first, severity: violation.severity ?? 0 };
  });
  ranked.sort((a, b) => Number(b.first) - Number(a.first) || b.severity - a.severity || a.index - b.index);
  let bytes = 0;
  const kept = ranked.slice(0, MAX_LISTED).filter(({ violation }) => {
    bytes += jsonBytes(violation);
    return bytes <= MAX_LISTED_BYTES;
  });
  return kept.toSorted((a, b) => a.index - b.index).map(({ violation }) => violation);
}

const inOrder = (matches: readonly Match[]): Match[] => matches.toSorted((a, b) => a.start - b.start);

/** Of overlapping matches the most telling stays. */
function withoutOverlaps(text: string, matches: readonly Match[]): Match[] {
  const taken = new Uint8Array(text.length);
  const ranked = matches.toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0) || a.start - b.start || b.end - a.end);
  return ranked.filter(({ start, end }) => {
    if (taken.subarray(start, end).includes(1)) return false;
    taken.fill(1, start, end);
    return true;
  });
}
