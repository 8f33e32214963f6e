/**
 * vitest global setup of the tiers that need a Temporal server: one development server, in memory, for the whole run.
 * Tests read it with `inject('server')` and keep apart from one another by task queues of their own.
 */
import type { TestProject } from 'vitest/node';
import { type DevServer, startDevServer } from '../temporal/dev-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    readonly server: { readonly address: string; readonly namespace: string };
  }
}

declare global {
  // vitest loads this file once a tier, each time in a module registry of its own; the process is what they share.
  var tribunalTestServer: Promise<DevServer> | undefined;
}

export async function setup(project: TestProject): Promise<void> {
  globalThis.tribunalTestServer ??= startDevServer({ uiPort: false, progress: (line) => console.error(line) });
  const { address } = await globalThis.tribunalTestServer;
  project.provide('server', { address, namespace: 'default' });
}

/** Runs when all tiers have ended; stopping twice does no harm. */
export async function teardown(): Promise<void> {
  const server = await globalThis.tribunalTestServer?.catch(() => undefined);
  await server?.stop();
}
