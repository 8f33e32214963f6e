/**
 * The forms of keys, tokens and passwords. Every form has bounded repeats and begins only where no character of its own kind
 * precedes, so that time is linear. No imports.
 */

export interface SecretRule {
  readonly code: string;
  /** "contains …" */
  readonly what: string;
  readonly severity: number;
  readonly form: RegExp;
  /** Whether a match is a secret: by its value (the form's group `value`, else all of it) and the text around it. */
  readonly isReal?: (value: string, text: string, start: number) => boolean;
}

/** Marks of values that only stand for a secret; nobody's random characters hold such words and rows. */
const STAND_IN = /example|placeholder|redacted|dummy|your[_-]|x{6}|([^=])\1{9}/i;
/** The same for passwords, which people choose. */
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

export const isStandIn = (value: string): boolean => STAND_IN.test(value);

/** What examples of addresses have in a password's place. */
const EXAMPLE_PASSWORD = /^(?:pass(?:word|wd)?|pwd?|secret|token|user(?:name)?|my_?password|test|abc|xyz|foo|bar|123|postgres)$/i;

const isPassword = (value: string): boolean => !PLACEHOLDER.test(value) && !EXAMPLE_PASSWORD.test(value);
/** Programs assign secrets from somewhere (`key = vault.readSecret(…)`), and `PWD` is a folder. */
const CODE_OR_PATH = /^(?:[A-Za-z_$]+(?:(?:\.|::|->|\?\.)[A-Za-z_$]+)+|[~.]{0,2}\/[A-Za-z_/.-]+)$/;

/** A word, a sentence, a repeated sign or a part of a program is no secret; a mixture of kinds is likely to be one. */
const looksRandom = (value: string): boolean =>
  isPassword(value) &&
  !value.includes(' ') &&
  !CODE_OR_PATH.test(value) &&
  kindsOfCharacters(value) >= (/[0-9]/.test(value) ? 2 : 3) &&
  entropyBits(value) >= 2.75;

/** Forty such characters alone could be anything (a path, a hash): the word or the key id beside them decides. */
function isAwsSecret(value: string, text: string, start: number): boolean {
  const around = text.slice(Math.max(0, start - 120), start + value.length + 120);
  return kindsOfCharacters(value) >= 3 && entropyBits(value) >= 4 && /aws|secret|(?:AKIA|ASIA)[A-Z0-9]{16}/i.test(around);
}

/** A key that was cut short is one all the same; but where both marks stand close there must be more than dots or a word between. */
function isPrivateKey(value: string, text: string, start: number): boolean {
  const [, , body = '', mark = ''] = text.slice(start, start + Math.max(value.length, PLACEHOLDER_KEY_CHARS)).split('-----', 4);
  return !mark.startsWith('END') || /[A-Za-z0-9+/]{12}/.test(body);
}

/** A begin mark, some words, an end mark. */
const PLACEHOLDER_KEY_CHARS = 240;

/** The more telling first: of overlapping matches the first rule's stays. */
export const RULES: readonly SecretRule[] = [
  {
    code: 'private_key',
    what: 'a private key',
    severity: 1,
    // Up to its end mark when that is there. Two hyphens end the body, so that a row of begin marks is read once.
    form: /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?:[A-Za-z0-9+/=\s\\:,.]|-(?!-)){0,8000}-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?/g,
    isReal: isPrivateKey,
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
  { code: 'google_oauth_secret', what: 'a Google OAuth client secret', severity: 0.9, form: /(?<![\w-])GOCSPX-[\w-]{28}(?![\w-])/g },
  { code: 'telegram_token', what: 'a Telegram bot token', severity: 0.9, form: /(?<![\w:])\d{8,10}:AA[\w-]{33}(?![\w-])/g },
  { code: 'pypi_token', what: 'a PyPI token', severity: 0.9, form: /(?<![\w-])pypi-AgE[\w-]{50,1000}/g },
  {
    code: 'digitalocean_token',
    what: 'a DigitalOcean token',
    severity: 0.9,
    form: /(?<![A-Za-z0-9])do[opr]_v1_[a-f0-9]{64}(?![A-Za-z0-9])/g,
  },
  { code: 'age_key', what: 'an age secret key', severity: 0.9, form: /(?<![A-Z0-9-])AGE-SECRET-KEY-1[A-Z0-9]{58}(?![A-Z0-9])/g },
  { code: 'xai_key', what: 'an xAI API key', severity: 0.9, form: /(?<![\w-])xai-[A-Za-z0-9]{60,120}(?![\w-])/g },
  { code: 'azure_storage_key', what: 'an Azure storage key', severity: 0.9, form: /(?<![A-Za-z0-9])AccountKey=[A-Za-z0-9+/]{86}==/g },
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
    form: /(?:password|passwd|pwd|passphrase|secret|token|credential|(?:api|access|auth|private|secret|account)[_-]?key)s?["'`]?(?:\s{0,4}(?::=|=>|[=:])\s{0,4}|\s{1,2}is:?\s{1,2}(?=["'`]))(?:`(?<quoted>[^`\r\n]{8,200})`|"(?<value>[^"\r\n]{8,200})"|'(?<single>[^'\r\n]{8,200})'|(?<bare>[^\s"'`,;&<>()[\]{}]{8,200}))/gi,
    isReal: looksRandom,
  },
];
