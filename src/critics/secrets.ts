/**
 * Keys, tokens and passwords, by their forms: those of `secrets-rules.ts` and the rules of secretlint. A message names the kind,
 * never the value. Values that only stand for a secret (`YOUR_API_KEY`, `xxxxxx`, an example of some documentation) do not count.
 */
import type { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import type { Judge } from './pieces.js';
import { presetMatches, loadPreset } from './secrets-preset.js';
import { isStandIn, RULES, type SecretRule } from './secrets-rules.js';
import { judgeTexts, type Match } from './text.js';

const Options = strict({});

export type SecretsOptions = z.output<typeof Options>;

/** The longest forms, a private key and a signed token, have up to 14,100 characters. */
const REACH = 16_384;

const JUDGES: readonly Judge[] = [
  { find: (text) => RULES.flatMap((rule, rank) => matchesOf(rule, text, rank)), reach: REACH },
  { find: async (text) => await presetMatches(text, RULES.length), reach: REACH },
];

export const secrets = defineCritic<SecretsOptions>({
  name: 'secrets',
  version: '1.1.0',
  options: Options,
  warm: async () => void (await loadPreset()),
  evaluate: ({ content }, tools) => judgeTexts(content, JUDGES, tools, { overlaps: 'drop' }),
});

function matchesOf({ code, what, severity, form, isReal }: SecretRule, text: string, rank: number): Match[] {
  return Array.from(text.matchAll(form)).flatMap((found) => {
    const [all] = found;
    const value = found.groups?.value ?? found.groups?.quoted ?? found.groups?.single ?? found.groups?.bare ?? all;
    if (isStandIn(value) || (isReal && !isReal(value, text, found.index))) return [];
    return [{ code, message: `contains ${what}`, severity, start: found.index, end: found.index + all.length, rank }];
  });
}
