/** Code of the workflows: the one that the build made, else bundled now (1 to 4 seconds). */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
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
 * Leaves out what nothing uses, joins modules and drops our comments: every worker parses this code when it starts. Names
 * are kept, and a map of lines without the sources, for stack traces.
 */
function lean(config: WebpackConfig): WebpackConfig {
  const optimization = { ...config.optimization, providedExports: true, usedExports: true, sideEffects: true, concatenateModules: true };
  const rules = [...(config.module?.rules ?? []), withoutComments()];
  return { ...config, optimization, module: { ...config.module, rules }, devtool: 'inline-nosources-cheap-module-source-map' };
}

/** Of our own files; with the loader that the SDK itself compiles TypeScript with. */
function withoutComments(): { include: string; enforce: 'post'; use: { loader: string; options: object } } {
  const ofTheSdk = createRequire(createRequire(import.meta.url).resolve('@temporalio/worker'));
  const minify = { compress: false, mangle: false, format: { comments: false } };
  const options = { sourceMaps: true, minify: true, jsc: { target: 'es2022', minify } };
  return { include: dirname(fileURLToPath(import.meta.url)), enforce: 'post', use: { loader: ofTheSdk.resolve('swc-loader'), options } };
}
