/**
 * What critics of text share: the texts of a content with their places, and a finding out of what was met in them.
 * Pure; imports types and sizes only.
 */
import { jsonBytes } from '../domain/bytes.js';
import type { Finding, Json, Violation } from '../domain/finding.js';

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
}

/** Longer places would crowd out violations; what is met there is told without its place. */
const MAX_PATH_CHARS = 400;
/** As many as a finding may have. */
const MAX_LISTED = 100;
/** Leaves room in a finding's 16 KB for the rest of it. */
const MAX_LISTED_BYTES = 14_000;

interface Place {
  readonly value: Json;
  readonly path: string;
}

/** Every text and number in the content, in its order. Names of fields are the caller's and not judged. */
export function textPieces(content: Json): TextPiece[] {
  const pieces: TextPiece[] = [];
  const open: Place[] = [{ value: content, path: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    if (typeof value === 'string') pieces.push({ text: value, path });
    // A card number is one whether or not somebody put it in quotes.
    else if (typeof value === 'number') pieces.push({ text: String(value), path });
    else if (typeof value === 'object' && value !== null) {
      for (const [name, entry] of Object.entries(value).toReversed()) open.push({ value: entry, path: pathTo(path, name) });
    }
  }
  return pieces;
}

/** Stops growing once it is too long to be told. */
function pathTo(path: string, name: string): string {
  return path.length > MAX_PATH_CHARS ? path : `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/**
 * Runs a judge over every text and makes one finding: its severity is that of the worst match, listed or not.
 * Beyond what a finding can hold the rest is counted in `details.more`.
 */
export function judgeTexts(content: Json, judge: (text: string) => readonly Match[]): Finding {
  const violations = textPieces(content).flatMap((piece) => inOrder(judge(piece.text)).map((match) => violationOf(match, piece.path)));
  const severity = violations.reduce((worst, { severity: one = 0 }) => Math.max(worst, one), 0);
  const listed = mostTelling(violations);
  const more = violations.length - listed.length;
  return { severity, violations: listed, ...(more > 0 && { details: { more } }) };
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

/** Leaves out what overlaps an earlier match of the list. */
export function withoutOverlaps(text: string, matches: readonly Match[]): Match[] {
  const taken = new Uint8Array(text.length);
  return matches.filter(({ start, end }) => {
    if (taken.subarray(start, end).includes(1)) return false;
    taken.fill(1, start, end);
    return true;
  });
}
