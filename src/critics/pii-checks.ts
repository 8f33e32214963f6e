/** Whether a number of the right form is a card, an IBAN or an address: check digits, lengths and ranges. No imports. */

/** First digits and lengths of the card networks. */
const NETWORKS: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] }, // Visa
  { prefix: /^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/, lengths: [16] }, // Mastercard
  { prefix: /^3[47]/, lengths: [15] }, // American Express
  { prefix: /^(?:6011|64[4-9]|65)/, lengths: [16, 17, 18, 19] }, // Discover
  { prefix: /^(?:30[0-5]|3[689])/, lengths: [14, 16, 17, 18, 19] }, // Diners Club
  { prefix: /^(?:2131|1800)/, lengths: [15] }, // JCB, older
  { prefix: /^35/, lengths: [16, 17, 18, 19] }, // JCB
  { prefix: /^62/, lengths: [16, 17, 18, 19] }, // UnionPay
  { prefix: /^(?:50|5[6-8]|6[37])/, lengths: [13, 14, 15, 16, 17, 18, 19] }, // Maestro
];

/** @param written digits, with spaces or hyphens between groups. */
export function isCard(written: string): boolean {
  const digits = written.replace(/[ -]/g, '');
  return NETWORKS.some(({ prefix, lengths }) => lengths.includes(digits.length) && prefix.test(digits)) && isLuhn(digits);
}

function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    sum += index % 2 === 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9;
  }
  return sum % 10 === 0;
}

/** Lengths by country, of the IBAN registry. */
const IBAN_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 ' +
    'FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 ' +
    'MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 ' +
    'SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** How many characters of the candidate, spaces included, are an IBAN; `undefined` when none are. */
export function ibanAt(candidate: string): number | undefined {
  const wanted = IBAN_LENGTHS[candidate.slice(0, 2)];
  if (wanted === undefined) return undefined;
  let compact = '';
  let end = 0;
  while (compact.length < wanted && end < candidate.length) {
    const character = candidate[end] ?? '';
    if (character !== ' ') compact += character;
    end += 1;
  }
  return compact.length === wanted && remainderOf97(compact) === 1 ? end : undefined;
}

/** ISO 7064: the first four characters go to the end, letters count from 10. */
function remainderOf97(iban: string): number {
  let remainder = 0;
  for (const character of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder;
}

/** An IPv4 address that could be somebody's: no loopback, no broadcast, nothing that stands for all addresses. */
export function isPersonalIpv4(written: string): boolean {
  const parts = written.split('.');
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return false;
  return !['0', '127', '255'].includes(parts[0] ?? '');
}
