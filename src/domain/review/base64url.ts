/** Base64url without padding (RFC 4648, section 5) to bytes, without `Buffer` or `atob`, which the workflow sandbox lacks. Pure. */

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES: ReadonlyMap<string, number> = new Map(Array.from(DIGITS, (digit, value) => [digit, value]));

/**
 * The bytes, or `undefined` where the text is not the one way to write them: padding, other letters, a digit too many, or
 * bits behind the last byte. Whatever is signed or compared has one form alone.
 */
export function bytesOfBase64Url(text: string): Uint8Array | undefined {
  // A last group of one digit holds no whole byte.
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let count = 0;
  for (const digit of text) {
    const value = VALUES.get(digit);
    if (value === undefined) return undefined;
    held = (held << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[count] = held >> bits;
    count += 1;
    held &= (1 << bits) - 1;
  }
  return held === 0 ? bytes : undefined;
}
