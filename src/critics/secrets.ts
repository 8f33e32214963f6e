/**
 * Keys, tokens and passwords, by their forms: those of `secrets/rules.ts` and the rules of secretlint. A message names the kind,
 * never the value. A field called `password` tells as much as `password:` in a text. Values that only stand for a secret
 * (`YOUR_API_KEY`, `xxxxxx`, an example of some documentation) do not count.
 */
import type { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { originalOf, visibleText } from './normalize.js';
import type { Find, Judge } from './pieces.js';
import { presetMatches, loadPreset } from './secrets/preset.js';
import { isStandIn, RULES, type SecretRule } from './secrets/rules.js';
import { judgeTexts, type Match } from './text.js';

const Options = strict({});

export type SecretsOptions = z.output<typeof Options>;

/** The longest forms, a private key and a signed token, have up to 14,100 characters. */
const REACH = 16_384;

/** No form is shorter, or without two letters side by side, or without so many signs in a row: structures have thousands of texts. */
const MIN_CHARS = 12;
const NEEDED = [/[a-z]{2}/i, /\S{8}/];

/** Names of fields that may tell; of the places where a list goes on they do not. */
const TELLING_NAME = /pass|pwd|secret|token|credential|key|authorization|kennwort|zugangscode|contrase|clave|senha|wachtwoord/i;
const HARMLESS_NAME = /(?:page|continuation|cursor|next|sync)[_-]?tokens?$/i;
/** `password_2`, `api_key_prod`. */
const NAME_ENDING = /[_-]?\d{1,4}$|[_-](?:prod|production|dev|test|staging|live|new|old|value)$/i;
/** Longer texts are no passwords, and longer names tell nothing. */
const MAX_NAMED_CHARS = 512;

const JUDGES: readonly Judge[] = [
  { find: (text) => judged(text, (visible) => RULES.flatMap((rule, rank) => matchesOf(rule, visible, rank))), findNamed, reach: REACH },
  { find: (text) => judged(text, (visible) => presetMatches(visible, RULES.length)), reach: REACH },
];

export const secrets = defineCritic<SecretsOptions>({
  name: 'secrets',
  version: '1.2.0',
  options: Options,
  warm: async () => void (await loadPreset()),
  evaluate: ({ content }, tools) => judgeTexts(content, JUDGES, tools, { overlaps: 'drop' }),
});

/** A sign that nobody sees inside a token would hide it. */
async function judged(text: string, find: Find): Promise<readonly Match[]> {
  if (text.length < MIN_CHARS || !NEEDED.every((form) => form.test(text))) return [];
  const visible = visibleText(text);
  const matches = await find(visible.text);
  return matches.map((match) => ({ ...match, ...originalOf(visible, match) }));
}

function matchesOf({ code, what, severity, form, isReal }: SecretRule, text: string, rank: number): Match[] {
  return Array.from(text.matchAll(form)).flatMap((found) => {
    const [all] = found;
    const value = valueOf(found);
    if (isStandIn(value) || (isReal && !isReal(value, text, found.index))) return [];
    return [{ code, message: `contains ${what}`, severity, start: found.index, end: found.index + all.length, rank }];
  });
}

const valueOf = ({ groups, 0: all }: RegExpMatchArray): string => groups?.value ?? groups?.quoted ?? groups?.single ?? groups?.bare ?? all;

/** What is a secret because its field says so, judged as if name and value stood in a text. */
function findNamed(name: string, original: string): Match[] {
  if (Math.max(name.length, original.length) > MAX_NAMED_CHARS || !TELLING_NAME.test(name) || HARMLESS_NAME.test(name)) return [];
  const visible = visibleText(original);
  const value = visible.text.trim();
  const quote = ['"', "'", '`'].find((sign) => !value.includes(sign)) ?? '';
  const before = `${name.replace(NAME_ENDING, '')}: ${quote}`;
  const text = before + value + quote;
  const shift = visible.text.indexOf(value) - before.length;
  return RULES.flatMap((rule, rank) => (rule.byName ? matchesOf(rule, text, rank) : [])).flatMap((match) => {
    const start = Math.max(match.start, before.length);
    const end = Math.min(match.end, before.length + value.length);
    return start < end ? [{ ...match, ...originalOf(visible, { start: start + shift, end: end + shift }) }] : [];
  });
}
