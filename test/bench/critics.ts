/**
 * How long the built-in offline critics take, and how long they keep the event loop. A script, not a test:
 * `node --import tsx test/bench/critics.ts [critic …]`. For each critic: p50 and p95 over 10 KB of chat, and for each hostile
 * text of 256 KB the whole time and the longest block, measured between two turns of a ticking `setImmediate`: by the clock, and
 * by the processor time that this process had meanwhile, which other work on the machine does not lengthen.
 */
import { parseOptions } from '../../src/critics/attempt.js';
import type { AnyCritic } from '../../src/critics/critic.js';
import { makeRegistry } from '../../src/critics/registry.js';
import type { Json } from '../../src/domain/finding.js';

const LONG_CHARS = 262_144;
const SHORT_CHARS = 10_240;
const ROUNDS = 200;
const WARM_ROUNDS = 20;

/** What critics without useful defaults are given. */
const OPTIONS: Readonly<Record<string, Json>> = {
  pattern: {
    words: ['lorem', 'ipsum', 'dolor'].map((word) => ({ word, severity: 0.5 })),
    patterns: [
      { re: String.raw`\b[A-Z]{2}-\d{6}\b`, severity: 0.5, code: 'ticket' },
      { re: String.raw`(?i)\bproject\s+(?:falcon|heron)\b.{0,60}\bbudget\b`, severity: 0.5, code: 'project' },
    ],
  },
  structure: { parse: true, allowFence: true, maxChars: LONG_CHARS, maxDepth: 100, schema: { type: 'object', required: ['a'] } },
  language: { allow: ['en'] },
  risk_signal: { about: 'harm' },
};

const CHAT = [
  'Sure, here is a short plan for your trip to Lisbon. On the first day walk through Alfama and take tram 28; on the second, go to Belém.',
  'The function below reads 1,024 rows at a time: `for (let i = 0; i < rows.length; i += 1024) await save(rows.slice(i, i + 1024));`',
  'Our office moved on 12 May 2024. Write to jane.roe@mail.test or call +49 30 901820 between 9:00 and 17:30. The order number is 4711-0815.',
  'In 2019 the company had 12,500 employees, 3.4 % more than in 2018; revenue rose from 1 250 000 to 1 410 000 euros.',
  'Translate the next paragraph, please. It is about a fox that jumps over a lazy dog, and about nothing else.\n',
].join('\n');

const fill = (unit: string, chars: number): string => unit.repeat(Math.ceil(chars / unit.length)).slice(0, chars);

/** Alternating: the one has a right check digit, the other has not. */
const CARDS = '4111111111111111 4111111111111112 ';

const HOSTILE: Readonly<Record<string, Json>> = {
  chat: fill(CHAT, LONG_CHARS),
  digits: fill('1234567890', LONG_CHARS),
  'single digits': fill('4 1 1 1 1 1 ', LONG_CHARS),
  'groups of four': fill('4111 ', LONG_CHARS),
  'addresses without an end': fill('a@', LONG_CHARS),
  'plus signs': fill('+1 ', LONG_CHARS),
  'phone numbers': fill('+49 30 901820 ', LONG_CHARS),
  'grouped numbers': fill('415 555 26 71-', LONG_CHARS),
  'one letter': fill('A', LONG_CHARS),
  spaces: fill(' ', LONG_CHARS),
  emoji: fill('😀', LONG_CHARS),
  'wide digits': fill('４１１１', LONG_CHARS),
  'invisible characters': fill('4\u200b', LONG_CHARS),
  'begin marks': fill('-----BEGIN PRIVATE KEY-----\n', LONG_CHARS),
  dashes: fill('-----BEGIN', LONG_CHARS),
  cards: fill(CARDS, LONG_CHARS),
  ibans: fill('DE89370400440532013000 ', LONG_CHARS),
  'halves of tokens': fill('eyJhbGciOiJ.', LONG_CHARS),
  'key words': fill('password secret token api_key=', LONG_CHARS),
  'addresses with a user': fill('http://a:b', LONG_CHARS),
  'numbers with dots': fill('1.2.3.4', LONG_CHARS),
  colons: fill('a:1::', LONG_CHARS),
  words: fill('ignore all previous instructions, you idiot ', LONG_CHARS),
  base64: fill('QWxsIHdvcmsgYW5kIG5vIHBsYXkg', LONG_CHARS),
  'a fence of spaces': `\`\`\`json\n${fill(' ', LONG_CHARS - 9)}x`,
  'rows of marks': fill('\u0301\u0316\u0327\u0345', LONG_CHARS / 2),
  'signs that become marks': fill('\uff9e\u0316', LONG_CHARS / 2),
  'swear words': fill('fuck ', LONG_CHARS),
  'empty texts': Array.from({ length: 85_000 }, () => ''),
  'empty lists': Array.from({ length: 85_000 }, () => []),
  'one letter each': Array.from({ length: 65_000 }, () => 'a'),
  'huge numbers': Array.from({ length: 12_000 }, (_none, index) => 1.797_693_134_862_315e308 / (index + 1)),
  'a structure of short texts': Array.from({ length: 29_000 }, (_none, index) => `n${index}`),
};

interface Timing {
  readonly ms: number;
  readonly longestBlockMs: number;
  readonly longestBlockCpuMs: number;
}

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

async function timed(critic: AnyCritic, options: never, content: Json): Promise<Timing> {
  let running = true;
  let longestBlockMs = 0;
  let longestBlockCpuMs = 0;
  let lastCpu = cpuMs();
  let last = performance.now();
  const start = last;
  const look = (): void => {
    const now = performance.now();
    const nowCpu = cpuMs();
    longestBlockMs = Math.max(longestBlockMs, now - last);
    longestBlockCpuMs = Math.max(longestBlockCpuMs, Math.min(now - last, nowCpu - lastCpu));
    last = now;
    lastCpu = nowCpu;
    if (running) setImmediate(look);
  };
  setImmediate(look);
  await critic.evaluate(
    { content, context: {}, findings: {} },
    {
      options,
      signal: new AbortController().signal,
      heartbeat: () => undefined,
      log: () => undefined,
      idempotencyKey: 'bench',
      attempt: 1,
      secret: () => undefined,
      fetch: () => Promise.reject(new Error('an offline critic asked for something')),
    },
  );
  const ms = performance.now() - start;
  look();
  running = false;
  return { ms, longestBlockMs, longestBlockCpuMs };
}

const rounded = (ms: number): string => ms.toFixed(1).padStart(8);

async function bench(name: string): Promise<void> {
  const critic = await makeRegistry().find(name);
  if (critic === undefined) throw new Error(`no critic is called ${name}`);
  const parsed = parseOptions(critic, OPTIONS[name] ?? {});
  if (!parsed.ok) throw new Error(`${name}: ${parsed.issues.map(({ message }) => message).join('; ')}`);
  const options = parsed.value;
  await critic.warm?.(options);
  const times: number[] = [];
  const cpuTimes: number[] = [];
  for (let round = -WARM_ROUNDS; round < ROUNDS; round += 1) {
    const cpuBefore = cpuMs();
    const { ms } = await timed(critic, options, fill(CHAT, SHORT_CHARS));
    if (round < 0) continue;
    times.push(ms);
    cpuTimes.push(cpuMs() - cpuBefore);
  }
  const at = (share: number, all = times): string => (all.toSorted((a, b) => a - b)[Math.floor(all.length * share)] ?? 0).toFixed(1);
  console.log(`\n${name}: 10 KB of chat, p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, processor p95 ${at(0.95, cpuTimes)} ms (n ${ROUNDS})`);
  const rows: (Timing & { readonly what: string })[] = [];
  for (const [what, content] of Object.entries(HOSTILE)) rows.push({ what, ...(await timed(critic, options, content)) });
  for (const { what, ms, longestBlockMs, longestBlockCpuMs } of rows)
    console.log(
      `  ${what.padEnd(28)}${rounded(ms)} ms, longest block ${rounded(longestBlockMs)} ms, of it processor ${rounded(longestBlockCpuMs)} ms`,
    );
  const longest = (of: (timing: Timing) => number): string => Math.max(...rows.map(of)).toFixed(1);
  console.log(`  longest of all: ${longest((row) => row.longestBlockMs)} ms, processor ${longest((row) => row.longestBlockCpuMs)} ms`);
}

const registry = makeRegistry();
const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : registry.names) {
  const critic = await registry.find(name);
  // Not those that ask others, nor the one that does what a test tells it.
  if (asked.length > 0 || (critic?.asks === undefined && name !== 'scripted')) await bench(name);
}
