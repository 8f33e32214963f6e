/** `tribunal review export`: the account of a review as a file that proves itself; with --labels people's answers as a labelled set. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { WORD_FORM } from '../domain/review/policy.js';
import { safeJson, safeText } from '../report/safe.js';
import { onRun, type Call, type Cli } from './command.js';
import { connectClient, type Connected } from './connect.js';
import { EXIT, usageError } from './exit.js';
import { reviewIdOf } from './review-desk.js';

interface ExportOptions {
  readonly out?: string;
  readonly labels?: boolean;
  readonly queue?: string;
  readonly archive?: string;
  readonly unsigned?: boolean;
}

export function addReviewExport(parent: Command, cli: Cli): void {
  const command = parent
    .command('export')
    .description('the account of a review, with its content, as JSON: `review verify` reads it')
    .argument('[id]', 'id of the review')
    .option('--out <file>', 'write it there')
    .option('--archive <folder>', 'what workers have kept there with --archive, for what the server has no more')
    .option('--labels', 'instead: what people have decided, one line a review, as `assess` reads it')
    .option('--queue <name>', 'with --labels: of this queue alone')
    .option('--unsigned', 'with --labels: also what was decided without a signature, so by anybody');
  onRun<ExportOptions>(command, cli, runExport);
}

async function runExport(call: Call<ExportOptions>): Promise<number> {
  const { options, args, io } = call;
  const [named] = args;
  if ((options.labels === true) === (named !== undefined)) throw usageError('name a review, or ask for --labels');
  const id = named === undefined ? undefined : reviewIdOf(named);
  if (options.queue !== undefined && (options.labels !== true || !WORD_FORM.test(options.queue)))
    throw usageError('--queue goes with --labels, and is the name of a queue');
  if (options.unsigned === true && options.labels !== true) throw usageError('--unsigned goes with --labels');
  if (options.labels === true && options.archive !== undefined)
    throw usageError('--labels reads what the server has: leave out --archive, which goes with the id of a review');
  const connected = await connectClient(options, io.env);
  try {
    if (id === undefined) return await exportLabels(call, connected);
    const exported = await connected.client.reviews.export(id, options.archive);
    write(call, `${safeJson(exported)}\n`);
    return EXIT.ok;
  } finally {
    await connected.close();
  }
}

async function exportLabels(call: Call<ExportOptions>, connected: Connected): Promise<number> {
  const lines: string[] = [];
  let left = 0;
  for await (const { reviewId, row, unsigned } of connected.client.reviews.labels(call.options.queue)) {
    if (row === undefined) call.output.note(safeText(`${reviewId} is left out: its account is not sound`));
    else if (unsigned === true && call.options.unsigned !== true) left += 1;
    else lines.push(`${safeJson(row)}\n`);
  }
  write(call, lines.join(''));
  call.output.note(`${lines.length} reviews that people have decided`);
  if (left > 0) call.output.note(`${left} left out: not signed (--unsigned takes them)`);
  return EXIT.ok;
}

/** It holds content: for nobody else of this machine. */
function write({ options, io }: Call<ExportOptions>, text: string): void {
  if (options.out === undefined) {
    io.stdout.write(text);
    return;
  }
  try {
    writeFileSync(options.out, text, { mode: 0o600 });
  } catch (error) {
    throw usageError(`${options.out}: cannot be written: ${error instanceof Error && 'code' in error ? String(error.code) : 'unknown'}`);
  }
}
