import { describe, expect, it } from 'vitest';
import { CliError, describeError, exitOfDecision, exitOfError } from '../../src/cli/exit.js';
import { Output } from '../../src/cli/output.js';
import { progressText } from '../../src/cli/progress-text.js';
import { showReport } from '../../src/cli/show.js';
import {
  EvaluationCancelled,
  EvaluationNotFound,
  EvaluationTerminated,
  KeyConflict,
  NoWorker,
  RequestRefused,
  ServerUnreachable,
  StillRunning,
} from '../../src/client-errors.js';
import { fakeIo } from '../support/cli-io.js';
import { makeReport } from '../support/report.js';

describe('exit codes', () => {
  it('of decisions are 0 allow, 10 deny, 11 escalate, 12 not judged', () => {
    expect((['allow', 'deny', 'escalate', 'not_judged'] as const).map(exitOfDecision)).toEqual([0, 10, 11, 12]);
  });

  it('of errors are never those of an allow', () => {
    const errors = [
      [new RequestRefused(['x']), 2],
      [new KeyConflict('a/b'), 2],
      [new StillRunning('a/b', 1), 12],
      [new EvaluationCancelled('a/b'), 12],
      [new EvaluationTerminated('a/b', 'x'), 12],
      [new NoWorker('d', 'n'), 1],
      [new EvaluationNotFound('a/b', 'n'), 1],
      [new ServerUnreachable('x'), 1],
      [new CliError(2, 'USAGE', 'x'), 2],
      [new Error('x'), 1],
      ['a text', 1],
    ] as const;
    for (const [error, exit] of errors) expect(exitOfError(error)).toBe(exit);
  });

  it('come with a code and a sentence, whatever was thrown', () => {
    expect(describeError(new KeyConflict('a/b')).code).toBe('KEY_CONFLICT');
    expect(describeError('a text')).toEqual({ code: 'ERROR', message: 'something was thrown that is not an Error' });
  });
});

describe('output', () => {
  it('has colours on a terminal alone, and none with NO_COLOR or a dumb terminal', () => {
    expect(new Output(fakeIo({ tty: true }), false).color).toBe(true);
    expect(new Output(fakeIo(), false).color).toBe(false);
    expect(new Output(fakeIo({ tty: true, env: { NO_COLOR: '1' } }), false).color).toBe(false);
    expect(new Output(fakeIo({ tty: true, env: { TERM: 'dumb' } }), false).color).toBe(false);
  });

  it('never lets an escape of others reach the terminal', () => {
    const io = fakeIo({ tty: true });
    new Output(io, false).error(new Error('bad \u001b[2J\u202e text'));
    new Output(io, true).error(new Error('bad \u001b[2J\u009b text'));
    new Output(io, false).line(
      progressText('t/\u001b]0;x', { planned: 1, ended: [], running: [{ name: 'n\u001bx', stage: 'validation' }] }),
    );
    for (const escape of ['\u001b', '\u009b', '\u202e']) expect(io.written.stderr + io.written.stdout).not.toContain(escape);
  });

  it('keeps notes out of stdout, and says none with --json', () => {
    const io = fakeIo();
    new Output(io, false).note('a note');
    new Output(io, true).note('another');
    expect(io.written).toEqual({ stdout: '', stderr: 'a note\n' });
  });

  it('shows the address of an evaluation in the UI when it is known', () => {
    const io = fakeIo();
    const report = makeReport();
    showReport(report, { uiOf: () => 'http://127.0.0.1:8233/x' }, new Output(io, false));
    expect(io.written.stdout).toContain('http://127.0.0.1:8233/x');
    const json = fakeIo();
    showReport(report, { uiOf: () => undefined }, new Output(json, true));
    expect(JSON.parse(json.written.stdout)).not.toHaveProperty('ui');
  });
});
