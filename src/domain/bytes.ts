/** UTF-8 lengths without `Buffer` or `TextEncoder`, which the workflow sandbox may lack. Pure: no imports. */

/** Bytes of a text in UTF-8; a lone surrogate counts as the replacement character that an encoder puts there. */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 ? 1 : 2;
    // A pair is four bytes for two units: 2 counted for the high one so far, nothing more for the low one.
    if (isHigh(unit) && isLow(text.charCodeAt(index + 1))) index += 1;
  }
  return bytes;
}

/** Bytes of the JSON form of a value, as Temporal's converter and `JSON.stringify` write it; 0 when it has none. */
export function jsonBytes(value: unknown): number {
  const text: string | undefined = JSON.stringify(value);
  return text === undefined ? 0 : utf8Bytes(text);
}

/** Bytes of a text inside JSON, quotes not counted: the same as `jsonBytes(text) - 2` without writing it. */
export function jsonTextBytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += unitsAt(text, index)) bytes += jsonBytesAt(text, index);
  return bytes;
}

/**
 * The longest start of a text that has at most so many bytes inside JSON, with `…` where it was cut.
 * Never splits a surrogate pair. Texts that fit come back unchanged.
 */
export function cutToJsonBytes(text: string, maxBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (let index = 0; index < text.length; index += unitsAt(text, index)) {
    bytes += jsonBytesAt(text, index);
    if (bytes > maxBytes) return maxBytes < ELLIPSIS_BYTES ? '' : `${text.slice(0, end)}…`;
    if (bytes <= maxBytes - ELLIPSIS_BYTES) end = index + unitsAt(text, index);
  }
  return text;
}

const ELLIPSIS_BYTES = 3;
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** UTF-16 units of the character that begins here. */
const unitsAt = (text: string, index: number): number => (isHigh(text.charCodeAt(index)) && isLow(text.charCodeAt(index + 1)) ? 2 : 1);

function jsonBytesAt(text: string, index: number): number {
  const unit = text.charCodeAt(index);
  // Backspace, tab, line feed, form feed and carriage return have short escapes, other controls `\u00xx`.
  if (unit < 0x20) return unit >= 0x08 && unit <= 0x0d && unit !== 0x0b ? 2 : 6;
  if (unit === 0x22 || unit === 0x5c) return 2;
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  if (unitsAt(text, index) === 2) return 4;
  // A lone surrogate is written as an escape.
  return isHigh(unit) || isLow(unit) ? 6 : 3;
}
