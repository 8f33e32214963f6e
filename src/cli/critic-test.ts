/** `tribunal critic test`: the conformance suite on anyone's critics, in a process of their own. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { createColors } from 'picocolors';
import { safeText } from '../report/safe.js';
import { parseDuration } from '../schemas/duration.js';
import { AFTER_LOSSES, ModuleUnusable, runApart, type CheckResult } from '../testing/run-apart.js';
import { onRun, type Call, type Cli } from './command.js';
import { EXIT, usageError } from './exit.js';
import type { Output } from './output.js';

interface CriticTestOptions {
  readonly with?: string;
  readonly name?: string;
  readonly timeout: string;
}

export function addCriticTest(parent: Command, cli: Cli): void {
  const command = parent
    .command('test')
    .description('run the conformance suite, and the cases beside the module, on its critics')
    .argument('<module>', 'critics module: .mjs, .js, .mts or .ts')
    .option('--with <json>', 'options of the critic, as a plan has them under "with"')
    .option('--name <name>', 'test this critic of the module alone')
    .option('--timeout <duration>', 'how long one answer may take', '10s');
  onRun<CriticTestOptions>(command, cli, runCriticTest);
}

async function runCriticTest({ options, args, output }: Call<CriticTestOptions>): Promise<number> {
  const [module = ''] = args;
  if (!existsSync(module)) throw usageError(`${module}: there is no such file`);
  const timeout = parseDuration(options.timeout);
  if (!timeout.ok) throw usageError(`--timeout ${timeout.message}`);
  const shown = makeView(output);
  const results = await runApart(module, {
    timeoutMs: timeout.ms,
    onResult: (result) => shown.add(result),
    ...(options.with !== undefined ? { with: parseOptions(options.with) } : {}),
    ...(options.name !== undefined ? { name: options.name } : {}),
  }).catch((error: unknown) => {
    throw error instanceof ModuleUnusable ? usageError(error.message) : error;
  });
  shown.end();
  return results.every(({ status }) => status === 'passed' || status === 'warning') ? EXIT.ok : EXIT.error;
}

function parseOptions(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw usageError(`--with is not JSON: write an object such as '{"words": ["refund"]}'`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw usageError('--with must be an object, as a plan has it');
  return value;
}

const MARKS = { passed: 'ok  ', warning: 'warn', error: 'FAIL', not_run: '-   ' } as const;

/** Results as they come, and a last line for each critic. */
function makeView(output: Output): { add(result: CheckResult): void; end(): void } {
  const colors = createColors(output.color);
  const paint = { passed: colors.green, warning: colors.yellow, error: colors.red, not_run: colors.dim } as const;
  let critic: { readonly name: string; readonly counts: Record<CheckResult['status'], number>; skipped: number } | undefined;
  const mark = (status: CheckResult['status'], check: string, message: string | undefined): void => {
    output.line(`  ${paint[status](MARKS[status])}  ${safeText(check)}`);
    if (message !== undefined) output.line(`        ${safeText(message)}`);
  };
  const end = (): void => {
    if (critic === undefined) return;
    const { passed, warning, error, not_run: notRun } = critic.counts;
    if (output.json) output.object({ critic: critic.name, passed, warnings: warning, failed: error, notRun });
    else {
      if (critic.skipped > 0) mark('not_run', critic.skipped === 1 ? '1 more check' : `${critic.skipped} more checks`, AFTER_LOSSES);
      const parts = [
        `${passed} passed`,
        ...(warning > 0 ? [`${warning} to look at`] : []),
        ...(error > 0 ? [`${error} failed`] : []),
        ...(notRun > 0 ? [`${notRun} not run`] : []),
      ];
      output.line(`${critic.name}: ${parts.join(', ')}`);
    }
    critic = undefined;
  };
  return {
    add(result) {
      if (critic?.name !== result.critic) {
        end();
        critic = { name: result.critic, counts: { passed: 0, warning: 0, error: 0, not_run: 0 }, skipped: 0 };
        if (!output.json) output.line(`${result.critic} ${result.version}`);
      }
      critic.counts[result.status] += 1;
      if (output.json) return output.object(result);
      // One line for all of them, when the critic has ended.
      if (result.message === AFTER_LOSSES) critic.skipped += 1;
      else mark(result.status, result.check, result.message);
    },
    end,
  };
}
