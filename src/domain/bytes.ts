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

/**
 * The longest start of a text whose JSON form, quotes not counted, has at most so many bytes, with `…` where it was cut.
 * Never splits a surrogate pair. Texts that fit come back unchanged.
 */
export function cutToJsonBytes(text: string, maxBytes: number): string {
  if (jsonBytes(text) - 2 <= maxBytes) return text;
  let left = maxBytes - ELLIPSIS_BYTES;
  let end = 0;
  for (const character of text) {
    left -= jsonBytes(character) - 2;
    if (left < 0) break;
    end += character.length;
  }
  return maxBytes < ELLIPSIS_BYTES ? '' : `${text.slice(0, end)}…`;
}

const ELLIPSIS_BYTES = 3;
const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
