/**
 * Personal data that has a form of its own: cards, IBANs, US social security numbers, e-mail, phone numbers, IP addresses.
 * Not names and street addresses. A message names the type, never the value. All forms have bounded repeats.
 */
import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { ibanAt, isCard, isPersonalIpv4 } from './pii-checks.js';
import { judgeTexts, withoutOverlaps, type Match, type Stretch } from './text.js';

/** The more telling first: of overlapping matches the first type's stays. */
const PII_TYPES = ['email', 'iban', 'credit_card', 'us_ssn', 'ip_address', 'phone'] as const;
type PiiType = (typeof PII_TYPES)[number];

const SEVERITIES: Readonly<Record<PiiType, number>> = { credit_card: 0.9, us_ssn: 0.9, iban: 0.8, email: 0.4, phone: 0.4, ip_address: 0.3 };

const NAMES: Readonly<Record<PiiType, string>> = {
  email: 'an e-mail address',
  iban: 'a bank account number (IBAN)',
  credit_card: 'a credit card number',
  us_ssn: 'a US social security number',
  ip_address: 'an IP address',
  phone: 'a phone number',
};

const Options = strict({
  /** Default: all. */
  types: z
    .array(z.enum(PII_TYPES))
    .min(1)
    .default([...PII_TYPES]),
  /** Whose national formats count, beside the international ones. */
  region: z.enum(['US']).default('US'),
  severities: z.partialRecord(z.enum(PII_TYPES), z.number().min(0).max(1)).default({}),
});

export type PiiOptions = z.output<typeof Options>;

const FINDERS: Readonly<Record<PiiType, (text: string) => Stretch[]>> = {
  email: (text) =>
    found(
      text,
      /(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+][\p{L}\p{N}._%+-]{0,63}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])/gu,
    ),
  iban: findIbans,
  credit_card: findCards,
  // Never given out: areas 000, 666 and from 900, group 00, number 0000.
  us_ssn: (text) => found(text, /(?<![\w-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w]|-\d)/g),
  ip_address: findIps,
  phone: findPhones,
};

export const pii = defineCritic<PiiOptions>({
  name: 'pii',
  version: '1.0.0',
  options: Options,
  evaluate({ content }, { options }) {
    const types = PII_TYPES.filter((type) => options.types.includes(type));
    return judgeTexts(content, (text) => {
      const matches = types.flatMap((type) => FINDERS[type](text).map((stretch) => matchOf(type, stretch, options)));
      return withoutOverlaps(text, matches);
    });
  },
});

function matchOf(type: PiiType, stretch: Stretch, { severities }: PiiOptions): Match {
  return { code: type, message: `contains ${NAMES[type]}`, severity: severities[type] ?? SEVERITIES[type], ...stretch };
}

function found(text: string, form: RegExp, isReal: (value: string, start: number) => boolean = () => true): Stretch[] {
  return Array.from(text.matchAll(form), ({ index, 0: value }) => ({ start: index, end: index + value.length, value }))
    .filter(({ value, start }) => isReal(value, start))
    .map(({ start, end }) => ({ start, end }));
}

function findIbans(text: string): Stretch[] {
  // Looks ahead, so that a second number close behind the first is met as well.
  return Array.from(text.matchAll(/(?<![A-Za-z0-9])(?=([A-Z]{2}\d{2}(?: ?[A-Z0-9]){10,42}))[A-Z]/g)).flatMap(
    ({ index, 1: candidate = '' }) => {
      const length = ibanAt(candidate);
      const next = text[index + (length ?? 0)] ?? '';
      return length === undefined || /[A-Za-z0-9]/.test(next) ? [] : [{ start: index, end: index + length }];
    },
  );
}

/** Groups of digits may stand beside the card (an expiry date, an order number): every run of whole groups is tried. */
function findCards(text: string): Stretch[] {
  return Array.from(text.matchAll(/(?<![\w.-])\d{1,19}(?:[ -]\d{1,19}){0,30}(?!\w)/g)).flatMap(({ index, 0: run }) => {
    const groups = found(run, /\d+/g);
    const cards: Stretch[] = [];
    for (let first = 0; first < groups.length; first += 1) {
      const start = groups[first]?.start ?? 0;
      // The longest first, and at most the groups that a card is ever printed in.
      const card = groups.slice(first, first + 5).findLast(({ end }) => isCard(run.slice(start, end)));
      if (!card) continue;
      cards.push({ start: index + start, end: index + card.end });
      first = groups.indexOf(card);
    }
    return cards;
  });
}

/** Numbers of versions look like addresses: the word before tells. */
const VERSION_BEFORE = /(?:\b(?:version|ver|release|build|firmware|v)\.?[ :=]{0,2}|\bv)$/i;

function findIps(text: string): Stretch[] {
  const v4 = found(text, /(?<![\w.:-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g, (value, start) => {
    return isPersonalIpv4(value) && !VERSION_BEFORE.test(text.slice(Math.max(0, start - 12), start));
  });
  // A digit keeps out `a::b` and its like in programs; the loopback address is nobody's.
  const v6 = found(text, /(?<![\w:.])[0-9a-f:]{4,39}(?![\w:])/gi, (value) => isIPv6(value) && /[0-9]/.test(value) && value !== '::1');
  return [...v4, ...v6];
}

/** Conservative: numbers with `+`, grouped numbers with the zero that many countries write first, and the ways in which US numbers are written. */
function findPhones(text: string): Stretch[] {
  const international = found(text, /(?<![\w+])\+\d{1,4}(?:[ .-]?\(?\d{1,12}\)?){1,6}(?![\w]|-\d)/g, (value) => {
    const digits = value.replace(/\D/g, '').length;
    return digits >= 9 && digits <= 15;
  });
  const national = found(
    text,
    /(?<![\w+.-])(?:(?:00)?1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}([-. ]))[2-9]\d{2}[-. ]\d{4}(?:x\d{1,6})?(?![\w]|[-.]\d)/g,
  );
  const grouped = found(text, /(?<![\w+.-])0[1-9]\d{0,3}([ .])\d{2,4}\1\d{2,4}(?:\1\d{2,4}){0,2}(?![\w]|[-. ]?\d)/g, (value) => {
    const digits = value.replace(/\D/g, '').length;
    return digits >= 9 && digits <= 11;
  });
  return [...international, ...national, ...grouped];
}
