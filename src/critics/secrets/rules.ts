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
  /** Whether the name of a field can be what tells: the text is then judged once more, as `name: "text"`. */
  readonly byName?: true;
  /** Whether a match is a secret: by its value (the form's group `value`, else all of it) and the text around it. */
  readonly isReal?: (value: string, text: string, start: number) => boolean;
}

/** Marks of values that only stand for a secret; nobody's random characters hold such words and rows. */
const STAND_IN = /example|placeholder|redacted|dummy|your[_-]|x{6}|([^=])\1{9}/i;
/** The same for passwords, which people choose. */
const PLACEHOLDER =
  /^(?:[*.x_-]+|<.*>|\[.*\]|\$.*|%.*%|\{.*\}|\{\{.*|your.*)$|example|placeholder|change.?me|your[_-]|redacted|process\.env|environ|getenv|secrets?\./i;

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
const EXAMPLE_PASSWORD =
  /^(?:(?:my|db|app|random|proxy|root|user)?[_-]?(?:secret)?[_-]?pass(?:word|wd)?|pwd?|secret|user(?:name)?|test|abc|xyz|foo|bar|foobared|123|postgres|guest|root|admin|tiger|anonymous|pat|(?:api|auth|access|client)?[_-]?(?:key|token|secret))$/i;

const isPassword = (value: string): boolean => !PLACEHOLDER.test(value) && !EXAMPLE_PASSWORD.test(value);
/** Programs assign secrets from somewhere (`key = vault.readSecret(…)`), and `PWD` is a folder; `arn:` names what a cloud keeps. */
const CODE_OR_PATH =
  /^(?:[A-Za-z_$]+(?:(?:\.|::|->|\?\.)[A-Za-z_$]+)+|arn:.*|https?:\/\/[^?\s]+|[~.]{0,2}\/[A-Za-z_/.-]+|[~.]{0,2}(?:\/[\w.-]{1,40}){2,20})$/;

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

/** What follows a begin mark at once, or any longer row of such characters soon after it. */
const KEY_BEGINS = /^(?:\s|\\[nr]|[A-Za-z-]{1,40}: [^\n]{1,100}\n){0,20}[A-Za-z0-9+/]{20}|[A-Za-z0-9+/]{48}/;

/** A key that was cut short is one all the same, but a mark alone is only spoken of; between two marks there must be more than dots or a word. */
function isPrivateKey(value: string, text: string, start: number): boolean {
  const [, , body = '', mark = ''] = text.slice(start, start + Math.max(value.length, PLACEHOLDER_KEY_CHARS)).split('-----', 4);
  return mark.startsWith('END') ? /[A-Za-z0-9+/]{12}/.test(body) : KEY_BEGINS.test(body.slice(0, PLACEHOLDER_KEY_CHARS));
}

/** A begin mark, some words, an end mark. */
const PLACEHOLDER_KEY_CHARS = 240;

/** The first part is the number of the bot, in base64. */
const DISCORD = /(?<![\w.-])(?<value>[MNO][\w-]{23,27}\.[\w-]{6}\.[\w-]{27,45})(?![\w-])/g;

function isDiscordToken(value: string): boolean {
  return /^\d{17,20}$/.test(Buffer.from(value.split('.', 1)[0] ?? '', 'base64').toString('latin1'));
}

/** Such a row could be a hash: the service's name or an account beside it, and what it is called, decide. */
function isTwilioToken(value: string, text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - 120), start);
  const isOfService = /twilio|(?<![A-Za-z0-9])(?:AC|SK)[0-9a-f]{32}/i.test(before + text.slice(start, start + value.length + 120));
  return isOfService && /(?:token|secret|(?:AC|SK)[0-9a-f]{32})\W{1,12}$/i.test(before);
}

/** Numbers of the workspace and of the bot stand in real ones; those of manuals are short, or words. */
export const isSlackToken = (value: string): boolean => value.length >= 24 && /\d{9}/.test(value);

/** Examples end with dots, or say what belongs there. */
const isBearer = (value: string): boolean => /[0-9]/.test(value) && looksRandom(value) && !value.endsWith('..');

/** `user:password` in base64; the one of the standard's own example is known to everybody. */
function isBasic(value: string): boolean {
  const [user = '', password = ''] = Buffer.from(value, 'base64').toString('latin1').split(/:(.*)/s);
  return /^[\x20-\x7e]+$/.test(user + password) && user.toLowerCase() !== 'aladdin' && password.length >= 3 && isPassword(password);
}

/** Words and numbers joined by hyphens and the like: `at-least-8-characters`, `SHA-256`. */
const JOINED_WORDS = /^[A-Za-z]{1,24}(?:[-_/.:](?:[A-Za-z]{1,24}|\d{1,8})){1,20}$/;

/** Such names have digits, and are no secrets. */
const NAMES_WITH_DIGITS = /(?<![a-z])(?:base|sha|md|utf|aes|rsa|oauth|hs|rs|es|pbkdf|argon|ed|ecdsa|http|iso|rfc|v)-?\d/i;

/** In a sentence, without quotes: letters of both cases with digits, or letters and digits by turns. */
function looksChosen(value: string): boolean {
  if (!looksRandom(value) || JOINED_WORDS.test(value) || NAMES_WITH_DIGITS.test(value) || value.includes('://')) return false;
  const mixed = /[0-9]/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value);
  return mixed || (value.match(/[a-z](?=[0-9])|[0-9](?=[a-z])/gi)?.length ?? 0) > 2;
}

/** Names of what is secret, in English and with the commonest words of German, French, Spanish, Portuguese and Dutch. */
const NAMED =
  '(?:password|passwd|pwd|passphrase|secret|token|credential|(?:api|access|auth|private|secret|account)[_-]?key|' +
  '(?<![a-z])(?:passwort|kennwort|zugangscode|mot[ _-]de[ _-]passe|code[ _-]secret|contrase[nñ]a|clave|senha|wachtwoord))s?';
const IS = '(?:is|ist|lautet|est|es)';
const VALUE =
  '(?:`(?<quoted>[^`\\r\\n]{8,200})`|"(?<value>[^"\\r\\n]{8,200})"|\'(?<single>[^\'\\r\\n]{8,200})\'|(?<bare>[^\\s"\'`,;&<>()[\\]{}]{8,200}))';

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
  {
    code: 'slack_token',
    what: 'a Slack token',
    severity: 0.9,
    form: /(?<![A-Za-z0-9-])(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,250}/g,
    isReal: isSlackToken,
  },
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
  { code: 'discord_token', what: 'a Discord bot token', severity: 0.9, form: DISCORD, isReal: isDiscordToken },
  {
    code: 'discord_webhook',
    what: 'a Discord webhook address',
    severity: 0.9,
    form: /https:\/\/(?:[a-z]{1,12}\.)?discord(?:app)?\.com\/api\/(?:v\d{1,2}\/)?webhooks\/\d{17,20}\/[\w-]{60,80}(?![\w-])/g,
  },
  {
    code: 'twilio_token',
    what: 'a Twilio token',
    severity: 0.9,
    form: /(?<![A-Za-z0-9])[0-9a-f]{32}(?![A-Za-z0-9])/g,
    isReal: isTwilioToken,
  },
  // The id alone opens nothing.
  { code: 'twilio_key_id', what: 'the id of a Twilio key', severity: 0.6, form: /(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])/g },
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
    byName: true,
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
    code: 'authorization',
    what: 'the token of an authorization header',
    severity: 0.7,
    form: /(?<![\w-])bearer\s{1,4}["'`]?(?<value>[\w.~+/=-]{20,4000})/gi,
    isReal: isBearer,
  },
  {
    code: 'authorization',
    what: 'the password of an authorization header',
    severity: 0.7,
    form: /(?<![\w-])authorization["'`]?\s{0,4}[:=,]\s{0,4}["'`]?basic\s{1,4}(?<value>[A-Za-z0-9+/]{8,400}={0,2})/gi,
    byName: true,
    isReal: isBasic,
  },
  {
    code: 'command_password',
    what: 'a password in a command',
    severity: 0.7,
    form: /(?<![\w-])curl\s[^\n|;]{0,200}?(?<![\w-])(?:-u|--user|--proxy-user)[\s=]{0,2}["']?[^\s:"'`$]{1,100}:(?<value>[^\s"'`]{6,200})/g,
    isReal: isPassword,
  },
  {
    code: 'assigned_secret',
    what: 'a password or key in an assignment',
    severity: 0.7,
    form: new RegExp(`${NAMED}["'\`]?(?:\\s{0,4}(?::=|=>|[=:])\\s{0,4}|\\s{1,2}${IS}:?\\s{1,2}(?=["'\`]))${VALUE}`, 'gi'),
    byName: true,
    isReal: looksRandom,
  },
  {
    code: 'assigned_secret',
    what: 'a password or key that is told',
    severity: 0.7,
    form: new RegExp(
      `${NAMED}\\s{1,2}(?:now\\s)?${IS}(?:\\snow)?:?\\s{1,2}(?<value>[^\\s"'\`,;<>()[\\]{}]{7,199}[^\\s"'\`,;<>()[\\]{}.!?:])`,
      'gi',
    ),
    isReal: looksChosen,
  },
];
