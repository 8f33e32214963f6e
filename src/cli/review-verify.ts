/** `tribunal review verify`: whether the account of a review is sound, on the server or in a file, which needs no server. */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { safeText } from '../report/safe.js';
import { onRun, type Call, type Cli } from './command.js';
import { connectClient } from './connect.js';
import { EXIT, usageError } from './exit.js';
import { reviewIdIn } from './review-desk.js';

interface VerifyOptions {
  readonly archive?: string;
}

export function addReviewVerify(parent: Command, cli: Cli): void {
  const command = parent
    .command('verify')
    .description('whether the account of a review is sound: 0 it is, 1 it is not')
    .argument('<id-or-file>', 'id of a review, or a file of `review export`')
    .option('--archive <folder>', 'what workers have kept there with --archive, for what the server has no more');
  onRun<VerifyOptions>(command, cli, runVerify);
}

async function runVerify(call: Call<VerifyOptions>): Promise<number> {
  const { output, args } = call;
  const { verifyExport } = await import('../review/export.js');
  const exported = await accountOf(call, args[0] ?? '');
  const verified = verifyExport(exported);
  const { reviewId, entries, result, status } = summaryOf(exported);
  if (output.json) output.object({ reviewId, status, outcome: result, entries, ...verified });
  else if (!verified.sound) output.line(safeText(`NOT SOUND  ${verified.problem.record}: ${verified.problem.message}`));
  else {
    const unsigned = verified.unsigned.length === 0 ? '' : `; not signed: entries ${verified.unsigned.join(', ')}`;
    output.line(safeText(`SOUND  ${reviewId}: ${entries} entries, ${result ?? status}${unsigned}`));
  }
  return verified.sound ? EXIT.ok : EXIT.error;
}

/** A file where there is one: what has the form of an id is one, unless such a file is here. */
async function accountOf({ options, io }: Call<VerifyOptions>, named: string): Promise<unknown> {
  const id = existsSync(named) ? undefined : reviewIdIn(named);
  if (id !== undefined) {
    const connected = await connectClient(options, io.env);
    try {
      return await connected.client.reviews.export(id, options.archive);
    } finally {
      await connected.close();
    }
  }
  try {
    return JSON.parse(readFileSync(named, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw usageError(
      `${JSON.stringify(named.slice(0, 200))} is not the id of a review, nor a file that can be read: \`tribunal review list\` names reviews`,
    );
  }
}

/** Of something that may be anything. */
function summaryOf(exported: unknown) {
  const fields: Readonly<Record<string, unknown>> = typeof exported === 'object' && exported !== null ? { ...exported } : {};
  const { reviewId, status, entries, result } = fields;
  const outcome = typeof result === 'object' && result !== null && 'outcome' in result ? String(result.outcome) : undefined;
  return { reviewId: String(reviewId), status: String(status), entries: Array.isArray(entries) ? entries.length : 0, result: outcome };
}
