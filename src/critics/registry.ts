/**
 * Name to implementation. Refuses duplicates; when one is missing, the known names are at hand.
 * Built-in critics are loaded only when a plan uses them.
 */
import { CRITIC_NAME } from './module.js';
import type { AnyCritic } from './critic.js';

/** Loaders of the built-in critics: one file each, loaded on first use. */
const BUILT_IN: Readonly<Record<string, () => Promise<AnyCritic>>> = {
  http: async () => (await import('./http.js')).http,
  language: async () => (await import('./language.js')).language,
  llm_judge: async () => (await import('./llm-judge.js')).llmJudge,
  moderation: async () => (await import('./moderation.js')).moderation,
  pattern: async () => (await import('./pattern.js')).pattern,
  pii: async () => (await import('./pii.js')).pii,
  profanity: async () => (await import('./profanity.js')).profanity,
  prompt_injection: async () => (await import('./prompt-injection.js')).promptInjection,
  risk_signal: async () => (await import('./risk-signal.js')).riskSignal,
  scripted: async () => (await import('./scripted.js')).scripted,
  secrets: async () => (await import('./secrets.js')).secrets,
  structure: async () => (await import('./structure.js')).structure,
};

/** Whether an implementation comes with this package; nobody else's can have its name. */
export const isBuiltIn = (name: string): boolean => Object.hasOwn(BUILT_IN, name);

export interface CriticRegistry {
  /** The implementation, loaded; `undefined` when there is none of that name. */
  find(name: string): Promise<AnyCritic | undefined>;
  /** All names, sorted. */
  readonly names: readonly string[];
  /** By name: the module that a critic came from, which a thread can load again. Without those that were handed over as objects. */
  readonly modules?: ReadonlyMap<string, string>;
}

/** Whether a thread can load this implementation again. */
export const isForThreads = (name: string, { modules }: CriticRegistry): boolean =>
  modules !== undefined && (isBuiltIn(name) || modules.has(name));

/** Why not, in a sentence. */
export const notForThreads = (name: string): string =>
  `${name} cannot run in a thread: it was handed over as an object; only built-in critics and those of a critics module can be loaded again there`;

export interface OwnCritic {
  readonly critic: AnyCritic;
  /** For people. */
  readonly from: string;
  /** Absolute path of its module. */
  readonly module?: string;
}

/**
 * @param own critics of the deployment, each with where it came from, and the module's file if it was one.
 * @throws Error naming both places when two critics have one name, or one has the name of a built-in critic.
 */
export function makeRegistry(own: readonly OwnCritic[] = []): CriticRegistry {
  const byName = new Map<string, { critic: AnyCritic; from: string }>();
  for (const { critic, from } of own) {
    if (!CRITIC_NAME.test(critic.name))
      throw new Error(`${from}: a critic cannot be called ${JSON.stringify(critic.name)}: names are [a-z][a-z0-9_]{0,63}`);
    const earlier = byName.get(critic.name);
    if (earlier) throw new Error(`${from}: a critic called ${critic.name} is already defined in ${earlier.from}`);
    if (critic.name in BUILT_IN) throw new Error(`${from}: ${critic.name} is the name of a built-in critic`);
    byName.set(critic.name, { critic, from });
  }
  return {
    async find(name) {
      if (byName.has(name)) return byName.get(name)?.critic;
      return Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name]?.() : undefined;
    },
    modules: new Map(own.flatMap(({ critic, module }) => (module === undefined ? [] : [[critic.name, module] as const]))),
    names: [...byName.keys(), ...Object.keys(BUILT_IN)].toSorted(),
  };
}
