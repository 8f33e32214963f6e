/** How a process that runs a worker is observed: the options of `worker` and `dev` for its log and its metrics. */
import { Option, type Command } from 'commander';
import { parseListenAddress, type ListenAddress } from '../schemas/listen-address.js';
import type { Call } from './command.js';
import { settingsOf } from './connect.js';
import { describeError, exitOfError, usageError } from './exit.js';
import { openLog, type Log } from './log.js';

export interface ObservedOptions {
  readonly metrics?: string;
  readonly logFormat?: Log['format'];
}

export interface Observed {
  readonly log: Log;
  readonly metrics?: ListenAddress;
}

export function addObservedOptions(command: Command): Command {
  return command
    .option('--metrics <host:port>', 'tell metrics at /metrics and answer probes at /livez and /readyz; :9464 is that port everywhere')
    .addOption(new Option('--log-format <format>', 'of the lines on stderr (default: text)').choices(['text', 'json']));
}

/** Hands on what the options ask for. An error goes into the log, too: what reads JSON lines must not meet a text. */
export async function observed<Options extends ObservedOptions>(
  call: Call<Options>,
  work: (call: Call<Options>, by: Observed) => Promise<number>,
): Promise<number> {
  const { options, io, output } = call;
  // Before the settings are checked: what is wrong with them is told in the same form.
  const format = options.logFormat ?? (io.env['TRIBUNAL_LOG_FORMAT'] === 'json' ? 'json' : 'text');
  const log = await openLog(format, output, io.stderr);
  try {
    const settings = settingsOf(io.env);
    const metrics = options.metrics === undefined ? settings.metrics : addressOf(options.metrics);
    return await work(call, { log, ...(metrics !== undefined ? { metrics } : {}) });
  } catch (error) {
    if (log.format === 'text') throw error;
    const { code, message } = describeError(error);
    log.tell('error', message, { code });
    return exitOfError(error);
  }
}

function addressOf(text: string): ListenAddress {
  const parsed = parseListenAddress(text);
  if (parsed.ok) return parsed.address;
  throw usageError(`--metrics ${parsed.message}`);
}
