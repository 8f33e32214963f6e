/** The critics that a deployment knows, whatever its plans are like. */
import { loadCriticsModule } from '../critics/module.js';
import { makeRegistry, type CriticRegistry } from '../critics/registry.js';

/** @throws Error in one sentence that names the module. */
export async function registryOf(modules: readonly string[]): Promise<CriticRegistry> {
  const loaded = await Promise.all([...new Set(modules)].map((path) => loadCriticsModule(path)));
  return makeRegistry(loaded.flat());
}
