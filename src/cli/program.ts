/** The whole command line: its commands, and how every error becomes a sentence and an exit code. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../../temporal/paths.js';
import { checkArchive } from './archive-folder.js';
import { addAssess } from './assess.js';
import { addCancel } from './cancel.js';
import type { Cli } from './command.js';
import { addCritic } from './critic.js';
import { addDev } from './dev.js';
import { addDoctor } from './doctor.js';
import { addEvaluate } from './evaluate.js';
import { EXIT, exitOfError } from './exit.js';
import { addInit } from './init.js';
import { addLanes } from './lanes.js';
import { addList } from './list.js';
import { Output, type Io } from './output.js';
import { addPlan } from './plan.js';
import { addRelease } from './release.js';
import { addReview } from './review.js';
import { addReviewer } from './reviewer.js';
import { addSetup } from './setup.js';
import { addShow } from './show.js';
import { addWatch } from './watch.js';
import { addWorker } from './worker.js';

const HELP_END = `
Exit codes of evaluate, show and watch: 0 allow, 10 deny, 11 escalate, 12 not judged, 13 overloaded and not started,
14 started and not waited for, 1 error, 2 usage or a refused request. Of a batch: 0 all judged, 12 some not judged, 2 some refused.
Of release: 0 it may go out, 10 denied or halted, 11 people have not decided, 12 every other no.

The server: --address, else TEMPORAL_ADDRESS or the profile of the Temporal configuration file, else the one that
\`tribunal dev\` has started.`;

/** @returns the exit code. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const cli: Cli = { io, exitCode: EXIT.ok };
  try {
    await makeProgram(cli).parseAsync([...args], { from: 'user' });
    return cli.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    // `tribunal` alone has shown the help already.
    if (error instanceof CommanderError && error.code === 'commander.help') return EXIT.usage;
    // Options may be what is wrong, so this one is looked for by hand.
    new Output(io, args.includes('--json')).error(error);
    return exitOfError(error);
  }
}

function makeProgram(cli: Cli): Command {
  const program = new Command('tribunal')
    .description('Judges whether a piece of AI output may go out: critics in stages, on Temporal.')
    .version(packageVersion())
    .option('--json', 'results and errors as JSON, one object a line')
    .option('--address <host:port>', 'Temporal server')
    .option('--namespace <name>', 'Temporal namespace')
    .option('--deployment <name>', 'deployment whose workers judge (default: the name in tribunal.yaml, else "tribunal")')
    .option('--data-converter <module>', 'what Temporal records goes through it: tribunal/codec to encrypt it, or the path of a module')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void cli.io.stdout.write(text),
      writeErr: (text) => void cli.io.stderr.write(text),
      // `run` writes it, as JSON where asked.
      outputError: () => undefined,
    })
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText('after', HELP_END)
    .hook('preAction', (_, command) => checkArchive(command));
  for (const add of [
    addInit,
    addDev,
    addWorker,
    addSetup,
    addDoctor,
    addEvaluate,
    addAssess,
    addShow,
    addList,
    addWatch,
    addCancel,
    addLanes,
    addPlan,
    addCritic,
    addRelease,
    addReview,
    addReviewer,
  ])
    add(program, cli);
  return program;
}

function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(`${packageRoot()}/package.json`, 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}
