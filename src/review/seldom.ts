/** For what would else be told with every attempt. */

const TOLD_AGAIN_MS = 600_000;

/** @returns whether a text is to be told: when it was not within the last ten minutes. */
export function makeSeldom(now: () => number = Date.now): (text: string) => boolean {
  const told = new Map<string, number>();
  return (text) => {
    const at = now();
    for (const [old, toldAt] of told) if (at - toldAt >= TOLD_AGAIN_MS) told.delete(old);
    if (told.has(text)) return false;
    told.set(text, at);
    return true;
  };
}
