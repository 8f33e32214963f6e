/** What every command has in common: its options with the global ones, its output, its exit code. */
import type { Command } from 'commander';
import { Output, type Io } from './output.js';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly address?: string;
  readonly namespace?: string;
  /** Name of the deployment. */
  readonly deployment?: string;
  /** `tribunal/codec` or the path of a module. */
  readonly dataConverter?: string;
}

export interface Call<Options> {
  readonly options: Options & GlobalOptions;
  readonly args: readonly string[];
  readonly io: Io;
  readonly output: Output;
}

/** One run of the command line. */
export interface Cli {
  readonly io: Io;
  exitCode: number;
}

/** Binds a command to its work, which returns the exit code. */
export function onRun<Options>(command: Command, cli: Cli, work: (call: Call<Options>) => Promise<number>): void {
  command.action(async () => {
    const options = command.optsWithGlobals<Options & GlobalOptions>();
    cli.exitCode = await work({ options, args: command.args, io: cli.io, output: new Output(cli.io, options.json === true) });
  });
}

/** For options that may be given more than once. */
export const collect = (value: string, earlier: readonly string[] = []): string[] => [...earlier, value];
