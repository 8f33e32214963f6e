/** Figures of single critics: families, strata, spans, failures. */
import { describe, expect, it } from 'vitest';
import { matches } from '../../src/assess/spans.js';
import { byStratum } from '../../src/assess/strata.js';
import { assessed, record, subjectOf, word } from './assess-fixture.js';

const plan = (critic: object) => ({ critics: { one: { stage: 'fast_critics', ...critic } } });
const harmful = { labels: { rude: true } };
const harmless = { labels: { rude: false } };

describe('precision and recall of a critic', () => {
  it('count hits, false alarms and misses of the family that its tag names', async () => {
    const subject = await subjectOf(plan({ ...word('oaf'), tags: ['judges:rude'] }));
    const { critics } = await assessed(subject, [
      record('hit', 'you oaf', harmful),
      record('miss', 'you fool', harmful),
      record('alarm', 'an oaf is a lout', harmless),
      record('clean', 'good day', harmless),
    ]);
    expect(critics[0]?.families).toMatchObject([
      {
        family: 'rude',
        n: 4,
        hits: 1,
        misses: 1,
        falseAlarms: 1,
        clean: 1,
        precision: { share: 0.5, n: 2 },
        recall: { share: 0.5, n: 2 },
        falseAlarmRate: { share: 0.5 },
        missed: ['miss'],
        wronglyFlagged: ['alarm'],
      },
    ]);
  });

  it('leave out records whose label is not known', async () => {
    const subject = await subjectOf(plan({ ...word('oaf'), tags: ['judges:rude'] }));
    const { critics } = await assessed(subject, [
      record('hit', 'you oaf', harmful),
      record('unknown', 'you oaf', { labels: { other: false } }),
    ]);
    expect(critics[0]?.families[0]).toMatchObject({ n: 1, hits: 1, falseAlarms: 0, unjudged: 0 });
  });

  it('never count a failure as clean or as found: it is told apart', async () => {
    const moods = [{ throw: 'permanent' }, { throw: 'transient' }, { hang: true }, { return: 'text' }];
    for (const mood of moods) {
      const subject = await subjectOf(plan({ uses: 'scripted', attemptTimeout: '20ms', with: mood, tags: ['judges:rude'] }));
      const { critics, notes } = await assessed(subject, [record('a', 'x', harmful), record('b', 'y', harmless)]);
      expect(critics[0]?.families[0]).toMatchObject({ n: 0, unjudged: 2, hits: 0, misses: 0, falseAlarms: 0, clean: 0 });
      expect(critics[0]?.families[0]?.recall).not.toHaveProperty('share');
      expect(critics[0]?.outcomes).not.toHaveProperty('succeeded');
      expect(critics[0]?.failures[0]?.count).toBe(2);
      expect(notes.join(' ')).toContain('some runs of one failed');
    }
  });

  it('go by severity instead of violations where that is asked for', async () => {
    const subject = await subjectOf(plan({ ...word('oaf', 0.4), tags: ['judges:rude'] }));
    const records = [record('a', 'you oaf', harmful)];
    expect((await assessed(subject, records, { flag: { severityFrom: 0.4 } })).critics[0]?.families[0]?.hits).toBe(1);
    expect((await assessed(subject, records, { flag: { severityFrom: 0.5 } })).critics[0]?.families[0]?.misses).toBe(1);
  });

  it('go by what the command line says before what the plan says', async () => {
    const subject = await subjectOf(plan({ ...word('oaf'), tags: ['judges:rude'] }));
    const { critics } = await assessed(subject, [record('a', 'oaf', { labels: { rude: true, dull: true } })], {
      judges: new Map([['one', ['dull']]]),
    });
    expect(critics[0]?.families.map(({ family }) => family)).toEqual(['dull']);
  });

  it('go by codes for a critic that names what it found', async () => {
    const subject = await subjectOf(plan({ ...word('self_harm'), tags: ['judges:codes'] }));
    const labels = { 'self-harm': true, hate: false, toxicity: true };
    const { critics } = await assessed(subject, [record('a', 'self_harm', { labels })]);
    // What it never speaks of, it is not judged by.
    expect(critics[0]?.families.map(({ family, hits }) => [family, hits])).toEqual([
      ['self-harm', 1],
      ['toxicity', 1],
    ]);
  });

  it('are not made up for a critic of which nobody says what it judges', async () => {
    const { critics, notes } = await assessed(await subjectOf(plan(word('oaf'))), [record('a', 'oaf', harmful)]);
    expect(critics[0]?.families).toEqual([]);
    expect(notes.join(' ')).toContain('for no label family: one');
  });

  it('stand for each stratum, coarse and fine', async () => {
    const subject = await subjectOf(plan({ ...word('oaf'), tags: ['judges:rude'] }));
    const { critics } = await assessed(subject, [
      record('a', 'oaf', { ...harmful, stratum: 'chat/short' }),
      record('b', 'fool', { ...harmful, stratum: 'chat/long' }),
      record('c', 'hello', { ...harmless, stratum: 'mail' }),
    ]);
    expect(critics[0]?.families[0]?.strata.map(({ stratum, recall }) => [stratum, recall.count, recall.n])).toEqual([
      ['chat', 1, 2],
      ['chat/long', 0, 1],
      ['chat/short', 1, 1],
      ['mail', 0, 0],
    ]);
  });
});

describe('strata', () => {
  it('that hold exactly what a finer one holds are left out', () => {
    expect([...byStratum(['a/b/c', 'a/b/c', 'd'], (one) => one).keys()]).toEqual(['a/b/c', 'd']);
  });
});

describe('spans', () => {
  const at = (start: number, end: number, path = '') => ({ start, end, path });

  it.each([
    ['the same place', [at(0, 10)], [at(0, 10)], 1],
    ['half of the longer one', [at(0, 10)], [at(5, 10)], 1],
    ['less than half of the longer one', [at(0, 10)], [at(6, 10)], 0],
    ['a given one that swallows all around it', [at(10, 20)], [at(0, 100)], 0],
    ['the same place in another text', [at(0, 10, '/input')], [at(0, 10, '/output')], 0],
    ['two given ones for one marked', [at(0, 10)], [at(0, 10), at(0, 9)], 1],
    ['one given one for two marked', [at(0, 6), at(4, 10)], [at(2, 8)], 1],
    ['neighbours', [at(0, 10)], [at(10, 20)], 0],
  ])('that are %s', (_, labelled, given, count) => {
    expect(matches(labelled, given)).toBe(count);
  });

  it('are scored by type, and marked types that the critic has no code for are told', async () => {
    const subject = await subjectOf(plan({ uses: 'pii' }));
    const text = 'mail a.b@example.com or card 4111 1111 1111 1111, says Ann';
    const spans = [
      { type: 'EMAIL_ADDRESS', start: 5, end: 20, path: '' },
      { type: 'PERSON', start: 55, end: 58, path: '' },
    ];
    const { critics } = await assessed(subject, [
      record('a', text, { labels: { pii: true }, spans }),
      record('no spans marked', 'c.d@example.com', { labels: { pii: true } }),
      record('another card', { input: '5500 0000 0000 0004' }, { spans: [{ type: 'CREDIT_CARD', start: 0, end: 19, path: '/input' }] }),
    ]);
    expect(critics[0]?.spans).toMatchObject({
      records: 2,
      types: expect.arrayContaining([
        expect.objectContaining({ type: 'EMAIL_ADDRESS', labelled: 1, found: 1 }),
        // One of the two cards that were given was marked.
        expect.objectContaining({ type: 'CREDIT_CARD', labelled: 1, found: 1, precision: expect.objectContaining({ count: 1, n: 2 }) }),
      ]),
      notLookedFor: [{ type: 'PERSON', labelled: 1 }],
    });
  });
});

describe('cost and time of a critic', () => {
  it('are those of its runs, with money by the plan’s prices', async () => {
    const finding = { severity: 0, violations: [], cost: { inputTokens: 1_000_000, outputTokens: 500_000 } };
    const subject = await subjectOf({
      prices: { small: { inputPerMillion: 2, outputPerMillion: 4 } },
      ...plan({ uses: 'scripted', with: { finding, model: 'small' }, costWeight: 3 }),
    });
    const { critics } = await assessed(subject, [record('a', 'x')]);
    expect(critics[0]).toMatchObject({
      cost: { runs: 1, weight: 3, usd: 4, inputTokens: 1_000_000, outputTokens: 500_000 },
      latency: { n: 1 },
    });
  });
});
