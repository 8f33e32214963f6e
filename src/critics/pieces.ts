/**
 * Long texts, judged piece by piece with a turn of the event loop between them, so that no text keeps the worker from
 * its other work. A judge sees each piece with its surroundings and answers for what begins in the piece itself.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CriticTools } from './critic.js';
import type { Match } from './text.js';

/** A text in, what was met in it out. */
export type Find = (text: string) => readonly Match[] | Promise<readonly Match[]>;

/** How a judge wants long texts cut. */
export interface Cut {
  /** UTF-16 units that are judged between two turns of the event loop. Default 16,384. */
  readonly pieceChars?: number;
  /**
   * UTF-16 units of surroundings on both sides of a piece. No match may depend on what is further away from its start:
   * the longest match and what is looked at around it must fit. Default 1,024.
   */
  readonly reach?: number;
}

export interface Judge extends Cut {
  readonly find: Find;
  /** What is met in the text of a field only because of the field's name. The text is whole: it has to bound its work itself. */
  readonly findNamed?: (name: string, text: string) => readonly Match[];
}

export interface Piece {
  /** The piece with its surroundings. */
  readonly text: string;
  /** Where `text` begins in the whole. */
  readonly offset: number;
  /** What this piece answers for, in the whole: `end` exclusive. All pieces together cover the text, once. */
  readonly start: number;
  readonly end: number;
}

/** A library of 1 ms a KB, the slowest in use, is done with it in a third of the 50 ms that a block may last. */
export const PIECE_CHARS = 16_384;
/** Longer than any form of personal data, with the words before it. */
const REACH = 1_024;
/** How far a cut is moved to stand at a space, where hardly any form goes on. */
const SPACE_WITHIN = 128;
/** What judging costs for each text beside its length, in characters: a structure of many short texts takes turns as well. */
const CHARS_PER_TEXT = 256;

/** Cuts a text; one piece when it is hardly longer than one. */
export function* piecesOf(text: string, { pieceChars = PIECE_CHARS, reach = REACH }: Cut = {}): Generator<Piece> {
  let start = 0;
  while (start < text.length || start === 0) {
    const end = text.length - start <= pieceChars + reach ? text.length : cutAt(text, start + pieceChars, start + 1);
    const offset = start <= reach ? 0 : cutAt(text, start - reach, 0);
    const until = text.length - end <= reach ? text.length : afterPair(text, end + reach);
    yield { text: text.slice(offset, until), offset, start, end };
    if (end === text.length) return;
    start = end;
  }
}

/** The place behind the last space shortly before `wanted`, else `wanted` itself, not inside a surrogate pair. */
function cutAt(text: string, wanted: number, earliest: number): number {
  for (let at = wanted; at > Math.max(earliest, wanted - SPACE_WITHIN); at -= 1) {
    if (/\s/.test(text[at - 1] ?? '')) return at;
  }
  return afterPair(text, wanted);
}

function afterPair(text: string, at: number): number {
  const low = text.charCodeAt(at);
  const high = text.charCodeAt(at - 1);
  return low >= 0xdc00 && low <= 0xdfff && high >= 0xd800 && high <= 0xdbff ? at + 1 : at;
}

/** Counts what was judged, and lets others have their turn when it was a piece's worth. */
export type TakeTurns = (chars: number, pieceChars?: number) => Promise<void>;

/**
 * One for each evaluation.
 * @throws the signal's reason at the first turn after the attempt was stopped.
 */
export function takingTurns({ heartbeat, signal }: Pick<CriticTools<unknown>, 'heartbeat' | 'signal'>): TakeTurns {
  let used = 0;
  return async (chars, pieceChars = PIECE_CHARS) => {
    used += (chars + CHARS_PER_TEXT) / pieceChars;
    if (used < 1) return;
    used = 0;
    heartbeat();
    await nextTurn();
    signal.throwIfAborted();
  };
}

/** The matches of a judge in a text, piece by piece and in the order of their beginnings, as if it had seen the text whole. */
export async function* matchesByPiece(text: string, { find, ...cut }: Judge, takeTurns: TakeTurns): AsyncGenerator<Match[]> {
  for (const piece of piecesOf(text, cut)) {
    const own: Match[] = [];
    for (const match of await find(piece.text)) {
      const start = match.start + piece.offset;
      if (start >= piece.start && start < piece.end) own.push({ ...match, start, end: match.end + piece.offset });
    }
    if (own.length > 0) yield own.sort((a, b) => a.start - b.start);
    await takeTurns(piece.text.length, cut.pieceChars);
  }
}
