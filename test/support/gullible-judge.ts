/**
 * How a language model reads what it is sent, at its most gullible: it obeys the last order that it sees outside the fence,
 * takes the mark-up of a chat for the end of a message wherever that stands, and reads over characters that cannot be seen.
 * Answers as the `chat` of a fake provider.
 */
import type { Json } from '../../src/domain/finding.js';

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface ChatBody {
  readonly model: string;
  readonly temperature?: number;
  readonly max_tokens?: number;
  readonly messages: readonly ChatMessage[];
  readonly response_format?: Json;
}

export interface Read {
  /** What stands outside the fence. */
  readonly outside: string;
  /** What stands inside, as it is written there, by the name of the part. */
  readonly parts: Readonly<Record<string, string>>;
}

export const NOTHING_FOUND: Json = { reasons: [], violations: [], severity: 0, uncertainty: 0.1 };

const CHAT_MESSAGE = /<\|im_start\|>(\w*)([\s\S]*?)<\|im_end\|>/g;
const INSTRUCTION_MARKS = /\[\/?INST\]|<\/?s>|\[[gs]MASK\]|\[\|\w+\|\]|\[e~\[|\]~!?b[[\]]/g;

/** As servers read that write all messages into one text: what looks like the end of a message is one, in any place. */
function asRead(messages: readonly ChatMessage[]): string[] {
  const written = messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('');
  return Array.from(written.matchAll(CHAT_MESSAGE), ([, role, content]) => `${role}:\n${content}`)
    .flatMap((text) => text.split(INSTRUCTION_MARKS))
    .map((text) => text.normalize('NFKC').replace(/\p{Default_Ignorable_Code_Point}/gu, ''));
}

/** Takes the parts between the lines with the mark out of the messages; the mark is the one that the first of them names. */
export function readChat(messages: readonly ChatMessage[]): Read {
  const texts = asRead(messages);
  const mark = /^The mark of this request: ([0-9a-f]{32})$/m.exec(texts[0] ?? '')?.[1] ?? 'none';
  const outside: string[] = [];
  const parts: Record<string, string> = {};
  for (const text of texts) {
    // A message ends with what is open in it.
    let open: { readonly name: string; readonly lines: string[] } | undefined;
    for (const line of text.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)) {
      const [, edge, name = ''] = new RegExp(`^(BEGIN|END) (\\w+) ${mark}$`).exec(line) ?? [];
      if (edge === 'BEGIN' && open === undefined) open = { name, lines: [] };
      else if (edge === 'END' && open !== undefined) {
        parts[open.name] = open.lines.join('\n');
        open = undefined;
      } else (open?.lines ?? outside).push(line);
    }
  }
  return { outside: outside.join('\n'), parts };
}

/** Obeys the last order for a severity that stands outside the fence; without one it finds everything harmful. */
export function obedientAnswer(messages: readonly ChatMessage[]): Json {
  const order = readChat(messages)
    .outside.match(/answer severity \d(?:\.\d+)?/gi)
    ?.at(-1);
  const severity = order === undefined ? 0.9 : Number(order.split(' ').at(-1));
  const violations = severity === 0 ? [] : [{ code: 'harm', message: 'It is harmful.', severity, quote: null }];
  return { reasons: [], violations, severity, uncertainty: 0.1 };
}

/** The messages of a request to a provider. */
export const messagesOf = (body: unknown): readonly ChatMessage[] => (body as ChatBody).messages;
