/** Card numbers among other numbers. Linear: from each group of digits a bounded number of lengths is tried. */
import { couldBeCard, isCard, MAX_CARD_DIGITS, MIN_CARD_DIGITS } from './checks.js';
import type { Stretch } from '../text.js';

/** Cards are printed in up to five groups; more only where each digit stands alone. */
const MAX_GROUPS = 5;
/** Shorter groups are those of amounts and tables; the last one may be shorter. */
const MIN_GROUP_DIGITS = 3;
/** Cards shorter than this share their form with numbers of goods and parcels, which say so. */
const MIN_SURE_DIGITS = 14;
const NUMBER_OF_SOMETHING = /\b(?:ean|gtin|upc|isbn|imei|barcode|tracking|order|invoice)\b[^\d\n]{0,12}$/i;
const CARD_WORDS = 'card|visa|mastercard|amex|american express|maestro|discover|diners|jcb|unionpay|kreditkarte|carte|tarjeta|cartão|carta';
const CARD_WORD = new RegExp(`(?<![\\p{L}])(?:${CARD_WORDS})(?![\\p{L}])`, 'iu');
const CARD_BEFORE = new RegExp(`${CARD_WORD.source}[^\\d\\n]{0,24}$`, 'iu');
/** The last part of a UUID has twelve digits. */
const INSIDE_UUID = /[0-9a-f]{4}-$/i;
/** A part of a name or of a decimal number. */
const INSIDE_BEFORE = /[\p{L}\p{N}_]$|\d\.$/u;
const INSIDE_AFTER = /^(?:[\p{L}\p{N}_]|\.\d)/u;
/** What is looked at before a number. */
const BEFORE_CHARS = 48;

interface Group extends Stretch {
  readonly digits: string;
  /** What joins it to the next group; empty when nothing does. */
  readonly joint: string;
}

/** Groups of digits may stand beside the card (an expiry date, an order number): every run of whole groups is tried. */
export function findCards(text: string): Stretch[] {
  const groups = Array.from(text.matchAll(/(\d+)([ ._-](?=\d))?/g), ({ index, 1: digits = '', 2: joint = '' }): Group => {
    return { start: index, end: index + digits.length, digits, joint };
  });
  const hasCardWord = CARD_WORD.test(text);
  return groups.flatMap(({ start }, first) => {
    const runs = runsFrom(groups, first);
    if (runs.length === 0) return [];
    const before = text.slice(Math.max(0, start - BEFORE_CHARS), start);
    const isNamed = hasCardWord && CARD_BEFORE.test(before);
    // The longest first: a card of 19 digits may begin with one of 16.
    const card = runs.findLast(
      (run) => (isCard(run.digits) || (isNamed && couldBeCard(run.digits))) && standsAlone(before, run, text.slice(run.end, run.end + 2)),
    );
    return card ? [{ start, end: card.end }] : [];
  });
}

interface Run {
  readonly digits: string;
  readonly end: number;
}

/** The runs of groups from here that have a card's form, the shortest first. */
function runsFrom(groups: readonly Group[], first: number): Run[] {
  return groups[first]?.digits.length === 1 ? spelledRunFrom(groups, first) : groupedRunsFrom(groups, first);
}

function groupedRunsFrom(groups: readonly Group[], first: number): Run[] {
  const runs: Run[] = [];
  let digits = '';
  for (const group of groups.slice(first, first + MAX_GROUPS)) {
    digits += group.digits;
    if (digits.length > MAX_CARD_DIGITS) break;
    if (digits.length >= MIN_CARD_DIGITS) runs.push({ digits, end: group.end });
    if (group.digits.length < MIN_GROUP_DIGITS || group.joint === '' || group.joint !== groups[first]?.joint) break;
  }
  return runs;
}

/** Digits that stand one by one are a card only all together: in a long row of them every start would be one. */
function spelledRunFrom(groups: readonly Group[], first: number): Run[] {
  const isSpelled = (group: Group | undefined): boolean => group?.digits.length === 1;
  const before = groups[first - 1];
  if (isSpelled(before) && before?.joint !== '') return [];
  const row = groups.slice(first, first + MAX_CARD_DIGITS + 1);
  const last = row.findIndex((group, index) => group.joint === '' || !isSpelled(row[index + 1]));
  const end = row[last]?.end;
  if (end === undefined || last + 1 < MIN_CARD_DIGITS || last + 1 > MAX_CARD_DIGITS) return [];
  const digits = row.slice(0, last + 1).map((group) => group.digits);
  return [{ digits: digits.join(''), end }];
}

function standsAlone(before: string, { digits }: Run, after: string): boolean {
  if (INSIDE_BEFORE.test(before) || INSIDE_AFTER.test(after)) return false;
  return digits.length >= MIN_SURE_DIGITS || !(NUMBER_OF_SOMETHING.test(before) || INSIDE_UUID.test(before));
}
