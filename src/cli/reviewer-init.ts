/** `tribunal reviewer init`: makes a key pair, keeps the private half here, and prints what the operator is to be handed. */
import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { PERSON_ID_FORM } from '../domain/review/people.js';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT, usageError } from './exit.js';
import { asKeyError } from './reviewer-error.js';

interface ReviewerInitOptions {
  readonly id?: string;
  readonly force?: boolean;
}

/** Of an id that nobody has chosen: two alike in 2^32 are found when the operator enters the second. */
const ID_BYTES = 4;

export function addReviewerInit(parent: Command, cli: Cli): void {
  const command = parent
    .command('init')
    .description('make your key pair, and print the entry for the reviewers.yaml of the deployment')
    .option('--id <id>', 'your id, which stands in search attributes and records: better no name (default: a random one)')
    .option('--force', 'in the place of a key that is there');
  onRun<ReviewerInitOptions>(command, cli, runReviewerInit);
}

async function runReviewerInit({ options, io, output }: Call<ReviewerInitOptions>): Promise<number> {
  const id = options.id ?? `r-${randomBytes(ID_BYTES).toString('hex')}`;
  if (!PERSON_ID_FORM.test(id)) {
    throw usageError(`${JSON.stringify(id.slice(0, 80))} is not the id of a person: write ${PERSON_ID_FORM.source}`);
  }
  const { keyFileOf, makeKeyPair, writeKey } = await import('../review/keys.js');
  const file = keyFileOf(io.env);
  const pair = makeKeyPair();
  await writeKey(file, id, pair, options.force === true).catch(asKeyError);
  if (output.json) {
    output.object({ id, key: pair.publicKey, file });
    return EXIT.ok;
  }
  output.line(
    [
      `written  ${file}`,
      '',
      'Your private key is in this file. It never leaves it: do not send it to anybody, and keep a copy where only you can read it.',
      'Hand this entry to whoever runs the deployment, for its reviewers.yaml, where it goes under `people:`; the groups are theirs to fill in:',
      '',
      ...entryOf(id, pair.publicKey),
    ].join('\n'),
  );
  return EXIT.ok;
}

/** In quotes: an id such as 007 or @ann would be no text in YAML, or none at all. */
const entryOf = (id: string, key: string): string[] => [
  `  - id: ${JSON.stringify(id)}`,
  '    groups: [] # as plans name them',
  `    key: ${JSON.stringify(key)}`,
];
