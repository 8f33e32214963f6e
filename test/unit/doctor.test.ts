/** What doctor concludes from what a server says, for servers that are not at hand. */
import { describe, expect, it } from 'vitest';
import { levelsOf } from '../../src/cli/doctor.js';

describe('doctor', () => {
  it('tells ten levels from five by the middle one, and for five says who shares one', () => {
    expect(levelsOf([5])).toEqual({ status: 'ok', message: '10 levels' });
    expect(levelsOf([1, 10])).toMatchObject({ status: 'ok' });
    expect(levelsOf([3])).toMatchObject({
      status: 'warn',
      message: expect.stringMatching(/`priorityLevels: 5`.*priorities 1-2, 3-4, 5-6 and 7-10 have a level each and background the last/),
    });
    expect(levelsOf([])).toMatchObject({ status: 'warn', message: expect.stringContaining('does not tell') });
  });
});
