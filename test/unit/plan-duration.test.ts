import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../src/schemas/duration.js';

describe('a duration', () => {
  it.each([
    ['1ms', 1],
    ['250ms', 250],
    ['10s', 10_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['30d', 2_592_000_000],
    ['007s', 7_000],
  ])('of %s is so many milliseconds', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, ms });
  });

  it.each([
    '',
    '10',
    's',
    '10 s',
    ' 10s',
    '10s ',
    '10s\n',
    '1.5s',
    '-5s',
    '+5s',
    '1e3s',
    '10S',
    '10sec',
    '1m30s',
    '٣s',
    '0ms',
    '0d',
    '31d',
    '2592000001ms',
    `${'9'.repeat(400)}d`,
  ])('of %j is refused', (text) => {
    expect(parseDuration(text)).toEqual({ ok: false, message: expect.stringMatching(/is not a duration|leaves no time|is too long/) });
  });

  it('never becomes anything but a whole number of milliseconds within its bounds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.e+-]{0,12}(ms|s|m|h|d)$/)), (text) => {
        const parsed = parseDuration(text);
        if (parsed.ok) expect(Number.isInteger(parsed.ms) && parsed.ms >= 1 && parsed.ms <= 2_592_000_000).toBe(true);
      }),
    );
  });
});
