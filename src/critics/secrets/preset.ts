/**
 * The rules of secretlint's recommended preset, run by themselves. Its core is not used: it keeps some eighty performance marks
 * for each text for ever, and it obeys comments in the text (`secretlint-disable`), which here is the text of a stranger.
 */
import type { rules as presetRules } from '@secretlint/secretlint-rule-preset-recommend';
import { isSlackToken, isStandIn } from './rules.js';
import type { Match } from '../text.js';

type PresetRule = (typeof presetRules)[number];
type RuleContext = Parameters<PresetRule['create']>[0];
type Report = Parameters<RuleContext['report']>[0];
type SourceCode = Parameters<NonNullable<ReturnType<PresetRule['create']>['file']>>[0];

interface Kind {
  /** Short form of the rule's id. */
  readonly rule: string;
  readonly code: string;
  /** "contains …" */
  readonly what: string;
}

const ID_PREFIX = '@secretlint/secretlint-rule-';

/**
 * What is made of which rule. Left out are the filter by comments, rules for whole files (`gcp`), and those for which ours tell
 * placeholders apart (`basicauth`, `database-connection-string`, `privatekey`).
 */
const KINDS: readonly Kind[] = [
  { rule: 'aws', code: 'aws_secret_key', what: 'an AWS secret key' },
  { rule: 'npm', code: 'npm_token', what: 'an npm token' },
  { rule: 'slack', code: 'slack_token', what: 'a Slack token' },
  { rule: 'sendgrid', code: 'sendgrid_key', what: 'a SendGrid API key' },
  { rule: 'shopify', code: 'shopify_token', what: 'a Shopify token' },
  { rule: 'github', code: 'github_token', what: 'a GitHub token' },
  { rule: 'gitlab', code: 'gitlab_token', what: 'a GitLab token' },
  { rule: 'grafana', code: 'grafana_token', what: 'a Grafana token' },
  { rule: 'openai', code: 'openai_key', what: 'an OpenAI API key' },
  { rule: 'anthropic', code: 'anthropic_key', what: 'an Anthropic API key' },
  { rule: 'groq', code: 'groq_key', what: 'a Groq API key' },
  { rule: 'huggingface', code: 'huggingface_token', what: 'a Hugging Face token' },
  { rule: 'linear', code: 'linear_token', what: 'a Linear API token' },
  { rule: 'notion', code: 'notion_token', what: 'a Notion integration token' },
  { rule: '1password', code: 'onepassword_token', what: 'a 1Password service account token' },
  { rule: 'hashicorp-vault', code: 'vault_token', what: 'a HashiCorp Vault token' },
  { rule: 'vercel', code: 'vercel_token', what: 'a Vercel token' },
  { rule: 'databricks', code: 'databricks_token', what: 'a Databricks token' },
  { rule: 'docker', code: 'docker_token', what: 'a Docker access token' },
  { rule: 'figma', code: 'figma_token', what: 'a Figma token' },
];

/** An account's number and the id of a key open nothing; for the id there is a rule of ours. */
const NO_SECRETS = new Set(['AWSAccountID', 'AWSAccessKeyID']);
const SEVERITY = 0.9;

/** The shortest form, of Slack, has more. */
const MIN_CHARS = 8;

type Loaded = readonly { readonly rule: PresetRule; readonly kind: Kind; readonly rank: number }[];
let loading: Promise<Loaded> | undefined;

/** Loaded once. @throws Error when a rule that is counted on is not in the preset. */
export function loadPreset(): Promise<Loaded> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Loaded> {
  const { rules } = await import('@secretlint/secretlint-rule-preset-recommend');
  return KINDS.map((kind, rank) => {
    const rule = rules.find(({ meta }) => meta.id === ID_PREFIX + kind.rule);
    if (rule === undefined) throw new Error(`the preset of secretlint has no rule called ${kind.rule}`);
    return { rule, kind, rank };
  });
}

/** @param firstRank of the first rule, among overlapping matches. */
export async function presetMatches(text: string, firstRank: number): Promise<Match[]> {
  const matches: Match[] = [];
  if (text.length < MIN_CHARS) return matches;
  const source = sourceOf(text);
  for (const { rule, kind, rank } of await loadPreset()) {
    const reports: Report[] = [];
    await rule.create(contextOf(reports), {}).file?.(source);
    for (const { message, range } of reports) {
      const [start, end] = range;
      const value = text.slice(start, end);
      if (NO_SECRETS.has(message.messageId) || isStandIn(value) || (kind.rule === 'slack' && !isSlackToken(value))) continue;
      matches.push({ code: kind.code, message: `contains ${kind.what}`, severity: SEVERITY, start, end, rank: firstRank + rank });
    }
  }
  return matches;
}

/** Messages of the rules quote what they found: only their ids are taken over. */
const contextOf = (reports: Report[]): RuleContext => ({
  sharedOptions: {},
  createTranslator: () => (messageId) => ({ message: '', messageId: String(messageId), data: undefined }),
  report: (descriptor) => void reports.push(descriptor),
  ignore: () => undefined,
});

/** A text without a file. Rules in use ask for its content, its path and its ending. */
function sourceOf(content: string): SourceCode {
  const unused = (): never => {
    throw new Error('a rule of secretlint asked for a place by lines');
  };
  return {
    hasBOM: false,
    content,
    filePath: undefined,
    physicalFilePath: undefined,
    contentType: 'text',
    ext: '',
    getFilePath: () => undefined,
    getPhysicalFilePath: () => undefined,
    locationToRange: unused,
    rangeToLocation: unused,
    positionToIndex: unused,
    indexToPosition: unused,
  };
}
