/** Places in a JSON value, written as JSON Pointers (RFC 6901). Pure. */

/** `/output/0` to its steps; an empty pointer has none. */
export const stepsOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

/** One step with the `/` before it. */
export const pointerStep = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
