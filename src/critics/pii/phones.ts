/**
 * Phone numbers. International ones and those of the plan's regions count by themselves; other numbers of a phone's form only
 * where a word beside them says that they are one. Linear: bounded forms, each looked at once.
 */
import parsePhoneNumber, { getCountries, type CountryCode } from 'libphonenumber-js/min';
import type { Stretch } from '../text.js';

/** Two letters, ISO 3166-1. */
export const PHONE_REGIONS: readonly CountryCode[] = getCountries();
export type PhoneRegion = CountryCode;

/** What is looked at beside a number, in its line. */
const BEFORE_CHARS = 96;
const AFTER_CHARS = 32;

const INTERNATIONAL =
  /(?<![\p{L}\p{N}_+])(?:\+ ?|(?<!\p{N}[ .-])(?:00(?=[1-9])|011[ -](?=[1-9])))\(?\d{1,15}(?:(?:\)[ .-]{0,2}\(?|[ .-]\(?|\()\d{1,12}){0,6}\)?(?:x\d{1,6})?(?![\p{L}\p{N}_]|-\d)/gu;
const NORTH_AMERICAN =
  /(?<![\w+.$€£-])(?:(?:00)?1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}([-. ]))[2-9]\d{2}[-. ]\d{4}(?:x\d{1,6})?(?![\w]|[-.]\d)/g;
/** Many countries write a zero first. */
const WITH_ZERO = /(?<![\w+.-]|\d[ .-])0[1-9]\d{0,3}([ .-])\d{2,4}\1\d{2,4}(?:\1\d{2,4}){0,2}(?![\w]|[-. ]?\d)/g;
/** An area or a network, then the rest, as one group or some. */
const WITH_AREA = /(?<![\w+./-])0[1-9]\d{1,4}(?:[ -]\d{6,8}|\/ ?\d{3}(?:[ -]?\d{2,4}){1,3})(?![\w/]|[-. ]?\d)/g;
/** Groups of digits, joined as in phone numbers; brackets may come first. */
const ANY =
  /(?<![\p{L}\p{N}_+@#$€£¥%/\\]|[\p{N}][.,:/-])\(?\d{1,15}(?:(?:\)[ ./-]{0,2}\(?|[ .-]{1,3}\(?|\/|\()\d{1,12}){0,6}\)?(?![\p{L}\p{N}_%]|[.,:/-]\d)/gu;

/** Alone they make a phone number of what follows: nouns of the larger languages. */
const NOUNS =
  'phone|telephone|tel|fax|mobile|cell|cellphone|cellular|whatsapp|landline|hotline|helpline|voicemail|sms|pager|' +
  'telefon|telefonnummer|handynummer|mobilnummer|mobil|rufnummer|téléphone|teléfono|telefono|móvil|celular|telefone|telemóvel|cellulare|' +
  'telefoon|telefoonnummer|puhelin|телефон|тел|τηλέφωνο|हेल्पलाइन|फोन|هاتف|جوال';
/** What is said of one number is said of a second one behind it. */
const FIRST_NUMBER = String.raw`(?:[+(]?\d[\d ().-]{5,18}\d(?:,| or| and| to| &| /) )?`;
const NOUN_BEFORE = new RegExp(
  `(?:(?<![\\p{L}])(?:${NOUNS})s?(?![\\p{L}])|电话|電話|手机|手機|携帯|전화|휴대폰)[^\\d\\n]{0,24}${FIRST_NUMBER}\\n?$`,
  'iu',
);
const NOUN_AFTER = new RegExp(`^[ ,;]{0,2}[-–(]?\\s?(?:office|home|work|direct|${NOUNS})(?![\\p{L}])`, 'iu');
/** What one does with a phone number, or whose it is. */
const VERBS =
  'call|calling|calls|dial|text|texts|ring|reach|reached|contact|message|messages|(?:my|his|her|our|their|your|new|old|contact) number';
const VERB_BEFORE = new RegExp(`(?<![\\p{L}])(?:${VERBS})(?![\\p{L}])[^\\d\\n.!?]{0,32}${FIRST_NUMBER}$`, 'iu');
/** A number of which nothing is said. */
const NUMBER_BEFORE =
  /(?<!(?:order|account|invoice|reference|ticket|tracking|serial|routing|case|id|card|licen[cs]e|passport|policy|member|customer|confirmation|part|model|product|item|random|prime|lucky) )(?<![\p{L}])number(?:'s|’s)?(?: is| was| to|:) {1,2}$/iu;
const NUMBER_AFTER =
  /^,? (?:is|was) (?:my|his|her|our|their|your|the) (?:new |old |work |private )?(?:number|phone|mobile|cell)(?![\p{L}])/iu;
/** The number is the very thing that the verb is about. */
const LED_TO = /(?<![\p{L}])(?:on|at|to|from|is|was|number|via|under)[: ]{1,2}$/iu;

const DATE = /^(?:\d{1,2}([-. /])\d{1,2}\1(?:19|20)?\d{2}|(?:19|20)\d{2}([-. /])\d{1,2}\2\d{1,2})$/;
const YEARS = /^(?:(?:19|20)\d{2}\D{0,3})+$/;
const ROUND_AMOUNT = /^\d{1,3}(?:[ .]\d{3}){0,4}[ .]000$/;
const AMOUNT = /^\d{1,3}(?:[ .]\d{3})+$/;

/** Bytes are written like some national numbers. */
const PAIRS = /^\d{2}(?: \d{2})+$/;
const PAIR_BEFORE = /(?:^|\s)[0-9a-f]{2} $/i;

/** @param regions whose national numbers count without a word beside them. */
export function findPhones(text: string, regions: readonly CountryCode[]): Stretch[] {
  const found: Stretch[] = [];
  const take = (form: RegExp, isReal: (value: string, start: number) => boolean): void => {
    for (const { index, 0: value } of text.matchAll(form)) {
      if (isReal(value, index)) found.push({ start: index, end: index + value.length });
    }
  };
  take(INTERNATIONAL, (value) => isInternational(value));
  if (regions.includes('US') || regions.includes('CA')) take(NORTH_AMERICAN, () => true);
  take(WITH_ZERO, (value) => hasDigits(value, 9, 11));
  take(WITH_AREA, (value) => hasDigits(value, 8, 12));
  take(ANY, (value, start) => isNamed(text, value, start) || regions.some((region) => isNational(text, value, start, region)));
  return found;
}

const digitsOf = (value: string): string => value.replace(/\D/g, '');

function hasDigits(value: string, least: number, most: number): boolean {
  const { length } = digitsOf(value);
  return length >= least && length <= most;
}

/** By the lengths that the country has: many real numbers are newer than any list of ranges. */
function isInternational(value: string): boolean {
  if (!hasDigits(value, 8, 18)) return false;
  const withPlus = value.startsWith('+') ? value : `+${value.replace(/^(?:00|011[ -])/, '')}`;
  return parsePhoneNumber(withPlus)?.isPossible() ?? false;
}

/** Of a country with forms of its own; how North America writes has been looked for already. */
function isNational(text: string, value: string, start: number, region: CountryCode): boolean {
  if (region === 'US' || region === 'CA' || !hasDigits(value, 7, 15) || looksLikeSomethingElse(value) || AMOUNT.test(value)) return false;
  // A row of digits without separators could be everything, unless it begins as national numbers do.
  if (!/\d\D+\d/.test(value) && !value.startsWith('0')) return false;
  if (PAIRS.test(value) && PAIR_BEFORE.test(text.slice(Math.max(0, start - 4), start))) return false;
  return parsePhoneNumber(value, region)?.isValid() ?? false;
}

const looksLikeSomethingElse = (value: string): boolean => DATE.test(value) || YEARS.test(value) || ROUND_AMOUNT.test(value);

function isNamed(text: string, value: string, start: number): boolean {
  if (!hasDigits(value, 7, 15) || looksLikeSomethingElse(value)) return false;
  const groups = value.match(/\d+/g) ?? [];
  if (groups.length > 1 && !groups.slice(1).every((group) => group.length >= 2 && group.length <= 9)) return false;
  const before = text.slice(Math.max(0, start - BEFORE_CHARS), start);
  if (NOUN_BEFORE.test(before)) return true;
  if (VERB_BEFORE.test(before)) return LED_TO.test(before) || (!AMOUNT.test(value) && hasDigits(value, groups.length > 1 ? 7 : 9, 12));
  if (NUMBER_BEFORE.test(before)) return true;
  const after = text.slice(start + value.length, start + value.length + AFTER_CHARS);
  return NUMBER_AFTER.test(after) || (hasDigits(value, groups.length > 1 ? 7 : 9, 12) && NOUN_AFTER.test(after));
}
