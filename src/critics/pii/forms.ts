/** E-mail addresses, IBANs, US social security numbers and IP addresses in plain text. Linear: all forms have bounded repeats. */
import { isIPv6 } from 'node:net';
import { ibanAt, isPersonalIpv4 } from './checks.js';
import type { Stretch } from '../text.js';

const LOCAL_PART = String.raw`(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}_%+][\p{L}\p{N}._%+-]{0,63}`;
const LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?`;
const EMAIL = new RegExp(String.raw`${LOCAL_PART}@(?:${LABEL}\.){1,8}\p{L}{2,24}(?![\p{L}\p{N}])`, 'gu');
/** Written so that programs do not see it: `jane (at) example [dot] com`. */
const BRACKETS = (word: string): string => String.raw`\s{0,2}[[({<]\s?${word}\s?[\])}>]\s{0,2}`;
const HIDDEN_EMAIL = new RegExp(
  String.raw`${LOCAL_PART}${BRACKETS('at')}(?:${LABEL}(?:\.|${BRACKETS('dot')})){1,8}\p{L}{2,24}(?![\p{L}\p{N}])`,
  'giu',
);
/** `icon@2x.png` is a file. */
const FILE = /\.(?:png|jpe?g|gif|svg|webp|pdf|tgz)$/i;
/** The password of an address such as `https://user:word@host`, which stands before any question mark, and the way to a repository. */
const NOT_A_MAILBOX_BEFORE = /:\/\/[^\s@?]{0,80}$/;
const REPOSITORY = /^git@[^:]+$/i;

export function findEmails(text: string): Stretch[] {
  const written = found(text, EMAIL, (value, start) => {
    if (FILE.test(value) || NOT_A_MAILBOX_BEFORE.test(text.slice(Math.max(0, start - 96), start))) return false;
    return !(REPOSITORY.test(value) && text[start + value.length] === ':');
  });
  return [...written, ...found(text, HIDDEN_EMAIL)];
}

/** Looks ahead, so that a second number close behind the first is met as well. */
const IBAN = /(?<![\p{L}\p{N}])(?=([A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){10,42}))[A-Z]/giu;

export function findIbans(text: string): Stretch[] {
  return Array.from(text.matchAll(IBAN)).flatMap(({ index, 1: candidate = '' }) => {
    const length = ibanAt(candidate);
    const next = text[index + (length ?? 0)] ?? '';
    return length === undefined || /[\p{L}\p{N}]/u.test(next) ? [] : [{ start: index, end: index + length }];
  });
}

/** Never given out: areas 000, 666 and from 900, group 00, number 0000. */
const SSN = /(?<![\w-])(?!000|666|9)\d{3}([- ])(?!00)\d{2}\1(?!0000)\d{4}(?![\w]|-\d)/g;
/** Without separators, or with dots, nine digits could be anything: the word before tells. */
const BARE_SSN = /(?<![\w.-])(?!000|666|9)\d{3}(\.?)(?!00)\d{2}\1(?!0000)\d{4}(?![\w]|[.-]\d)/g;
const SSN_BEFORE = /(?:\bssn|\bsocial[ -]security(?:[ -](?:number|no|num))?|\bsocial)\b[^\d\n]{0,16}$/i;

export function findSsns(text: string): Stretch[] {
  const bare = found(text, BARE_SSN, (_value, start) => SSN_BEFORE.test(text.slice(Math.max(0, start - 48), start)));
  return [...found(text, SSN), ...bare];
}

/** Numbers of versions look like addresses: the word before tells, or the name of a program and a slash. */
const VERSION_BEFORE = /(?:\b(?:version|ver|release|build|firmware|v)\.?[ :=]{0,2}|\bv|\b[A-Za-z]{2,24}\/)$/i;
const IPV4 = /(?<![\w.:-]|\d,)(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)/g;
const IPV6 = /(?<![\w:.])[0-9a-f:]{2,39}(?:(?:\d{1,3}\.){3}\d{1,3})?(?![\w:]|\.\d)/gi;

export function findIps(text: string): Stretch[] {
  const v4 = found(text, IPV4, (value, start) => {
    if (!isPersonalIpv4(value) || VERSION_BEFORE.test(text.slice(Math.max(0, start - 26), start))) return false;
    // `10.0.0.0/8` is a network, not a machine.
    return !(value.endsWith('.0') && /^\/\d/.test(text.slice(start + value.length, start + value.length + 2)));
  });
  // A digit keeps out `a::b` and its like in programs; the loopback address is nobody's.
  const v6 = found(text, IPV6, (value) => value.includes(':') && isIPv6(value) && /[0-9]/.test(value) && value !== '::1');
  return [...v4, ...v6];
}

function found(text: string, form: RegExp, isReal: (value: string, start: number) => boolean = () => true): Stretch[] {
  return Array.from(text.matchAll(form), ({ index, 0: value }) => ({ start: index, end: index + value.length, value }))
    .filter(({ value, start }) => isReal(value, start))
    .map(({ start, end }) => ({ start, end }));
}
