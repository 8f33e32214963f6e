/**
 * Text of others made harmless to show. Critics, and through them the judged content, choose messages, quotes and values;
 * a terminal would obey escapes in them, and bidi controls would make a line read as something else. Pure: no imports.
 */

/** C0, DEL and C1 (`Cc`), line and paragraph separators, bidi controls, and surrogates without their other half. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** One line without a character that a terminal obeys; each such one stands there as a visible escape. */
export const safeText = (text: string): string => text.replace(UNSAFE, (character) => SHORT[character] ?? escaped(character));

/** The same for a place in a Markdown line or table cell: no markup, no HTML, no end of the cell. */
export const safeMarkdown = (text: string): string =>
  safeText(text)
    // An underscore inside a word is no markup, and names are full of them.
    .replace(/[\\`*[\]|~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\$&')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');

/** JSON on one line that means the same and that a terminal can show: JSON itself leaves C1, DEL and bidi controls as they are. */
export const safeJson = (value: unknown): string => JSON.stringify(value).replace(UNSAFE, escaped);
