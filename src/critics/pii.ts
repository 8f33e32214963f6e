/**
 * Personal data that has a form of its own: cards, IBANs, US social security numbers, e-mail, phone numbers, IP addresses.
 * Not names and street addresses. A message names the type, never the value. All forms have bounded repeats.
 */
import { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { findCards } from './pii/cards.js';
import { findEmails, findIbans, findIps, findSsns } from './pii/forms.js';
import { findPhones, PHONE_REGIONS, type PhoneRegion } from './pii/phones.js';
import { plainOf } from './pii/plain.js';
import { judgeTexts, type Match, type Stretch } from './text.js';

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

/** Each costs a look-up for each number. */
const MAX_REGIONS = 5;
const regionField = z.enum(PHONE_REGIONS, { error: 'must be a country of two capital letters, such as US' });

const Options = strict({
  /** Default: all. */
  types: z
    .array(z.enum(PII_TYPES))
    .min(1)
    .default([...PII_TYPES]),
  /** Whose national phone numbers count, beside the international ones: a country of two letters, or some of them. Default US. */
  region: z.union([regionField, z.array(regionField).min(1).max(MAX_REGIONS)]).default('US'),
  severities: z.partialRecord(z.enum(PII_TYPES), z.number().min(0).max(1)).default({}),
});

export type PiiOptions = z.output<typeof Options>;

const FINDERS: Readonly<Record<PiiType, (text: string, regions: readonly PhoneRegion[]) => Stretch[]>> = {
  email: findEmails,
  iban: findIbans,
  credit_card: findCards,
  us_ssn: findSsns,
  ip_address: findIps,
  phone: findPhones,
};

/** Numbers are looked up at up to 20 µs each: smaller pieces than other critics have. The longest form is a hidden e-mail address, below 900. */
const CUT = { pieceChars: 4_096, reach: 1_024 };

/** What a text must have before it is worth a closer look. */
const NEEDED: Readonly<Record<PiiType, RegExp>> = {
  email: /@|\Wat\W/i,
  iban: /[A-Z]{2}\d{2}/i,
  credit_card: /\d/,
  us_ssn: /\d/,
  ip_address: /\d/,
  phone: /\d/,
};

export const pii = defineCritic<PiiOptions>({
  name: 'pii',
  version: '1.2.0',
  options: Options,
  evaluate: ({ content }, tools) =>
    judgeTexts(content, [{ find: (text) => matchesIn(text, tools.options), ...CUT }], tools, { overlaps: 'drop' }),
});

function matchesIn(text: string, { types, region, severities }: PiiOptions): Match[] {
  const plain = plainOf(text);
  const regions = typeof region === 'string' ? [region] : region;
  return PII_TYPES.flatMap((type, rank) => {
    if (!types.includes(type) || !NEEDED[type].test(plain.text)) return [];
    const match = { code: type, message: `contains ${NAMES[type]}`, severity: severities[type] ?? SEVERITIES[type], rank };
    return FINDERS[type](plain.text, regions).map((stretch) => ({ ...match, ...plain.original(stretch) }));
  });
}
