/**
 * Records new histories, by hand: `node --import tsx test/replay/record.ts [kind…]`. Each is of a genuine run on a
 * development server that it starts itself. One that exists is never overwritten, except with `--force KIND`: the old
 * ones are what runs under way in the field look like.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Connection } from '@temporalio/client';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { bundleWorkflows } from '../../src/bundle.js';
import { startDevServer } from '../../temporal/dev-server.js';
import { recordedEnd } from './ends.js';
import { historyFile, kindProblem, MAX_HISTORY_BYTES } from './histories.js';
import type { Kind } from './kind.js';
import { KINDS } from './kinds.js';
import { Recording, type RecordingHost } from './recording.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { force: { type: 'string', multiple: true, default: [] } } });

function wanted(): string[] {
  const unknown = [...positionals, ...values.force].filter((name) => !(name in KINDS));
  if (unknown.length > 0) throw new Error(`there is no kind ${unknown.join(', ')}; known are ${Object.keys(KINDS).join(', ')}`);
  const asked = positionals.length + values.force.length > 0 ? [...positionals, ...values.force] : Object.keys(KINDS);
  return [...new Set(asked)].filter((name) => values.force.includes(name) || !existsSync(historyFile(name)));
}

async function record(host: RecordingHost, name: string, kind: Kind): Promise<void> {
  const recording = new Recording(host, name, kind.plan, kind.priorityLevels ?? 10);
  try {
    await (kind.run ?? judge)(recording);
    const text = withoutMachine(historyToJSON(await recording.history()));
    const end = recordedEnd(historyFromJSON(JSON.parse(text)));
    const problem = kindProblem(kind, end);
    if (problem !== undefined) throw new Error(`${name}: ${problem}`);
    if (text.length > MAX_HISTORY_BYTES) throw new Error(`${name}: has ${text.length} bytes, at most ${MAX_HISTORY_BYTES} are kept`);
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

/** Who recorded it, and where, is nobody's business and plays no part in a replay. */
function withoutMachine(json: string): string {
  const text = JSON.stringify(JSON.parse(json, (key, value: unknown) => (key === 'identity' ? 'recorder' : key === 'stackTrace' ? '' : value)));
  if (text.includes(hostname())) throw new Error('the history holds the name of this machine');
  return `${text}\n`;
}
