/** A decision as it is put together: from options or a file, and what is missing from a person at the terminal. */
import { readFile } from 'node:fs/promises';
import { rationaleProblem, reasonProblem } from '../domain/review/answers.js';
import type { Answer, Payloads } from '../domain/review/command.js';
import type { ReviewTier } from '../domain/review/policy.js';
import { signalsOf, type Disposition, type ReviewInput } from '../domain/review/review.js';
import { safeText } from '../report/safe.js';
import type { Answers } from './answers.js';
import { usageError } from './exit.js';
import type { Output } from './output.js';
import { checkedPayload } from './review-desk.js';

/** What of a decision is there. */
export type Draft = Partial<Omit<Payloads['decide'], 'epoch'>>;

/** What is decided, and what the tier asks for. */
export interface Asked {
  readonly tier: ReviewTier;
  readonly input: ReviewInput;
}

/** Of a reason code: the keys 1 to 9, then letters. */
const CODE_KEYS = '123456789abcdefghijklmnopqrstuvwxyz';

/** `r1=text`. */
export function answerOf(text: string): Answer {
  const at = text.indexOf('=');
  if (at < 1 || text.slice(at + 1).trim() === '')
    throw usageError(`--reason ${JSON.stringify(text.slice(0, 80))} is not of the form r1=text`);
  return { id: text.slice(0, at), reason: text.slice(at + 1) };
}

/** @throws CliError when the file is no decision; what stands in it is not repeated. */
export async function draftIn(file: string): Promise<Draft> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw usageError(`${file}: cannot be read`);
  });
  const value = parsed(text);
  const how = `${file}: is no decision: {"disposition": "PROCEED" or "HALT", and of "code", "signals": [{"id", "reason"}], "rationale" what the tier asks for}`;
  if (typeof value !== 'object' || value === null || 'epoch' in value) throw usageError(how);
  // Checked with a number in the place of the claim's.
  const { epoch: _epoch, ...draft } = checkedPayload('decide', { ...(value as Payloads['decide']), epoch: 1 }, how);
  return draft;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the tier asks for and is not there, as options. */
export function missingOf(draft: Draft, { tier, input }: Asked): string[] {
  const answered = new Set(draft.signals?.map(({ id }) => id));
  return [
    ...(draft.disposition === undefined ? ['--proceed or --halt'] : []),
    ...(tier === 'triage' && draft.code === undefined ? [`--code of ${input.rules.reasons.join(', ')}`] : []),
    ...(tier === 'triage'
      ? []
      : signalsOf(input.packet.report)
          .filter(({ id }) => !answered.has(id))
          .map(({ id }) => `--reason ${id}=…`)),
    ...(tier === 'determination' && draft.rationale === undefined ? ['--rationale'] : []),
  ];
}

/** @throws CliError when something of it is too short or says what another says: no need to ask the review. */
export function checkedWords({ signals = [], rationale }: Draft, { tier, input }: Asked): void {
  if (tier === 'triage') return;
  const messages = new Map(signalsOf(input.packet.report).map(({ id, message }) => [id, message]));
  const problems = [
    ...signals.map((answer, index) => reasonProblem(tier, answer, messages.get(answer.id) ?? '', signals.slice(0, index))),
    rationale === undefined ? undefined : rationaleProblem(tier, rationale),
  ].filter((problem) => problem !== undefined);
  if (problems.length > 0) throw usageError(safeText(problems.join('; ')));
}

/** @returns `undefined` when whoever was asked has gone. */
export async function completed(draft: Draft, asked: Asked, answers: Answers, output: Output): Promise<Draft | undefined> {
  const disposition = draft.disposition ?? (await askDisposition(answers, output));
  if (disposition === undefined) return undefined;
  if (asked.tier === 'triage') {
    const code = draft.code ?? (await askCode(asked.input.rules.reasons, answers, output));
    return code === undefined ? undefined : { ...draft, disposition, code };
  }
  const signals = await askReasons(draft.signals ?? [], asked, answers, output);
  if (signals === undefined) return undefined;
  const rationale = draft.rationale ?? (asked.tier === 'determination' ? await askRationale(answers, output) : undefined);
  if (asked.tier === 'determination' && rationale === undefined) return undefined;
  return { ...draft, disposition, signals, ...(rationale !== undefined ? { rationale } : {}) };
}

async function askDisposition(answers: Answers, output: Output): Promise<Disposition | undefined> {
  for (;;) {
    output.ask('p proceed, h halt: ');
    const key = await answers.key();
    output.ask('\n');
    if (key === undefined) return undefined;
    if (key === 'p') return 'PROCEED';
    if (key === 'h') return 'HALT';
  }
}

async function askCode(reasons: readonly string[], answers: Answers, output: Output): Promise<string | undefined> {
  const keyed = reasons.slice(0, CODE_KEYS.length).map((reason, index) => [CODE_KEYS[index] ?? '', reason] as const);
  for (;;) {
    output.ask(`${keyed.map(([key, reason]) => `${key} ${safeText(reason)}`).join(', ')}: `);
    const pressed = await answers.key();
    output.ask('\n');
    if (pressed === undefined) return undefined;
    const code = keyed.find(([key]) => key === pressed)?.[1];
    if (code !== undefined) return code;
  }
}

async function askReasons(
  given: readonly Answer[],
  { tier, input }: Asked,
  answers: Answers,
  output: Output,
): Promise<readonly Answer[] | undefined> {
  const signals: Answer[] = [...given];
  for (const { id, message } of signalsOf(input.packet.report)) {
    if (given.some((answer) => answer.id === id)) continue;
    const problem = (reason: string) => reasonProblem(tier, { id, reason }, message, signals);
    const reason = await askText(`${id} (${safeText(message)})`, answers, output, problem);
    if (reason === undefined) return undefined;
    signals.push({ id, reason });
  }
  return signals;
}

const askRationale = (answers: Answers, output: Output): Promise<string | undefined> =>
  askText('in all', answers, output, (text) => rationaleProblem('determination', text));

/** A line that is not empty and has no problem; what is wrong with it is told, and it is asked for again. */
export async function askText(
  what: string,
  answers: Answers,
  output: Output,
  problemOf: (text: string) => string | undefined = () => undefined,
): Promise<string | undefined> {
  for (;;) {
    output.ask(`${what}, your reason: `);
    const line = await answers.line();
    if (line === undefined) return undefined;
    if (line.trim() === '') continue;
    const problem = problemOf(line);
    if (problem === undefined) return line;
    output.note(safeText(problem));
  }
}
