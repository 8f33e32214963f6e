/**
 * What every critic owes its host, whatever it judges: promises on which workers, plans and reports rely. A list of checks,
 * for any test runner:
 *
 *     for (const { name, run } of conformanceChecks(critic, { good: {} })) test(name, run);
 *
 * `tribunal critic test` runs the same checks in a process of their own.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { parseOptions } from '../critics/attempt.js';
import type { Critic, CriticInput, CriticTools } from '../critics/critic.js';
import { CRITIC_NAME } from '../critics/module.js';
import type { Json } from '../domain/finding.js';
import { CheckFailed, type Check } from './check.js';
import { CANARY, CONTENTS, ORDINARY, SECRET_CANARY, TELLING } from './contents.js';
import { essence, expectNoForeign, expectSpansInside, foreignFields } from './findings.js';
import { makeHost, optionsIn, type Answer, type ConformanceCase, type Host } from './host.js';
import { inputFor, optionsOf, toolsFor } from './tools.js';

/** What still runs so long after its signal was aborted does not listen to it. */
const STOP_MS = 2_000;
/** What a plan may hold under `with` by mistake. */
const JUNK: readonly Json[] = ['text', 7, true, ['list']];

/** @returns the checks that apply to this critic, in the order in which their messages help most. */
export function conformanceChecks<Options>(critic: Critic<Options>, oneCase: ConformanceCase<Options>): Check[] {
  const host = makeHost(critic, oneCase);
  const { telling, waiting, varies = false } = oneCase;
  const told = new Set<string>();
  return [
    ...formChecks(critic, oneCase),
    { name: 'judges an ordinary text', run: () => judgesOrdinary(host) },
    { name: 'ends soon when its signal is aborted', run: () => endsOnAbort(critic, oneCase) },
    { name: 'leaves what it is handed as it is', run: () => leavesInput(critic, oneCase) },
    ...(varies ? [] : [{ name: 'gives the same finding for the same content', run: () => givesTheSame(host) }]),
    { name: 'remembers nothing of other contents', run: () => remembersNothing(host, telling?.content) },
    { name: 'tells nothing of content, context and secrets in messages, codes and log lines', run: () => tellsNothing(host) },
    ...(telling === undefined
      ? []
      : [{ name: 'never quotes what it found in a message or a code', run: () => neverQuotes(host, telling) }]),
    ...(waiting === undefined ? [] : [{ name: 'stops waiting when its signal is aborted', run: () => stopsWaiting(critic, waiting) }]),
    ...Object.entries(CONTENTS).map(([name, content]) => ({
      name: `gives a clean finding for ${name}`,
      run: () => givesClean(host, content, told),
    })),
  ];
}

function formChecks<Options>(critic: Critic<Options>, oneCase: ConformanceCase<Options>): Check[] {
  const { good } = oneCase;
  const accepts = (written: Json): boolean => isAccepted(critic, written);
  return [
    {
      name: 'has a name and a version of the right form',
      async run() {
        if (!CRITIC_NAME.test(critic.name)) throw new CheckFailed(`its name is not of the form ${CRITIC_NAME.source}`);
        if (!/^\d+\.\d+\.\d+$/.test(critic.version)) throw new CheckFailed('its version is not of the form 1.0.0');
      },
    },
    {
      name: 'accepts good options',
      async run() {
        const problem = optionsProblem(critic, good);
        if (problem !== undefined) throw new CheckFailed(`it refuses the options of this test: ${problem}`);
        await critic.warm?.(optionsIn(critic, oneCase));
      },
    },
    {
      name: 'refuses an option that it does not know',
      async run() {
        if (accepts({ ...asObject(good), unheardOf: 1 }))
          throw new CheckFailed('a misspelt option would be taken for its default: make the schema strict (z.strictObject)');
      },
    },
    {
      name: 'refuses options that are none',
      async run() {
        const taken = critic.options === undefined ? [] : JUNK.filter(accepts);
        if (taken.length > 0) throw new CheckFailed(`it accepts ${taken.map((one) => JSON.stringify(one)).join(', ')} as its options`);
      },
    },
    {
      name: 'accepts its own checked options once more, unchanged, since plans pin them so',
      async run() {
        if (critic.options === undefined) return;
        const pinned = pinnedForm(optionsOf(critic, good));
        if (!accepts(pinned)) throw new CheckFailed('it refuses what its own schema made of the options');
        if (!isDeepStrictEqual(pinnedForm(optionsOf(critic, pinned)), pinned))
          throw new CheckFailed('its schema makes something else of options that it has checked before');
      },
    },
  ];
}

const asObject = (value: Json): object => (typeof value === 'object' && value !== null ? value : {});

const pinnedForm = (options: unknown): Json => JSON.parse(JSON.stringify(options ?? {})) as Json;

function isAccepted<Options>(critic: Critic<Options>, written: Json): boolean {
  try {
    return (critic.options ?? { safeParse: (value: unknown) => ({ success: parseOptions(critic, value).ok }) }).safeParse(written).success;
  } catch {
    throw new CheckFailed('its options schema throws instead of refusing; a schema that needs await cannot be used');
  }
}

/** The first problem, by its place; what a schema says of a value may quote it, and options may be private. */
function optionsProblem<Options>(critic: Critic<Options>, written: Json): string | undefined {
  if (isAccepted(critic, written)) return undefined;
  const place = critic.options?.safeParse(written).error?.issues[0]?.path.map(String).join('.') ?? '';
  if (critic.options === undefined) return 'it takes none';
  return place === '' ? 'see its schema' : `something is wrong at ${place}`;
}

async function judgesOrdinary(host: Host): Promise<void> {
  try {
    await host.finding(ORDINARY);
  } catch (error) {
    // Here a CriticError is no answer either: nothing of what follows would mean anything.
    throw error instanceof CheckFailed ? new CheckFailed(error.message, 'error', error.lost) : error;
  }
}

/** Without the frozen input of a worker, at which such a critic fails with a TypeError, so that the reason is told. */
async function leavesInput<Options>(critic: Critic<Options>, oneCase: ConformanceCase<Options>): Promise<void> {
  for (const content of [ORDINARY, CONTENTS['a structure'] ?? {}, { text: [ORDINARY] }]) {
    const handed = { ...inputFor(structuredClone(content), { context: { domain: 'chat', tags: ['a'] } }) };
    const before = structuredClone(handed);
    const options = optionsIn(critic, oneCase);
    const pinned = comparableOptions(options);
    await settled(begin(critic, handed, toolsFor(options)), oneCase.timeoutMs);
    if (!isDeepStrictEqual(handed, before)) throw new CheckFailed('it changes content, context or findings, which all critics share');
    if (comparableOptions(options) !== pinned) throw new CheckFailed('it changes its options, which all evaluations share');
  }
}

/** As far as JSON can tell; compiled patterns and the like have a state of their own. */
const comparableOptions = (options: unknown): string => JSON.stringify(options) ?? '';

async function givesTheSame(host: Host): Promise<void> {
  for (const content of [ORDINARY, CONTENTS['a structure'] ?? {}]) {
    const first = essence((await host.finding(content)).finding);
    if (!isDeepStrictEqual(essence((await host.finding(content)).finding), first))
      throw new CheckFailed('it gave two findings for one content: right for a model, a fault for anything else', 'warning');
  }
}

async function remembersNothing(host: Host, telling: Json | undefined): Promise<void> {
  const before = await host.answer(ORDINARY);
  const again = await host.answer(ORDINARY);
  for (const other of [...TELLING, ...(telling === undefined ? [] : [telling])]) await host.answer(other);
  const after = await host.answer(ORDINARY);
  if (JSON.stringify(after.end).includes(CANARY)) throw new CheckFailed('its answer holds a part of a content that it had judged before');
  // What answers differently by itself is told by another check.
  if (sameEnd(before, again) && !sameEnd(before, after))
    throw new CheckFailed('it judges a content differently after it has judged another one: it keeps state between calls');
  expectFinding([before, again, after]);
}

/** What holds of every error holds of a critic that gives nothing else, and says nothing of it. */
function expectFinding(answers: readonly Answer[]): void {
  if (!answers.some(({ end }) => end.ok)) throw new CheckFailed('it gave no finding', 'not_run');
}

const sameEnd = (one: Answer, other: Answer): boolean => isDeepStrictEqual(comparable(one), comparable(other));
const comparable = ({ end }: Answer): unknown => (end.ok ? essence(end.finding) : end.code);

async function tellsNothing(host: Host): Promise<void> {
  const answers: Answer[] = [];
  for (const content of TELLING) answers.push(checkTold(await host.answer(content)));
  answers.push(checkTold(await host.answer(ORDINARY, { context: { user: CANARY } })));
  expectFinding(answers);
}

function checkTold(answer: Answer): Answer {
  const { end, logged } = answer;
  const told = end.ok ? end.finding.violations.map(({ code, message }) => `${code} ${message}`).join('\n') : `${end.code} ${end.message}`;
  const where = end.ok ? 'the message or code of a violation' : 'the message or code of its CriticError';
  if (told.includes(CANARY)) throw new CheckFailed(`${where} quotes the content or the context; both are shown to others`);
  if (logged.includes(CANARY)) throw new CheckFailed('a log line of it quotes the content or the context');
  if (`${JSON.stringify(end)}${logged}`.includes(SECRET_CANARY))
    throw new CheckFailed('its answer or its log holds a secret that it asked for');
  return answer;
}

async function neverQuotes(host: Host, { content, secret }: { readonly content: Json; readonly secret: string }): Promise<void> {
  const { finding } = await host.finding(content);
  if (finding.violations.length === 0) throw new CheckFailed('it found nothing in the content that this test hands it');
  if (finding.violations.some(({ code, message }) => `${code} ${message}`.includes(secret)))
    throw new CheckFailed('the message or code of a violation quotes what it found');
}

async function endsOnAbort<Options>(critic: Critic<Options>, oneCase: ConformanceCase<Options>): Promise<void> {
  const stop = new AbortController();
  const options = oneCase.waiting === undefined ? optionsIn(critic, oneCase) : optionsOf(critic, oneCase.waiting);
  const running = settled(begin(critic, inputFor(ORDINARY), toolsFor(options, { signal: stop.signal })), STOP_MS);
  await turn();
  stop.abort(new Error('stop'));
  await running.catch((error: unknown) => {
    throw error instanceof CheckFailed
      ? new CheckFailed(
          `it still ran ${STOP_MS} ms after its signal was aborted: hand the signal to fetch and to whatever waits`,
          'error',
          true,
        )
      : error;
  });
}

/** What it throws at once and what it rejects with become the same. */
async function begin<Options>(critic: Critic<Options>, input: CriticInput, tools: CriticTools<Options>): Promise<unknown> {
  return await critic.evaluate(input, tools);
}

/** Ends when the critic does, however that is. @throws CheckFailed when it does not within the time. */
async function settled(running: Promise<unknown>, limit: number = STOP_MS): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new CheckFailed(`did not answer within ${limit} ms`, 'error', true)), limit);
  });
  try {
    await Promise.race([running.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function stopsWaiting<Options>(critic: Critic<Options>, waiting: Json): Promise<void> {
  const stop = new AbortController();
  const reason = new Error('stop');
  const tools = toolsFor(optionsOf(critic, waiting), { signal: stop.signal });
  const running = begin(critic, inputFor(ORDINARY), tools);
  const inTime = settled(running, STOP_MS);
  const ended = running.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  await turn();
  stop.abort(reason);
  await inTime;
  const end = await ended;
  if (end === undefined) throw new CheckFailed('it gave an answer although its signal was aborted');
  if (end.error !== reason) throw new CheckFailed('it was rejected with something else than the reason of its signal');
}

/** @param told the fields that were told already: what is wrong with one is wrong with it for every content. */
async function givesClean(host: Host, content: Json, told: Set<string>): Promise<void> {
  const { finding, returned } = await host.finding(content);
  expectSpansInside(finding, content);
  const fields = foreignFields(returned, finding).filter((field) => !told.has(field));
  for (const field of fields) told.add(field);
  expectNoForeign(fields);
}
