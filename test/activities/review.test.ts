/** The local activities of a review: what a worker's log says of a file of people that cannot be used. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeReviewActivities } from '../../src/activities/review.js';
import { peopleReader } from '../../src/review/people.js';

const MINUTE_MS = 60_000;

describe('a file of people that cannot be used', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'host-'));
    file = join(folder, 'reviewers.yaml');
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('is told once for each thing that is wrong, however often reviews ask, and again after ten minutes', async () => {
    const told: string[] = [];
    let now = 0;
    const { loadHost } = makeReviewActivities({
      people: peopleReader(file),
      channels: {},
      insecure: false,
      log: (message) => told.push(message.replace(file, 'reviewers.yaml')),
      now: () => now,
    });
    const ask = async (): Promise<void> => {
      await expect(loadHost({ tenant: 'acme', groups: ['board'], names: [] })).rejects.toThrow('reviewers.yaml:1:');
    };
    await writeFile(file, 'people: 7\n');
    await ask();
    await ask();
    expect(told).toEqual([expect.stringMatching(/^reviews cannot be decided: reviewers\.yaml:1:9 people /)]);
    await writeFile(file, 'people: []\n');
    await ask();
    await ask();
    expect(told).toHaveLength(2);
    now = 10 * MINUTE_MS - 1;
    await ask();
    expect(told).toHaveLength(2);
    now += 1;
    await ask();
    expect(told).toHaveLength(3);
    expect(told[2]).toBe(told[1]);
  });
});
