/** Whether a number of the right form is a card, an IBAN or an address: check digits, lengths and ranges. */
import { getCountrySpecifications, validateIBAN, ValidationErrorsIBAN } from 'ibantools';
import validator from 'validator';

/** First digits and lengths of the card networks. The library knows fewer of them: no Maestro, no Visa of 19 digits. */
const NETWORKS: readonly { readonly prefix: RegExp; readonly lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] }, // Visa
  { prefix: /^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/, lengths: [16] }, // Mastercard
  { prefix: /^3[47]/, lengths: [15] }, // American Express
  { prefix: /^(?:6011|64[4-9]|65)/, lengths: [16, 17, 18, 19] }, // Discover
  { prefix: /^(?:30[0-5]|3[689])/, lengths: [14, 16, 17, 18, 19] }, // Diners Club
  { prefix: /^(?:2131|1800)/, lengths: [15] }, // JCB, older
  { prefix: /^35/, lengths: [16, 17, 18, 19] }, // JCB
  { prefix: /^62/, lengths: [16, 17, 18, 19] }, // UnionPay
  { prefix: /^220[0-4]/, lengths: [16, 17, 18, 19] }, // Mir
  { prefix: /^9792/, lengths: [16] }, // Troy
  { prefix: /^(?:508[5-9]|60[0-9]|8[12])/, lengths: [16] }, // RuPay
  { prefix: /^(?:50|5[6-8]|6[0-9]|0604)/, lengths: [12, 13, 14, 15, 16, 17, 18, 19] }, // Maestro
];

/** Of the shortest cards, of Maestro. */
export const MIN_CARD_DIGITS = 12;
export const MAX_CARD_DIGITS = 19;

/** Of a network that is known, with a right check digit. @param written digits, with spaces, dots or hyphens between groups. */
export function isCard(written: string): boolean {
  const digits = written.replace(/[ .-]/g, '');
  return NETWORKS.some(({ prefix, lengths }) => lengths.includes(digits.length) && prefix.test(digits)) && validator.isLuhnNumber(digits);
}

/** A card's length and check digit: enough where a word says that it is one. */
export function couldBeCard(digits: string): boolean {
  return digits.length >= MIN_CARD_DIGITS && digits.length <= MAX_CARD_DIGITS && validator.isLuhnNumber(digits);
}

/** Lengths by country, of the IBAN registry. */
const IBAN_LENGTHS = new Map(Object.entries(getCountrySpecifications()).map(([country, { chars }]) => [country, chars ?? 0]));

/** How many characters of the candidate, separators included, are an IBAN; `undefined` when none are. */
export function ibanAt(candidate: string): number | undefined {
  const wanted = IBAN_LENGTHS.get(candidate.slice(0, 2).toUpperCase());
  if (!wanted) return undefined;
  let compact = '';
  let end = 0;
  while (compact.length < wanted && end < candidate.length) {
    const character = candidate[end] ?? '';
    if (/[A-Za-z0-9]/.test(character)) compact += character;
    end += 1;
  }
  return compact.length === wanted && isIban(compact.toUpperCase()) ? end : undefined;
}

/** The check digits of a bank inside the number do not count: some banks do without, and the number is somebody's all the same. */
const isIban = (compact: string): boolean =>
  validateIBAN(compact).errorCodes.every((code) => code === ValidationErrorsIBAN.WrongAccountBankBranchChecksum);

/** An IPv4 address that could be somebody's: no loopback, no broadcast, nothing that stands for all addresses. */
export function isPersonalIpv4(written: string): boolean {
  const parts = written.split('.');
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return false;
  // Numbers of sections, and the addresses of well-known name servers, which are nobody's.
  if (parts.every((part) => part.length === 1)) return false;
  return !['0', '127', '255'].includes(parts[0] ?? '');
}
