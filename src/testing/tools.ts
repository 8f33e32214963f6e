/** What a test hands to a critic, where a worker would hand it the real thing. */
import type { Critic, CriticInput, CriticTools } from '../critics/critic.js';
import type { Json } from '../domain/finding.js';

/** Tools that do nothing, but for what `more` says. */
export const toolsFor = <Options>(options: Options, more: Partial<CriticTools<Options>> = {}): CriticTools<Options> => ({
  options,
  signal: new AbortController().signal,
  heartbeat: () => {},
  log: () => {},
  idempotencyKey: 'key-1',
  attempt: 1,
  secret: () => undefined,
  // Tests reach their own services, which stand on addresses that a worker refuses.
  fetch: globalThis.fetch,
  ...more,
});

/** Content without context and without findings of others, but for what `more` says. */
export const inputFor = (content: Json, more: Partial<CriticInput> = {}): CriticInput => ({ content, context: {}, findings: {}, ...more });

/**
 * What the critic's schema makes of a plan's options.
 * @throws the schema's error when it refuses them.
 */
export function optionsOf<Options>(critic: Critic<Options>, written: Json): Options {
  if (critic.options === undefined) throw new Error(`${critic.name} has no options schema`);
  return critic.options.parse(written);
}

/**
 * What a promise was rejected with.
 * @throws Error when it was not rejected.
 */
export async function thrownBy(running: Promise<unknown>): Promise<unknown> {
  const nothing = Symbol('nothing');
  const thrown: unknown = await running.then(
    () => nothing,
    (error: unknown) => error,
  );
  if (thrown === nothing) throw new Error('it was not rejected');
  return thrown;
}
