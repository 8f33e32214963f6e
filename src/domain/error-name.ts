/** Whether this may be shown as the name of an error: a class's name, never a sentence that may quote the content. Pure. */
export const isErrorName = (name: unknown): name is string => typeof name === 'string' && /^[A-Za-z]{1,64}$/.test(name);
