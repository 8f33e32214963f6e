/**
 * Whether a text is written in a language that the plan allows, by the detector eld on parts of up to a thousand characters.
 * Code, numbers, addresses and short texts have no language that could be told, and are not judged; `details` counts them.
 */
import { eld } from 'eld/medium';
import { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { judgeTexts, type Match, type Stretch } from './text.js';

/** What the detector knows, as ISO 639-1 codes. */
const KNOWN = Object.values(eld.info().Languages);

const Options = strict({
  /** Languages as ISO 639-1 codes, for example `[en, de]`. */
  allow: z
    .array(
      z.string().superRefine((code, context) => {
        if (!KNOWN.includes(code))
          context.addIssue({
            code: 'custom',
            message: `${JSON.stringify(code)} is not a language that can be told: known are ${KNOWN.join(', ')}`,
          });
      }),
    )
    .min(1),
  /** Severity of a part in another language, 0 to 1. */
  severity: z.number().min(0).max(1).default(0.5),
  /** Letters that a part must have to be judged, 20 to 1,000: below 40 the detector is often wrong. */
  minLetters: z.int().min(20).max(1_000).default(40),
});

export type LanguageOptions = z.output<typeof Options>;

/** As much as the detector reads of a text. UTF-16 units. */
const PART_CHARS = 1_000;
/** A part as short as this is judged with the next one: lists have short lines. UTF-16 units. */
const SHORT_CHARS = 60;
/** A part of this much code or markup is not prose. */
const MAX_SIGNS = 0.2;

export const language = defineCritic<LanguageOptions>({
  name: 'language',
  version: '1.0.0',
  options: Options,
  async evaluate({ content }, tools) {
    const { options } = tools;
    const count: Count = { judged: 0, unreliable: 0, notJudged: 0 };
    const find = (text: string): Match[] => partsOf(text).flatMap((part) => judge(text, part, options, count));
    // No reach: parts end where pieces end, so that each is counted once.
    const finding = await judgeTexts(content, [{ find, reach: 0, pieceChars: PIECE_CHARS }], tools, { details: count });
    const { judged, unreliable } = count;
    const uncertainty = unreliable === 0 ? 0 : Math.round((100 * unreliable) / (judged + unreliable)) / 100;
    return { ...finding, uncertainty };
  },
});

/** The detector takes up to a millisecond for a part. */
const PIECE_CHARS = 16_000;

/** Parts of the content by what became of them. */
type Count = Record<'judged' | 'unreliable' | 'notJudged', number>;

function judge(text: string, part: Stretch, { allow, severity, minLetters }: LanguageOptions, count: Count): Match[] {
  const prose = proseOf(text.slice(part.start, part.end));
  if (prose === undefined || lettersIn(prose) < minLetters) {
    count.notJudged += 1;
    return [];
  }
  const found = eld.detect(prose);
  if (!found.isReliable()) {
    count.unreliable += 1;
    return [];
  }
  count.judged += 1;
  if (allow.includes(found.language)) return [];
  return [
    {
      code: `language:${found.language}`,
      message: `is written in ${found.language}, which is not among the allowed languages`,
      severity,
      ...part,
    },
  ];
}

/** Letters of scripts that write a word with one or two signs count for more. */
const lettersIn = (text: string): number => {
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const dense = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
  return letters + 3 * dense;
};

/** Without what is no prose anywhere; `undefined` for code and markup. */
function proseOf(part: string): string | undefined {
  const prose = part.replaceAll(/https?:\/\/\S+|[\w.+-]{1,64}@[\w.-]{1,255}|`[^`\n]{1,200}`|<[^<>\n]{1,200}>/g, ' ');
  const signs = prose.match(/[{}()[\];=<>\\/|_$#&*+^~]|\d/g)?.length ?? 0;
  return signs > MAX_SIGNS * prose.replaceAll(/\s/g, '').length ? undefined : prose;
}

/** Paragraphs and fenced code apart, then cut at line ends or spaces to what the detector reads. */
function partsOf(text: string): Stretch[] {
  const parts: Stretch[] = [];
  for (const { index, 0: block } of text.matchAll(/(?:(?!\n[ \t]*\n)[^])+/g)) {
    let start = index + block.length - block.trimStart().length;
    const end = index + block.length;
    while (start < end) {
      const next = end - start <= PART_CHARS ? end : cutBefore(text, start + PART_CHARS, start);
      if (text.slice(start, next).trim() !== '') parts.push({ start, end: next });
      start = next;
    }
  }
  return joined(parts);
}

/** Short neighbours together: a list of short lines is one text. */
function joined(parts: readonly Stretch[]): Stretch[] {
  const whole: Stretch[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    if (last !== undefined && part.end - last.start <= PART_CHARS && last.end - last.start < SHORT_CHARS) {
      whole[whole.length - 1] = { start: last.start, end: part.end };
    } else whole.push(part);
  }
  return whole;
}

function cutBefore(text: string, wanted: number, earliest: number): number {
  for (let at = wanted; at > earliest + PART_CHARS / 2; at -= 1) if (/\s/.test(text[at - 1] ?? '')) return at;
  const low = text.charCodeAt(wanted);
  return low >= 0xdc00 && low <= 0xdfff ? wanted - 1 : wanted;
}
