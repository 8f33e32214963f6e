/** Code of the workflows: the one that the build made, else bundled now (1 to 4 seconds). */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type BundleOptions } from '@temporalio/worker';

/** Made by the build beside the compiled sources. */
export const BUNDLE_FILE = fileURLToPath(new URL('./workflow-bundle.cjs', import.meta.url));

export async function workflowBundle(): Promise<{ codePath: string } | { code: string }> {
  return existsSync(BUNDLE_FILE) ? { codePath: BUNDLE_FILE } : await bundleWorkflows();
}

export async function bundleWorkflows(): Promise<{ code: string }> {
  const entry = import.meta.url.endsWith('.ts') ? './workflows/index.ts' : './workflows/index.js';
  const workflowsPath = fileURLToPath(new URL(entry, import.meta.url));
  return await bundleWorkflowCode({
    workflowsPath,
    // All runs of a process share one copy of our modules, and with it the compiled expressions: the modules hold no state of a run.
    preloadModules: [workflowsPath],
    webpackConfigHook: lean,
    logger: new DefaultLogger('WARN'),
  });
}

type WebpackConfig = Parameters<NonNullable<BundleOptions['webpackConfigHook']>>[0];

/**
 * Leaves out what nothing uses and joins modules: every worker parses this code when it starts. Names are kept, and a map of
 * lines without the sources, for stack traces.
 */
function lean(config: WebpackConfig): WebpackConfig {
  const optimization = { ...config.optimization, providedExports: true, usedExports: true, sideEffects: true, concatenateModules: true };
  return { ...config, optimization, devtool: 'inline-nosources-cheap-module-source-map' };
}
