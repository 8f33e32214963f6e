/**
 * Keys, tokens and passwords, by their forms. A message names the kind, never the value.
 * Every form has bounded repeats and begins only where no character of its own kind precedes, so that time is linear.
 */
import type { z } from 'zod';
import { strict } from '../schemas/issues.js';
import { defineCritic } from './critic.js';
import { judgeTexts, withoutOverlaps, type Match } from './text.js';

const Options = strict({});

export type SecretsOptions = z.output<typeof Options>;

interface SecretRule {
  readonly code: string;
  /** "contains …" */
  readonly what: string;
  readonly severity: number;
  readonly form: RegExp;
  /** Whether a match is a secret: by its value (the form's group `value`, else all of it) and the text around it. */
  readonly isReal?: (value: string, text: string, start: number) => boolean;
}

/** Marks of values that only stand for a secret. */
const PLACEHOLDER =
  /^(?:[*.x_-]+|<.*>|\[.*\]|\$.*|%.*%|\{\{.*)$|example|placeholder|change.?me|your[_-]|redacted|process\.env|environ|getenv|secrets?\./i;

/** Bits for each character, from 0 (all the same) to about 6 (random letters, digits and signs). */
function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const kindsOfCharacters = (text: string): number => [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].filter((kind) => kind.test(text)).length;

const isPassword = (value: string): boolean => !PLACEHOLDER.test(value);
/** A word, a sentence or a repeated sign is no secret; a mixture of kinds is likely to be one. */
const looksRandom = (value: string): boolean =>
  isPassword(value) && !value.includes(' ') && kindsOfCharacters(value) >= (/[0-9]/.test(value) ? 2 : 3) && entropyBits(value) >= 2.75;

/** Forty such characters alone could be anything (a path, a hash): the word or the key id beside them decides. */
function isAwsSecret(value: string, text: string, start: number): boolean {
  const around = text.slice(Math.max(0, start - 120), start + value.length + 120);
  return kindsOfCharacters(value) >= 3 && entropyBits(value) >= 4 && /aws|secret|(?:AKIA|ASIA)[A-Z0-9]{16}/i.test(around);
}

/** The more telling first: of overlapping matches the first rule's stays. */
const RULES: readonly SecretRule[] = [
  {
    code: 'private_key',
    what: 'a private key',
    severity: 1,
    // Up to its end mark when that is there. Two hyphens end the body, so that a row of begin marks is read once.
    form: /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?:[A-Za-z0-9+/=\s\\:,.]|-(?!-)){0,8000}-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?/g,
  },
  { code: 'anthropic_key', what: 'an Anthropic API key', severity: 0.9, form: /(?<![\w-])sk-ant-[\w-]{20,250}/g },
  {
    code: 'openai_key',
    what: 'an OpenAI API key',
    severity: 0.9,
    form: /(?<![\w-])sk-(?:(?:proj|svcacct|admin)-[\w-]{20,250}|[A-Za-z0-9]{32,64}(?![\w-]))/g,
  },
  { code: 'stripe_key', what: 'a Stripe live key', severity: 0.9, form: /(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{16,250}/g },
  {
    code: 'github_token',
    what: 'a GitHub token',
    severity: 0.9,
    form: /(?<![A-Za-z0-9])(?:gh[opsur]_[A-Za-z0-9]{36,250}|github_pat_\w{22,250})/g,
  },
  { code: 'gitlab_token', what: 'a GitLab token', severity: 0.9, form: /(?<![\w-])gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent)-[\w.-]{20,250}/g },
  { code: 'slack_token', what: 'a Slack token', severity: 0.9, form: /(?<![A-Za-z0-9-])(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,250}/g },
  {
    code: 'slack_webhook',
    what: 'a Slack webhook address',
    severity: 0.9,
    form: /https:\/\/hooks\.slack\.com\/(?:services|workflows|triggers)\/[\w/-]{20,200}/g,
  },
  { code: 'sendgrid_key', what: 'a SendGrid API key', severity: 0.9, form: /(?<![\w.-])SG\.[\w-]{16,32}\.[\w-]{32,64}(?![\w-])/g },
  { code: 'google_api_key', what: 'a Google API key', severity: 0.9, form: /(?<![\w-])AIza[\w-]{35}(?![\w-])/g },
  { code: 'npm_token', what: 'an npm token', severity: 0.9, form: /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/g },
  { code: 'huggingface_token', what: 'a Hugging Face token', severity: 0.9, form: /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,60}(?![A-Za-z0-9])/g },
  { code: 'jwt', what: 'a signed JSON web token', severity: 0.7, form: /(?<![\w-])eyJ[\w-]{8,4000}\.eyJ[\w-]{8,8000}\.[\w-]{16,2000}/g },
  // The id alone opens nothing.
  {
    code: 'aws_access_key_id',
    what: 'an AWS access key id',
    severity: 0.6,
    form: /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
  },
  {
    code: 'aws_secret_key',
    what: 'an AWS secret key',
    severity: 0.9,
    form: /(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])/g,
    isReal: isAwsSecret,
  },
  {
    code: 'database_url',
    what: 'a database address with its password',
    severity: 0.9,
    form: /(?<![a-z0-9+])(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql|sqlserver|clickhouse)(?:\+[a-z0-9]{1,20})?:\/\/[^\s/:@"'<>]{0,100}:(?<value>[^\s/@"'`]{3,200})@[\w.[-]/gi,
    isReal: isPassword,
  },
  {
    code: 'basic_auth_url',
    what: 'an address with its password',
    severity: 0.9,
    form: /(?<![a-z0-9+])(?:https?|ftps?|sftp|ssh|git|ldaps?|smtps?|imaps?|wss?):\/\/[^\s/:@"'<>]{1,100}:(?<value>[^\s/@"'`]{3,200})@[\w.[-]/gi,
    isReal: isPassword,
  },
  {
    code: 'assigned_secret',
    what: 'a password or key in an assignment',
    severity: 0.7,
    form: /(?:password|passwd|pwd|passphrase|secret|token|credential|(?:api|access|auth|private|secret|account)[_-]?key)s?["'`]?\s{0,4}(?::=|=>|[=:])\s{0,4}(?:"(?<value>[^"\r\n]{8,200})"|'(?<single>[^'\r\n]{8,200})'|(?<bare>[^\s"'`,;&<>()[\]{}]{8,200}))/gi,
    isReal: looksRandom,
  },
];

export const secrets = defineCritic<SecretsOptions>({
  name: 'secrets',
  version: '1.0.0',
  options: Options,
  evaluate: ({ content }) =>
    judgeTexts(content, (text) =>
      withoutOverlaps(
        text,
        RULES.flatMap((rule) => matchesOf(rule, text)),
      ),
    ),
});

function matchesOf({ code, what, severity, form, isReal }: SecretRule, text: string): Match[] {
  return Array.from(text.matchAll(form)).flatMap((found) => {
    const [all] = found;
    const value = found.groups?.value ?? found.groups?.single ?? found.groups?.bare ?? all;
    if (isReal && !isReal(value, text, found.index)) return [];
    return [{ code, message: `contains ${what}`, severity, start: found.index, end: found.index + all.length }];
  });
}
