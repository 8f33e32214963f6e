/** Arguments of `tribunal review`, what is asked for at a terminal, and the keys of one: as far as no server is needed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Answers } from '../../src/cli/answers.js';
import { Output } from '../../src/cli/output.js';
import { reviewIdOf, whyNotOpen } from '../../src/cli/review-desk.js';
import { answerOf, checkedWords, completed, draftIn, missingOf, type Asked } from '../../src/cli/review-draft.js';
import type { ReviewTier } from '../../src/domain/review/policy.js';
import { fakeIo, runCli } from '../support/cli-io.js';
import { reviewInput, reviewView } from './review-text-fixture.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tribunal-review-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const WHY = 'a public speech is quoted, and nobody is named in it';

const ID = 'review/default/key/000000000000';

describe('wrong usage', () => {
  const cases: readonly (readonly [situation: string, args: string[], says: string])[] = [
    ['no command', [], 'Usage: tribunal review'],
    ['an id that is none', ['claim', 'default/key'], 'is not the id of a review'],
    ['an evaluation to show', ['show', 'default/det'], '"default/det" is not the id of a review: `tribunal review list` names them'],
    ['an evaluation to export', ['export', 'default/det'], '"default/det" is not the id of a review'],
    ['a word to export', ['export', 'det'], '"det" is not the id of a review'],
    ['nothing to export', ['export', ''], '"" is not the id of a review'],
    ['an evaluation to verify', ['verify', 'default/det'], '"default/det" is not the id of a review, nor a file'],
    ['nothing to verify', ['verify', ''], '"" is not the id of a review, nor a file'],
    ['an id of somebody that is none', ['claim', ID, '--as', 'a b'], '--as must be the id of a person'],
    ['a state that there is not', ['list', '--state', 'odd'], '--state must be one of'],
    ['an age without a unit', ['list', '--older-than', '4'], '--older-than'],
    ['a limit of words', ['list', '--limit', 'many'], '--limit must be a whole number'],
    ['both ways at once', ['decide', ID, '--proceed', '--halt'], 'cannot be used with'],
    ['a reason for nothing', ['decide', ID, '--halt', '--reason', 'because'], 'not of the form r1=text'],
    ['an empty comment', ['comment', ID, ' '], 'a comment must have'],
    [
      'a tier that nothing rises to',
      ['escalate', ID, '--to', 'triage', '--reason', 'x'],
      'Allowed choices are acknowledgement, determination',
    ],
    ['an unknown reason to step back', ['recuse', ID, '--code', 'TIRED'], 'Allowed choices are CONFLICT'],
    ['nobody to assign to', ['assign', ID], "required option '--to <id>' not specified"],
    ['nothing to withdraw', ['withdraw', '--reason', 'x'], 'name one review, or a queue'],
    ['one and a queue to withdraw', ['withdraw', ID, '--queue', 'q', '--reason', 'x'], 'name one review, or a queue'],
    ['a queue without consent', ['withdraw', '--queue', 'q', '--reason', 'x'], 'needs --yes'],
    ['a withdrawal without a reason', ['withdraw', ID], '--reason is needed'],
    ['labels out of an archive', ['export', '--labels', '--archive', '.'], 'leave out --archive'],
    ['a review and what goes with labels', ['export', ID, '--unsigned'], '--unsigned goes with --labels'],
    ['results of words', ['stats', '--results', 'many'], '--results must be a whole number'],
  ];
  it.each(cases)('%s: exit code 2, and a sentence on stderr', async (_, args, says) => {
    const { exit, stdout, stderr } = await runCli(['review', ...args]);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toContain(says);
  });

  it('of an id that lacks its first word is none', () => {
    expect(reviewIdOf('default/key/000000000000')).toBe(ID);
    expect(reviewIdOf(ID)).toBe(ID);
  });
});

describe('a decision', () => {
  const asked = (tier: ReviewTier): Asked => ({ tier, input: reviewInput({ tier }) });

  it('lacks what its tier asks for, by the names of the options', () => {
    expect(missingOf({}, asked('triage'))).toEqual(['--proceed or --halt', '--code of false_positive, policy_violation']);
    expect(missingOf({ disposition: 'HALT' }, asked('acknowledgement'))).toEqual(['--reason r1=…', '--reason failures=…']);
    expect(missingOf({ disposition: 'HALT', signals: [{ id: 'r1', reason: 'x' }] }, asked('determination'))).toEqual([
      '--reason failures=…',
      '--rationale',
    ]);
    expect(missingOf({ disposition: 'HALT', code: 'false_positive' }, asked('triage'))).toEqual([]);
  });

  it('is asked for what is missing alone, again until there is an answer', async () => {
    const io = fakeIo({ stdin: `x\nP\n\nwhy r1\n${WHY}\n${WHY}\n${WHY} either\nin all\n${WHY} in all\n` });
    const output = new Output(io, false);
    expect(await completed({}, asked('determination'), new Answers(io), output)).toEqual({
      disposition: 'PROCEED',
      signals: [
        { id: 'r1', reason: WHY },
        { id: 'failures', reason: `${WHY} either` },
      ],
      rationale: `${WHY} in all`,
    });
    expect(io.written.stderr).toContain('r1: the reason has 6 characters, a determination needs at least 40');
    expect(io.written.stderr).toContain('failures: the reason is that of r1');
    expect(io.written.stderr).toContain('the rationale has 6 characters');
    expect(io.written.stderr).toContain('r1 (too \\u001b[1mloud)');
    expect(io.written.stdout).toBe('');
    const given = {
      disposition: 'HALT',
      signals: [
        { id: 'r1', reason: 'a' },
        { id: 'failures', reason: 'b' },
      ],
    } as const;
    expect(await completed(given, asked('acknowledgement'), new Answers(fakeIo()), output)).toEqual(given);
  });

  it('with words that are too few is not sent, and every one of them is named', () => {
    const signals = [
      { id: 'r1', reason: ' twenty letters, these ' },
      { id: 'failures', reason: WHY },
    ];
    const short = { signals, rationale: 'because' };
    expect(() => checkedWords(short, asked('determination'))).toThrow(
      'r1: the reason has 21 characters, a determination needs at least 40; the rationale has 7 characters',
    );
    expect(() => checkedWords(short, asked('acknowledgement'))).not.toThrow();
    expect(() => checkedWords({ signals: [{ id: 'r1', reason: 'short' }] }, asked('acknowledgement'))).toThrow(
      'an acknowledgement needs at least 20',
    );
    expect(() => checkedWords({ code: 'false_positive' }, asked('triage'))).not.toThrow();
  });

  it('of triage takes the key of a reason code, and none when whoever is asked leaves', async () => {
    const output = new Output(fakeIo(), false);
    expect(await completed({ disposition: 'HALT' }, asked('triage'), new Answers(fakeIo({ stdin: '9\n2\n' })), output)).toEqual({
      disposition: 'HALT',
      code: 'policy_violation',
    });
    expect(await completed({ disposition: 'HALT' }, asked('triage'), new Answers(fakeIo({ stdin: '9\n' })), output)).toBeUndefined();
  });

  it('in a file has what a decision has, and nothing else; what else stands there is not repeated', async () => {
    const file = join(dir, 'decision.json');
    const whole = { disposition: 'HALT', code: 'false_positive', signals: [{ id: 'r1', reason: 'why' }], rationale: 'in all' };
    await writeFile(file, JSON.stringify(whole));
    expect(await draftIn(file)).toEqual(whole);
    for (const wrong of [
      '',
      'null',
      '[]',
      '{"secret": 1}',
      '{"disposition":"HALT","code":"No Code"}',
      '{"disposition":"HALT","epoch":2}',
    ]) {
      await writeFile(file, wrong);
      const error: unknown = await draftIn(file).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'USAGE', message: expect.stringContaining('is no decision') });
      expect(String(error)).not.toContain('secret');
    }
    await expect(draftIn(join(dir, 'none.json'))).rejects.toThrow('cannot be read');
  });

  it('names a signal before its reason, which may have the same sign in it', () => {
    expect(answerOf('r1=a=b')).toEqual({ id: 'r1', reason: 'a=b' });
    for (const wrong of ['r1', '=text', 'r1= ']) expect(() => answerOf(wrong)).toThrow('r1=text');
  });
});

describe('what is refused as not open', () => {
  it.each([
    ['comment', { status: 'HALTED', endedAt: 'E' }, 'it is HALTED since E'],
    ['undo', { status: 'EXPIRED', endedAt: 'E' }, 'it is EXPIRED since E'],
    ['undo', { status: 'CLAIMED' }, 'it is CLAIMED, and there is nothing of yours to undo'],
    ['undo', { status: 'AWAITING_SECOND' }, 'nothing of yours to undo: the vote of a first person stands'],
    ['undo', { status: 'COMMITTING', effectiveAt: 'E' }, 'cannot be undone any more'],
    ['claim', { status: 'COMMITTING', effectiveAt: 'E' }, 'it is decided, which takes effect at E unless it is undone'],
    ['claim', { status: 'OPEN' }, 'it is OPEN'],
  ] as const)('says for %s where the review stands: %j', (action, now, says) => {
    expect(whyNotOpen(action, reviewView(now))).toContain(says);
  });
});

describe('keys', () => {
  const terminal = (...chunks: string[]) => {
    const modes: boolean[] = [];
    const keys = (async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk);
    })();
    const stdin = Object.assign(keys, { isTTY: true, setRawMode: (on: boolean) => modes.push(on) });
    return { answers: new Answers({ stdin }), modes };
  };

  it('of a terminal come one by one, and a line by its own editing; the terminal is given back', async () => {
    const { answers, modes } = terminal('Pq', 'a li', 'ne\r\nmore', '\u0004');
    expect([await answers.key(), await answers.key()]).toEqual(['p', 'q']);
    expect(await answers.line()).toBe('a line');
    expect([await answers.key(), await answers.key()]).toEqual(['m', 'o']);
    answers.close();
    answers.close();
    expect(modes).toEqual([true, false, true, false]);
  });

  it('end with Ctrl-C, Ctrl-D and the end of the input', async () => {
    for (const chunks of [['\u0003'], ['\u0004'], []]) expect(await terminal(...chunks).answers.key()).toBeUndefined();
  });

  it('end at once when the process is told to stop', async () => {
    const stdin = (async function* () {
      yield await new Promise<string>(() => undefined);
    })();
    let stop: () => void = () => undefined;
    const answers = new Answers({ stdin }, new Promise<void>((settle) => (stop = settle)));
    const key = answers.key();
    stop();
    expect(await key).toBeUndefined();
    answers.close();
  });

  it('of a program are lines, the last one with or without its end', async () => {
    const answers = new Answers(fakeIo({ stdin: 'p\r\n Halt \n\nq' }));
    expect([await answers.key(), await answers.key(), await answers.key(), await answers.key(), await answers.key()]).toEqual([
      'p',
      'h',
      '',
      'q',
      undefined,
    ]);
  });
});
