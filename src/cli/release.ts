/** `tribunal release`: may it go out? Answered from what is recorded; the exit code is the answer. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Release, ReleaseOptions, ReleasePermit } from '../client-release.js';
import type { Json } from '../domain/finding.js';
import { safeText } from '../report/safe.js';
import { onRun, type Call, type Cli } from './command.js';
import { connectClient } from './connect.js';
import { EXIT, usageError } from './exit.js';

interface ReleaseCommandOptions {
  readonly content?: string;
  readonly contentFile?: string;
  readonly archive?: string;
  readonly acceptNonProduction?: boolean;
}

export function addRelease(program: Command, cli: Cli): void {
  const command = program
    .command('release')
    .description('whether an evaluation lets its content out: 0 yes, 10 denied or halted, 11 still with people, 12 every other no')
    .argument('<id>', '<tenant>/<key>, or the key alone for the tenant "default"')
    .option('--content <text>', 'what is to go out: refused when something else was judged')
    .option('--content-file <file>', 'the same: JSON where the file is JSON, else its text')
    .option('--archive <folder>', 'what workers have kept there with --archive, for what the server has no more')
    .option('--accept-non-production', 'take what was decided by commands without a signature');
  onRun<ReleaseCommandOptions>(command, cli, runRelease);
}

async function runRelease({ options, args, io, output }: Call<ReleaseCommandOptions>): Promise<number> {
  const content = contentOf(options);
  const asked: ReleaseOptions = {
    ...(content !== undefined ? { content } : {}),
    ...(options.archive !== undefined ? { archive: options.archive } : {}),
    ...(options.acceptNonProduction === true ? { acceptNonProduction: true } : {}),
  };
  const connected = await connectClient(options, io.env);
  try {
    const release = await connected.client.release(args[0] ?? '', asked);
    if (output.json) output.object(release);
    else output.line(release.ok ? permitText(release.permit) : safeText(`NOT RELEASED  ${release.reason}: ${release.message}`));
    return exitOf(release);
  } finally {
    await connected.close();
  }
}

function contentOf({ content, contentFile }: ReleaseCommandOptions): Json | undefined {
  if (contentFile === undefined) return content;
  if (content !== undefined) throw usageError('give --content or --content-file, not both');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(contentFile));
  } catch (error) {
    throw usageError(
      `${contentFile}: cannot be read: ${error instanceof Error && 'code' in error ? String(error.code) : 'it is not UTF-8'}`,
    );
  }
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function permitText({ evaluationId, plan, contentHash, review }: ReleasePermit): string {
  const by =
    review === undefined
      ? `the verdict of ${plan.name}@${plan.version}`
      : `${review.by.join(' and ')} in ${review.id}, until ${review.notAfter}`;
  return [
    `RELEASED  ${safeText(evaluationId)}`,
    `by        ${safeText(by)}`,
    `content   ${contentHash}`,
    ...(review?.nonProduction === true ? ['for trying out alone: commands were not signed'] : []),
  ].join('\n');
}

const EXIT_OF: Partial<Readonly<Record<string, number>>> = {
  DENIED: EXIT.deny,
  HALTED: EXIT.deny,
  HALTED_BEFORE: EXIT.deny,
  REVIEW_OPEN: EXIT.escalate,
};

const exitOf = (release: Release): number => (release.ok ? EXIT.ok : (EXIT_OF[release.reason] ?? EXIT.notJudged));
