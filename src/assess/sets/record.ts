/** One record of a labelled set, whichever set it came from. Types, and the little that all adapters share. */
import type { Json } from '../../domain/finding.js';
import type { RiskTier } from '../../domain/plan.js';
import type { JsonObject } from '../../domain/request.js';

/** Verdicts that a record may expect. `not_judged` is none: it is what happens when there is no verdict. */
export const VERDICTS = ['allow', 'escalate', 'deny'] as const;
export type ExpectedVerdict = (typeof VERDICTS)[number];

/** A stretch of the text that somebody marked: UTF-16 code units, `end` exclusive. */
export interface LabelledSpan {
  /** As the set calls it, for example `CREDIT_CARD`. */
  readonly type: string;
  readonly start: number;
  readonly end: number;
  /** JSON Pointer into the content; empty when the content is the text itself. */
  readonly path: string;
}

export interface SetRecord {
  /** Unique over all sets of a run. */
  readonly id: string;
  /** What kind of record it is, coarse to fine by `/`: `injection/persuasion` counts for `injection` as well. */
  readonly stratum: string;
  readonly content: Json;
  readonly context: JsonObject;
  readonly riskTier?: RiskTier;
  /** By family: whether the record is of it. A family that is absent is unknown and counts neither way. */
  readonly labels: Readonly<Record<string, boolean>>;
  /** Absent: nobody marked any. */
  readonly spans?: readonly LabelledSpan[];
  /** The verdict that the labels imply; absent: not scored on its verdict. */
  readonly verdict?: ExpectedVerdict;
  /** Verdicts that count as right; the expected one among them. */
  readonly accept: readonly ExpectedVerdict[];
}

export type Read = { readonly ok: true; readonly record: SetRecord } | { readonly ok: false; readonly problems: readonly string[] };

/** How rows of one form become records. */
export interface Adapter {
  readonly name: string;
  /** By what the row holds, not by the name of its file. */
  recognises(row: object): boolean;
  /**
   * Must not quote texts of the row in its problems.
   * @param place id where the row has none, and the stratum.
   */
  read(row: object, place: { readonly id: string; readonly stratum: string }): Read;
}

/** The families in which a text is harmful in itself. */
export const HARMS = [
  'sexual',
  'hate',
  'violence',
  'harassment',
  'self-harm',
  'sexual/minors',
  'hate/threatening',
  'violence/graphic',
] as const;

/** Every family that critics of this project judge: what a harmless record is none of. */
export const HARMLESS: Readonly<Record<string, boolean>> = Object.fromEntries(
  [...HARMS, 'toxicity', 'injection', 'pii', 'pii_pattern', 'secrets'].map((family) => [family, false]),
);

/** A text alone, or what was asked and answered. */
export const contentOf = (text: string, response: string | null | undefined): Json =>
  response === null || response === undefined ? text : { input: text, output: response };

/** Where the text stands in {@link contentOf}. */
export const textPath = (response: string | null | undefined): string => (response === null || response === undefined ? '' : '/input');
