/**
 * vitest global setup of the tiers that run workflow code: it is bundled once for the whole run, which saves seconds a Worker.
 * Tests give `inject('bundlePath')` to a Worker as `workflowBundle: { codePath }`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleWorkflows } from '../src/bundle.js';

declare module 'vitest' {
  interface ProvidedContext {
    readonly bundlePath: string;
  }
}

declare global {
  // vitest loads this file once a tier, each time in a module registry of its own; the process is what they share.
  var tribunalTestBundle: Promise<string> | undefined;
}

export async function setup(project: TestProject): Promise<void> {
  globalThis.tribunalTestBundle ??= bundle();
  project.provide('bundlePath', await globalThis.tribunalTestBundle);
}

/** Runs when all tiers have ended; removing twice does no harm. */
export async function teardown(): Promise<void> {
  const path = await globalThis.tribunalTestBundle?.catch(() => undefined);
  if (path !== undefined) await rm(dirname(path), { recursive: true, force: true });
}

async function bundle(): Promise<string> {
  const { code } = await bundleWorkflows();
  const path = join(await mkdtemp(join(tmpdir(), 'tribunal-bundle-')), 'workflows.cjs');
  await writeFile(path, code);
  return path;
}
