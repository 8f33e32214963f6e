/** `tribunal worker`: judges what clients start, on the server of the settings, until it is told to stop. */
import type { Command } from 'commander';
import { safeText } from '../report/safe.js';
import { onRun, type Call, type Cli } from './command.js';
import { converterFor, serverOf, settingsOf } from './connect.js';
import { EXIT } from './exit.js';
import { addObservedOptions, observed, type Observed, type ObservedOptions } from './observed.js';
import { addReviewOptions, type ReviewOptions } from './review-options.js';
import { listenForStop } from './signals.js';

export interface WorkerOptions {
  readonly file?: string;
  readonly plan?: readonly string[];
  readonly critics?: readonly string[];
  readonly allowHost?: readonly string[];
}

/** The options by which `dev`, `worker` and `plan` name a deployment. */
export function addDeploymentOptions(command: Command): Command {
  return command
    .option('--file <path>', 'deployment file (default: tribunal.yaml)')
    .option(
      '--plan <file...>',
      'plan files: beside those of a deployment file that is named with --file, else in the place of those of tribunal.yaml',
    )
    .option('--critics <module...>', 'critics modules beside those of the deployment file')
    .option('--allow-host <host...>', 'private hosts that critics may ask, such as 127.0.0.1:8080');
}

export function addWorker(program: Command, cli: Cli): void {
  const command = program.command('worker').description('run the critics of a deployment');
  const ready = addReviewOptions(addObservedOptions(addDeploymentOptions(command)));
  onRun<ServingOptions & ObservedOptions>(ready, cli, (call) => observed(call, runWorker));
}

type ServingOptions = WorkerOptions & ReviewOptions;

async function runWorker({ options, io, output }: Call<ServingOptions>, by: Observed): Promise<number> {
  const { shutdownGraceMs, logLevel } = settingsOf(io.env);
  const stop = listenForStop();
  try {
    const converter = await converterFor(options, io.env);
    const deployment = await loadFrom(options, io.env);
    const { connectionOptions, namespace } = await serverOf(options, io.env);
    const { serve } = await import('./serve.js');
    await serve({
      deployment,
      ...(converter !== undefined ? { converter } : {}),
      connectionOptions,
      namespace,
      shutdownGraceMs,
      insecureReviews: options.insecureDev === true,
      ...(options.archive !== undefined ? { archive: options.archive } : {}),
      logLevel,
      env: io.env,
      stop,
      ...by,
      ready({ lanes, metrics }) {
        const plans = [...deployment.plans.keys()].toSorted();
        const { address } = connectionOptions;
        const { archive } = options;
        const told = { ...(metrics !== undefined ? { metrics } : {}), ...(archive !== undefined ? { archive } : {}) };
        if (output.json) return output.object({ ready: true, deployment: deployment.name, address, namespace, plans, lanes, ...told });
        const seen = `${metrics === undefined ? '' : `; metrics at ${metrics}`}${archive === undefined ? '' : `; archive ${safeText(archive)}`}`;
        const line = `worker of ${deployment.name} at ${address}, namespace ${namespace}: plans ${plans.join(', ')}; ${lanes} lanes${seen}`;
        if (by.log.format === 'json') by.log.note(line);
        else output.line(line);
      },
    });
    return EXIT.ok;
  } finally {
    stop.release();
  }
}

/** The deployment that the options mean; loading it loads plans and critics. */
export async function loadFrom(
  options: WorkerOptions & { readonly deployment?: string; readonly plansAlone?: boolean },
  env: NodeJS.ProcessEnv,
) {
  const { loadDeployment } = await import('../deployment.js');
  const name = options.deployment ?? (env['TRIBUNAL_DEPLOYMENT'] ? settingsOf(env).deployment : undefined);
  return await loadDeployment({
    ...(options.file !== undefined ? { file: options.file } : {}),
    ...(options.plan !== undefined ? { plans: options.plan } : {}),
    ...(options.plansAlone === true ? { plansAlone: true } : {}),
    ...(options.critics !== undefined ? { critics: options.critics } : {}),
    ...(options.allowHost !== undefined ? { hosts: options.allowHost } : {}),
    ...(name !== undefined ? { name } : {}),
  });
}
