/** From what `--data-converter`, `TRIBUNAL_DATA_CONVERTER` or `tribunal.yaml` names to a data converter. */
import type { DataConverter } from '@temporalio/common';
import { importModule } from '../critics/module.js';
import { READY } from './converter-name.js';
import { environmentEncryption } from './index.js';

/**
 * @param name `tribunal/codec`, or the path of a module, relative to the working directory or absolute.
 * @param env where `tribunal/codec` finds its keys. Default: the environment of the process.
 * @throws Error in one sentence.
 */
export async function loadDataConverter(name: string, env?: NodeJS.ProcessEnv): Promise<DataConverter> {
  if (name === READY) return environmentEncryption(env);
  const { dataConverter, default: byDefault } = await importModule(name);
  const exported = dataConverter ?? byDefault;
  if (exported === undefined) throw new Error(`${name}: must export a data converter, by the name dataConverter or as its default`);
  const problem = converterProblem(exported);
  if (problem !== undefined) throw new Error(`${name}: exports something that is no data converter: ${problem}`);
  return exported as DataConverter;
}

const PARTS = ['payloadCodecs', 'payloadConverterPath', 'failureConverterPath', 'externalStorage'] as const;

function converterProblem(exported: unknown): string | undefined {
  if (typeof exported !== 'object' || exported === null) return 'it is no object';
  const converter = exported as Partial<Record<keyof DataConverter, unknown>>;
  // One without any of them would leave everything in clear.
  if (PARTS.every((part) => converter[part] === undefined)) return `it has none of ${PARTS.join(', ')}`;
  const { payloadCodecs = [] } = converter;
  const isCodec = (one: unknown): boolean =>
    typeof one === 'object' &&
    one !== null &&
    ['encode', 'decode'].every((method) => typeof (one as Record<string, unknown>)[method] === 'function');
  if (!Array.isArray(payloadCodecs) || !payloadCodecs.every(isCodec))
    return 'payloadCodecs must be a list of codecs with encode and decode';
  for (const part of ['payloadConverterPath', 'failureConverterPath'] as const)
    if (converter[part] !== undefined && typeof converter[part] !== 'string') return `${part} must be a path`;
  return undefined;
}
