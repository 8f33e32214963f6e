/**
 * Records new histories, by hand: `node --import tsx test/replay/record.ts [kind…]`. Each is of a genuine run on a
 * development server that it starts itself. One that exists is never overwritten, except with `--force KIND`: the old
 * ones are what runs under way in the field look like.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Connection } from '@temporalio/client';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, makeTelemetryFilterString, NativeConnection, Runtime } from '@temporalio/worker';
import { bundleWorkflows } from '../../src/bundle.js';
import { startDevServer, type DevServerOptions } from '../../temporal/dev-server.js';
import { recordedEnd } from './ends.js';
import { historyFile, kindProblem, MAX_HISTORY_BYTES } from './histories.js';
import type { Kind } from './kind.js';
import { KINDS } from './kinds.js';
import { Recording, type RecordingHost } from './recording.js';
import { ReviewRecording, type ReviewKind } from './review-kind.js';
import { REVIEW_KINDS } from './review-kinds.js';
import { reviewFile, reviewKindProblem } from './review-histories.js';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

const { values, positionals } = parseArgs({ allowPositionals: true, options: { force: { type: 'string', multiple: true, default: [] } } });

const ALL = [...Object.keys(KINDS), ...Object.keys(REVIEW_KINDS)];
/** Of kinds with two runs: the second one begins after so many events, so that the history of the first is small. */
const LONG_SETTINGS = { 'limit.historyCount.suggestContinueAsNew': 40 };

function wanted(): string[] {
  const unknown = [...positionals, ...values.force].filter((name) => !ALL.includes(name));
  if (unknown.length > 0) throw new Error(`there is no kind ${unknown.join(', ')}; known are ${ALL.join(', ')}`);
  const asked = positionals.length + values.force.length > 0 ? [...positionals, ...values.force] : ALL;
  const fileOf = (name: string): string => (name in KINDS ? historyFile(name) : reviewFile(name, 0));
  return [...new Set(asked)].filter((name) => values.force.includes(name) || !existsSync(fileOf(name)));
}

async function record(host: RecordingHost, name: string, kind: Kind): Promise<void> {
  const recording = new Recording(host, name, kind.plan, kind.priorityLevels ?? 10, kind.notify);
  try {
    await (kind.run ?? judge)(recording);
    const text = withoutMachine(historyToJSON(await recording.history()));
    const end = recordedEnd(historyFromJSON(JSON.parse(text)));
    const problem = kindProblem(kind, end);
    if (problem !== undefined) throw new Error(problem);
    if (text.length > MAX_HISTORY_BYTES) throw new Error(`the history has ${text.length} bytes, at most ${MAX_HISTORY_BYTES} are kept`);
    await writeFile(historyFile(name), text);
    console.log(`${name}: ${end.end}, ${text.length} bytes`);
  } finally {
    await recording.close();
  }

  async function judge(): Promise<void> {
    await recording.addWorker();
    await recording.start(kind.request);
    await recording.untilClosed();
  }
}

async function recordReview(host: RecordingHost, name: string, kind: ReviewKind): Promise<void> {
  const recording = new ReviewRecording(host, name, kind);
  try {
    await recording.open();
    const workflowId = (await kind.run(recording)) ?? recording.review.reviewId;
    const texts = (await recording.runsOf(workflowId)).map((run) => withoutMachine(historyToJSON(run)));
    const problem = await reviewKindProblem(
      kind,
      texts.map((text) => historyFromJSON(JSON.parse(text))),
    );
    if (problem !== undefined) throw new Error(problem);
    for (const [index, text] of texts.entries()) await writeFile(reviewFile(name, index), text);
    console.log(`${name}: ${kind.is}, ${texts.map(({ length }) => length).join(' and ')} bytes`);
  } finally {
    await recording.close();
  }
}

/** Who recorded it, and where, is nobody's business and plays no part in a replay. */
function withoutMachine(json: string): string {
  const traces = [`@${hostname()}`, tmpdir(), REPOSITORY];
  const text = JSON.stringify(
    JSON.parse(json, (key, value: unknown) => {
      if (key === 'identity') return 'recorder';
      if (key === 'stackTrace') return '';
      // A sticky queue is called after its worker.
      if (key === 'taskQueue' && isSticky(value)) return { ...value, name: 'sticky' };
      return value;
    }),
  );
  for (const [, data = ''] of text.matchAll(/"data":"([^"]*)"/g)) refuse(Buffer.from(data, 'base64').toString());
  refuse(text);
  return `${text}\n`;

  function refuse(readable: string): void {
    const trace = traces.find((one) => readable.includes(one));
    if (trace !== undefined) throw new Error(`the history holds ${trace}, which is of this machine alone`);
  }
}

const isSticky = (queue: unknown): queue is object =>
  typeof queue === 'object' && queue !== null && 'kind' in queue && queue.kind === 'TASK_QUEUE_KIND_STICKY';

async function recordAll(names: readonly string[], settings: NonNullable<DevServerOptions['settings']>): Promise<void> {
  const server = await startDevServer({ uiPort: false, progress: (line) => console.log(line), settings });
  // The threads of a worker look for the loader of this process from the working directory upwards.
  const folder = await mkdtemp(join(REPOSITORY, 'node_modules', '.record-'));
  const { address } = server;
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  try {
    const codePath = join(folder, 'workflows.cjs');
    await writeFile(codePath, (await bundleWorkflows()).code);
    for (const name of names) {
      const kind = KINDS[name];
      const review = REVIEW_KINDS[name];
      process.chdir(await mkdtemp(join(folder, 'kind-')));
      try {
        const host = { address, connection, native, codePath };
        if (kind !== undefined) await record(host, name, kind);
        else if (review !== undefined) await recordReview(host, name, review);
      } catch (error) {
        console.error(`${name}: not recorded: ${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = 1;
      }
    }
  } finally {
    await native.close();
    await connection.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const names = wanted();
if (names.length === 0) console.log('every kind has its history');
else {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR' }) } },
  });
  const isLong = (name: string): boolean => REVIEW_KINDS[name]?.runs !== undefined;
  const long = names.filter(isLong);
  if (long.length > 0) await recordAll(long, LONG_SETTINGS);
  if (long.length < names.length)
    await recordAll(
      names.filter((name) => !isLong(name)),
      {},
    );
}
