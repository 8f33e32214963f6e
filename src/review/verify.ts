/**
 * Whether the account of a review is sound: nothing in it was changed, added or left out, everybody who acted was who they
 * say and might do so, and its end is what the rules make of it. Pure over a record or an export; asks nobody.
 *
 * V1 The first record that is wrong is named: `entry 7`, `command …`, `people 2`, `result`.
 * V2 What cannot be read is wrong. Nothing that is given makes it throw.
 * V3 Commands without a signature are told, not wrong: a deployment may accept them, and its permits say so.
 */
import { isReset, type AcceptedCommand, type ReviewRecord } from './review-record.js';
import { reviewId as reviewIdOf } from '../contract.js';
import { verifyAssertion } from '../domain/review/assertion.js';
import { chainProblem, type ChainEntry } from '../domain/review/chain.js';
import { readCommand, type ReadCommand } from '../domain/review/command.js';
import { digestOf, digestOfText } from '../domain/review/crypto.js';
import type { People } from '../domain/review/people.js';
import { retrace } from '../domain/review/retrace.js';
import { REVIEW_ACTIONS } from '../domain/review/review.js';

export interface Problem {
  /** `entry 7`, `command <id>`, `people 2`, `run <id>`, `input`, `result`, `export`. */
  readonly record: string;
  readonly message: string;
}

export type Verified =
  | {
      readonly sound: true;
      /** Numbers of the entries whose commands were not signed. */
      readonly unsigned: readonly number[];
    }
  | { readonly sound: false; readonly problem: Problem };

/** What is looked at of a record; the rest says where it came from. */
export type Verifiable = Omit<ReviewRecord, 'workflowType' | 'taskQueue' | 'memoDigest'>;

export function verifyReview(record: Verifiable): Verified {
  try {
    const problem = firstProblem(record);
    if (problem !== undefined) return { sound: false, problem };
    return { sound: true, unsigned: record.entries.filter(isUnsigned).map(({ entry }) => entry.seq) };
  } catch {
    // Whatever is of another form than what a review leaves behind.
    return { sound: false, problem: { record: 'export', message: 'it holds something that no review leaves behind' } };
  }
}

const isUnsigned = ({ entry }: Verifiable['entries'][number]): boolean =>
  entry.commandId !== undefined && entry.assertionHash === undefined;

const at = (seq: number, message: string): Problem => ({ record: `entry ${seq}`, message });

function firstProblem(record: Verifiable): Problem | undefined {
  return (
    runProblem(record) ??
    inputProblem(record) ??
    peopleProblem(record) ??
    entryProblem(record) ??
    commandProblem(record) ??
    endProblem(record)
  );
}

function runProblem({ runs, isWhole, isReset: wasReset }: Verifiable): Problem | undefined {
  if (isWhole !== true || runs.length === 0) return { record: 'run', message: 'the histories of its first runs are gone' };
  const reset = runs.find(isReset);
  if (reset !== undefined) return { record: `run ${reset.runId}`, message: 'it was reset, so nothing in it counts' };
  return wasReset === false ? undefined : { record: 'run', message: 'it was reset, so nothing in it counts' };
}

/** The packet and what stands around it, against their digests. That the rules are the ones of the opening is for the first entry. */
function inputProblem({ reviewId, input }: Verifiable): Problem | undefined {
  const wrong = (message: string): Problem => ({ record: 'input', message });
  const { packet, evaluationId, tenant } = input;
  const { report } = packet;
  if (input.v !== 1) return wrong('it is of another version');
  if (digestOf(packet) !== input.packetDigest) return wrong('the packet is not what its digest was made of');
  if (digestOf(report) !== input.reportHash) return wrong("the evaluation's report is not what its hash was made of");
  if (digestOf(packet.content) !== report.contentHash) return wrong("the content is not the one of the evaluation's report");
  if (report.evaluationId !== evaluationId || report.tenant !== tenant) return wrong('the report is that of another evaluation');
  if (reviewIdOf(evaluationId, input.evaluationRunId) !== reviewId) return wrong('it is that of another review');
  return undefined;
}

function peopleProblem({ people }: Verifiable): Problem | undefined {
  const index = people.findIndex(({ persons, digest }) => !(digest === '' && persons.length === 0) && digestOf(persons) !== digest);
  return index === -1 ? undefined : { record: `people ${index + 1}`, message: 'they are not those that their digest was made of' };
}

/** Who might act when an entry was written, as the last entry about people says. */
interface Rights {
  readonly people: People;
  readonly insecure: boolean;
}

function entryProblem(record: Verifiable): Problem | undefined {
  const { reviewId, input, entries } = record;
  const broken = chainProblem(entries, { reviewId, reportHash: input.reportHash });
  let rights: Rights | undefined;
  let beforeMs = Date.parse(record.openedAt);
  for (const { entry } of entries) {
    if (broken !== undefined && entry.seq >= broken.seq) return at(broken.seq, broken.message);
    const message = entry.v === 1 ? timeProblem(entry, beforeMs) : 'it is of another version';
    if (message !== undefined) return at(entry.seq, message);
    beforeMs = Date.parse(entry.at);
    const isAboutPeople = entry.facts?.['peopleDigest'] !== undefined;
    if (isAboutPeople) rights = rightsOf(record, entry);
    // A review may be over before anybody could act: superseded, say, while the file of people could not be read.
    if (rights === undefined && (isAboutPeople || isHuman(entry))) return at(entry.seq, 'who might act then is not recorded');
    const problem = isHuman(entry) && rights !== undefined ? actProblem(record, entry, rights) : ownProblem(entry);
    if (problem !== undefined) return at(entry.seq, problem);
  }
  return broken === undefined ? retraceProblem(record) : at(broken.seq, broken.message);
}

const isHuman = ({ type }: ChainEntry): boolean => REVIEW_ACTIONS.some((action) => action === type);

const timeProblem = ({ at: time }: ChainEntry, beforeMs: number): string | undefined =>
  Date.parse(time) >= beforeMs ? undefined : 'it is older than what came before it';

const ownProblem = ({ by, commandId, assertionHash }: ChainEntry): string | undefined =>
  by === undefined && commandId === undefined && assertionHash === undefined ? undefined : 'nobody can have done this';

function rightsOf({ people }: Verifiable, { facts }: ChainEntry): Rights | undefined {
  const found = people.find(({ digest }) => digest === facts?.['peopleDigest']);
  return found === undefined ? undefined : { people: found, insecure: facts?.['insecure'] === true };
}

/** What is wrong with what a person did. */
function actProblem(record: Verifiable, entry: ChainEntry, { people, insecure }: Rights): string | undefined {
  const accepted = commandOf(record, entry);
  const command = accepted === undefined ? undefined : readAccepted(accepted);
  if (command === undefined) return `no accepted command is behind it (${entry.commandId ?? 'without an id'})`;
  if (command.assertion === undefined) {
    if (!insecure) return 'its command is not signed, and only signed ones were taken then';
    return command.as === entry.by ? undefined : 'its command is from somebody else';
  }
  const { action, commandId, payloadDigest, assertion } = command;
  const expected = { tenant: record.input.tenant, reviewId: record.reviewId, action, commandId, payloadDigest };
  const verified = verifyAssertion(assertion, people, expected, Date.parse(entry.at));
  if (!verified.ok) return `its signature does not hold (${verified.code})`;
  if (verified.person.id !== entry.by) return `${verified.person.id} has signed it, not ${entry.by ?? 'nobody'}`;
  return verified.claims.pkt === record.input.packetDigest ? undefined : 'who signed it looked at another packet';
}

/** The command of an entry: of the same id, action, payload and signature. */
function commandOf({ commands }: Pick<Verifiable, 'commands'>, entry: ChainEntry): AcceptedCommand | undefined {
  return taken(commands).find((accepted) => {
    const command = readAccepted(accepted);
    return command !== undefined && isOf(command, entry) && hashOf(command) === entry.assertionHash;
  });
}

const taken = (commands: readonly AcceptedCommand[]): readonly AcceptedCommand[] => commands.filter(({ refused }) => refused !== true);

const readAccepted = ({ action, command }: AcceptedCommand): ReadCommand | undefined => readCommand(action, command);

const isOf = ({ action, commandId, payloadDigest }: ReadCommand, entry: ChainEntry): boolean =>
  entry.type === action && entry.commandId === commandId && entry.payloadDigest === payloadDigest;

const hashOf = ({ assertion }: ReadCommand): string | undefined => (assertion === undefined ? undefined : digestOfText(assertion));

function retraceProblem(record: Verifiable): Problem | undefined {
  const traced = retrace(accountOf(record));
  return traced.ok ? undefined : at(traced.seq, 'the rules of the review make something else of what came before it');
}

function accountOf(record: Verifiable): Parameters<typeof retrace>[0] {
  const { reviewId, input, openedAt, entries, people, commands } = record;
  return {
    reviewId,
    input,
    openedAtMs: Date.parse(openedAt),
    entries,
    commandOf: (entry) => commandOf({ commands }, entry)?.command,
    peopleOf: (digest) => people.find((one) => one.digest === digest),
  };
}

/** A command without its entry: what a person did was left out. While it runs the newest may not stand there yet. */
function commandProblem({ commands, entries, status }: Verifiable): Problem | undefined {
  for (const accepted of taken(commands)) {
    const command = readAccepted(accepted);
    if (command === undefined) return { record: `command ${accepted.updateId}`, message: 'it is no command that a review takes' };
    const hasEntry = entries.some(({ entry }) => isOf(command, entry));
    if (!hasEntry && !UNFINISHED.includes(status))
      return { record: `command ${command.commandId}`, message: 'it was accepted, and no entry tells of it' };
  }
  return undefined;
}

/** A run that was ended from outside has had no time to write the last entries. */
const UNFINISHED: readonly Verifiable['status'][] = ['running', 'terminated', 'timed_out'];

function endProblem(record: Verifiable): Problem | undefined {
  const wrong = (message: string): Problem => ({ record: 'result', message });
  const { result, status } = record;
  if (!STATUSES.includes(status)) return { record: 'run', message: 'how it ended is not known' };
  if ((status === 'completed') !== (result !== undefined)) return wrong('a review that completed has one, and no other');
  const traced = retrace(accountOf(record));
  const made = traced.ok ? traced.result : undefined;
  if (result === undefined) return undefined;
  return made !== undefined && digestOf(made) === digestOf(result) ? undefined : wrong('it is not what the entries come to');
}

const STATUSES: readonly Verifiable['status'][] = ['running', 'completed', 'failed', 'cancelled', 'terminated', 'timed_out'];
