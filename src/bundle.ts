/**
 * Code of the workflows: the one that the build made, else bundled now (1 to 4 seconds). Converters of a data converter run
 * inside the workflows, so they are part of their code.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type BundleOptions } from '@temporalio/worker';
import { FAILURE_CONVERTER } from './codec/failures.js';

/** What of a data converter is bundled. */
type Converters = Pick<BundleOptions, 'payloadConverterPath' | 'failureConverterPath'>;

/** What the build bundles beside the compiled sources: for workers without a data converter, and for those that encrypt. */
export const BUNDLES: readonly { readonly file: string; readonly converters: Converters }[] = [
  { file: besideThis('./workflow-bundle.cjs'), converters: {} },
  { file: besideThis('./workflow-bundle-encrypting.cjs'), converters: { failureConverterPath: FAILURE_CONVERTER } },
];

function besideThis(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

export async function workflowBundle({ payloadConverterPath, failureConverterPath }: Converters = {}): Promise<
  { codePath: string } | { code: string }
> {
  const built = BUNDLES.find(
    ({ converters }) =>
      converters.payloadConverterPath === payloadConverterPath && converters.failureConverterPath === failureConverterPath,
  );
  if (built !== undefined && existsSync(built.file)) return { codePath: built.file };
  return await bundleWorkflows({
    ...(payloadConverterPath !== undefined ? { payloadConverterPath } : {}),
    ...(failureConverterPath !== undefined ? { failureConverterPath } : {}),
  });
}

const ENTRY = import.meta.url.endsWith('.ts') ? './workflows/index.ts' : './workflows/index.js';

/** @param workflowsPath for measurements: other code, bundled as ours is. */
export async function bundleWorkflows(converters: Converters = {}, workflowsPath = besideThis(ENTRY)): Promise<{ code: string }> {
  return await bundleWorkflowCode({
    ...converters,
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
  const rules = [...(config.module?.rules ?? []).map(asNode), withoutComments()];
  return { ...config, optimization, module: { ...config.module, rules }, devtool: 'inline-nosources-cheap-module-source-map' };
}

type Rule = NonNullable<NonNullable<WebpackConfig['module']>['rules']>[number];

/** The SDK compiles for engines that are older than any Node it runs on: each module would bring its own `...`. */
function asNode(rule: Rule): Rule {
  if (typeof rule !== 'object' || rule === null || typeof rule.use !== 'object' || rule.use === null || !('options' in rule.use))
    return rule;
  const { options } = rule.use;
  if (typeof options !== 'object' || options === null || !('jsc' in options) || typeof options.jsc !== 'object') return rule;
  return { ...rule, use: { ...rule.use, options: { ...options, jsc: { ...options.jsc, target: 'es2022' } } } };
}

/** Libraries whose comments are longer than their code. */
const WORDY = /node_modules[\\/](?:@noble|@marcbachmann)[\\/]/;

/** Of our own files and wordy ones; with the loader that the SDK itself compiles TypeScript with. */
function withoutComments(): { include: (string | RegExp)[]; enforce: 'post'; use: { loader: string; options: object } } {
  const ofTheSdk = createRequire(createRequire(import.meta.url).resolve('@temporalio/worker'));
  const minify = { compress: false, mangle: false, format: { comments: false } };
  const options = { sourceMaps: true, minify: true, jsc: { target: 'es2022', minify } };
  return {
    include: [dirname(fileURLToPath(import.meta.url)), WORDY],
    enforce: 'post',
    use: { loader: ofTheSdk.resolve('swc-loader'), options },
  };
}
