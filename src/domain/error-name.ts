/** Whether this may be shown as the name of an error: a class's name, never a sentence that may quote the content. Pure. */
export const isErrorName = (name: unknown): name is string => typeof name === 'string' && /^[A-Za-z]{1,64}$/.test(name);

/** Its message, for a log or a sentence of ours. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'something was thrown that is not an Error');

/** It may be an object whose every property throws, and a throw from here would end the process. */
export function kindOf(thrown: unknown): string {
  try {
    const name: unknown = thrown instanceof Error ? thrown.name : typeof thrown;
    return isErrorName(name) ? name : 'an Error of its own';
  } catch {
    return 'something that cannot be read';
  }
}
