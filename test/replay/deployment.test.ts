/**
 * The workflow of a deployment runs for as long as the deployment is there, over many releases: its recorded history must
 * replay on today's code. `deployment/rolling.json` is of a real server: two workers, then a third one whose file ties the
 * lanes together otherwise, so that they are taken back and handed out anew; then the second one left.
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { DefaultLogger, Worker } from '@temporalio/worker';
import { expect, inject, it } from 'vitest';

const FILE = fileURLToPath(new URL('./deployment/rolling.json', import.meta.url));

async function replayed(change: (text: string) => string = (text) => text): Promise<string | undefined> {
  const history = historyFromJSON(JSON.parse(change(await readFile(FILE, 'utf8'))));
  const options = { workflowBundle: { codePath: inject('bundlePath') }, logger: new DefaultLogger('ERROR') };
  for await (const { error } of Worker.runReplayHistories(options, [{ workflowId: 'deployment:moderation', history }]))
    return error === undefined ? undefined : error.name;
  throw new Error('no history was replayed');
}

it('a deployment that was begun by an earlier release goes on with the one of today', async () => {
  expect(await replayed()).toBeUndefined();
});

it('a release that would hand out lanes by another activity is found', async () => {
  expect(await replayed((text) => text.replaceAll('"holdLanes"', '"ownLanes"'))).toBe('DeterminismViolationError');
});
