/** Records that critics got wrong, with the beginning of their texts: for the terminal and JSON alone, and only where asked for. Pure. */
import type { Assessment } from './figures.js';
import type { SetRecord } from './sets/record.js';

/** Of a text: enough to see why. */
const SHOWN_CHARS = 160;

export interface Misjudged {
  readonly critic: string;
  readonly family: string;
  readonly what: 'missed' | 'wrongly flagged';
  readonly id: string;
  readonly text: string;
}

/** @param most of each kind, for each critic and family. */
export function misjudgedOf({ critics }: Assessment, records: readonly SetRecord[], most: number): Misjudged[] {
  const byId = new Map(records.map((record) => [record.id, record]));
  const textOf = (id: string): string => {
    const content = byId.get(id)?.content ?? '';
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
  };
  return critics.flatMap(({ name: critic, families }) =>
    families.flatMap(({ family, missed, wronglyFlagged }) => [
      ...missed.slice(0, most).map((id) => ({ critic, family, what: 'missed', id, text: textOf(id) }) as const),
      ...wronglyFlagged.slice(0, most).map((id) => ({ critic, family, what: 'wrongly flagged', id, text: textOf(id) }) as const),
    ]),
  );
}
