/** What activities tell the workflow, looked at again: what comes out holds nothing that was not looked at. */
import { describe, expect, it } from 'vitest';
import { findingProblem } from '../../src/domain/finding-problem.js';
import { toldBeat, toldFailure, toldSuccess } from '../../src/domain/told.js';

/** Far beyond what `JSON.stringify` can write on a stack of the usual size. */
const WEDGE = 60_000;
const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);

const finding = {
  severity: 0.5,
  violations: [{ code: 'card', message: 'contains a card', severity: 1, span: { path: '/output', start: 0, end: 4 } }],
  score: -3,
  value: 1e6,
  uncertainty: 0.25,
  evidence: ['a quote'],
  cost: { usd: 0.01, inputTokens: 10, outputTokens: 2 },
  details: { model: 'm', nested: [null, true, 1.5, 'text'] },
};
const held = { by: 'ann', reason: 'outage', ms: 12 };
const attempt = { class: 'ok', code: 'HTTP_503', cost: { usd: 1 }, queuedMs: 0, ranMs: 3.5, startedAt: 1, held };
const success = { outcome: 'succeeded', attempts: [attempt], finding, startedAt: 1, endedAt: 5 };
const failure = { outcome: 'failed', code: 'HTTP_503', attempts: [attempt], startedAt: 1, endedAt: 5 };
const beat = { attempts: [attempt], startedAt: 1, runningSince: 2, waiting: true };

const withFinding = (over: object): unknown => ({ ...success, finding: { ...finding, ...over } });
const withAttempt = (over: object): unknown => ({ ...success, attempts: [{ ...attempt, ...over }] });

/** The value with a deep field beside the known ones of every object in it, lists and `details` left out. */
function withJunk(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withJunk);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, entry]: [string, unknown]) => [name, name === 'details' ? entry : withJunk(entry)]);
  return { ...Object.fromEntries(fields), junk: nested(WEDGE) };
}

describe('what an activity tells', () => {
  it('comes out whole when it is of its form', () => {
    expect(toldSuccess(success)).toEqual(success);
    expect(toldFailure(failure)).toEqual(failure);
    expect(toldBeat(beat)).toEqual(beat);
    const least = { outcome: 'succeeded', attempts: [], finding: { severity: 0, violations: [] } };
    expect(toldSuccess(least)).toEqual(least);
  });

  it('comes out without the fields that are not known, in whatever object they stand and however deep they are', () => {
    // Written as text: comparing would itself read by recursion, as whoever writes the report does.
    expect(JSON.stringify(toldSuccess(withJunk(success)))).toBe(JSON.stringify(toldSuccess(success)));
    expect(JSON.stringify(toldFailure(withJunk(failure)))).toBe(JSON.stringify(toldFailure(failure)));
    expect(JSON.stringify(toldBeat(withJunk(beat)))).toBe(JSON.stringify(toldBeat(beat)));
  });

  it('of a pause is cut to what reports keep of it, and refused when it is none', () => {
    const long = { by: 'b'.repeat(101), reason: 'r'.repeat(201), ms: 1 };
    expect(toldSuccess(withAttempt({ held: long }))).toMatchObject({
      attempts: [{ held: { by: 'b'.repeat(100), reason: 'r'.repeat(200), ms: 1 } }],
    });
    for (const other of [null, 'ann', { ...held, by: 1 }, { ...held, reason: undefined }, { ...held, ms: -1 }, { ...held, ms: Number.NaN }])
      expect(toldSuccess(withAttempt({ held: other }))).toBe('the attempts of the result are none');
  });

  it('is refused when details are nested deeper than 64 levels', () => {
    expect(toldSuccess(withFinding({ details: nested(64) }))).toMatchObject({ outcome: 'succeeded' });
    for (const depth of [65, WEDGE])
      expect(toldSuccess(withFinding({ details: nested(depth) }))).toBe('details is nested deeper than 64 levels');
    expect(toldSuccess(withFinding({ details: { model: [nested(WEDGE)] } }))).toBe('details is nested deeper than 64 levels');
  });

  it('is refused when details are larger than 8 KB', () => {
    expect(toldSuccess(withFinding({ details: 'x'.repeat(8_190) }))).toMatchObject({ outcome: 'succeeded' });
    expect(toldSuccess(withFinding({ details: 'x'.repeat(8_191) }))).toBe('details has more than 8192 bytes');
    expect(toldSuccess(withFinding({ details: Array.from({ length: 100_000 }, () => []) }))).toBe('details has more than 8192 bytes');
  });

  it.each<[string, unknown]>([
    ['a price of more than a million', { usd: 1_000_001 }],
    ['a price of 1.7e308', { usd: 1.7e308 }],
    ['a price below nothing', { usd: -1 }],
    ['a price that is null', { usd: null }],
    ['tokens without number', { inputTokens: 1e13 }],
    ['tokens below nothing', { outputTokens: -1 }],
    ['no cost at all', null],
  ])('is refused when its cost has %s', (_what, cost) => {
    expect(toldSuccess(withFinding({ cost }))).toBe('cost is not made of numbers from 0 to their limits');
    expect(toldSuccess(withAttempt({ cost }))).toBe('the attempts of the result are none');
    expect(toldFailure({ ...failure, attempts: [{ ...attempt, cost }] })).toBeUndefined();
    expect(toldBeat({ ...beat, attempts: [{ ...attempt, cost }] })).toBeUndefined();
  });

  it('is refused when an attempt took longer than a year, less than no time or an infinite one', () => {
    const year = 365 * 24 * 3_600_000;
    expect(toldSuccess(withAttempt({ queuedMs: year, ranMs: year }))).toMatchObject({ outcome: 'succeeded' });
    for (const ms of [year + 1, -1, Number.POSITIVE_INFINITY, Number.NaN]) {
      expect(toldSuccess(withAttempt({ queuedMs: ms }))).toBe('the attempts of the result are none');
      expect(toldSuccess(withAttempt({ ranMs: ms }))).toBe('the attempts of the result are none');
    }
    expect(toldSuccess(withAttempt({ startedAt: Number.POSITIVE_INFINITY }))).toBe('the attempts of the result are none');
  });

  it('loses a start and an end that are no finite numbers', () => {
    const told = toldSuccess({ ...success, startedAt: Number.NEGATIVE_INFINITY, endedAt: 'now' });
    expect(told).not.toHaveProperty('startedAt');
    expect(told).not.toHaveProperty('endedAt');
  });
});

describe('a finding', () => {
  it('has at most as many violations as rules are reckoned to loop over', () => {
    const violation = { code: 'card', message: 'contains a card' };
    const of = (count: number): unknown => ({ severity: 1, violations: Array.from({ length: count }, () => violation) });
    expect(findingProblem(of(100))).toBeUndefined();
    expect(findingProblem(of(101))).toBe('violations is not a list of at most 100');
  });
});
