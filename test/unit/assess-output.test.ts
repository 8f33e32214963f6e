/** What the outputs show, and what they must not: texts of records, and names that would be markup. */
import { describe, expect, it } from 'vitest';
import { assessmentMarkdown } from '../../src/assess/output/markdown.js';
import { assessmentPage } from '../../src/assess/output/page.js';
import { assessmentText } from '../../src/assess/output/text.js';
import { misjudgedOf } from '../../src/assess/misjudged.js';
import { parseMix } from '../../src/assess/mix.js';
import { parseSweep } from '../../src/assess/sweep.js';
import type { Assessment } from '../../src/assess/figures.js';
import { assessed, record, subjectOf, word } from './assess-fixture.js';

const HOSTILE = `</title><script>alert(1)</script><img src=x onerror="alert(2)">'&\u202e\u001b[31m|`;
const SECRET = 'the words of the record';

const source = {
  critics: {
    cheap: { ...word('bad'), stage: 'fast_critics', tags: ['judges:rude', `judges:<b>${'x'.repeat(40)}`] },
    cards: { uses: 'pii', stage: 'fast_critics' },
    dear: { ...word('vile', 1), stage: 'deep_analysis', executionPolicy: 'on_violation', costWeight: 9 },
  },
  verdict: {
    rules: [
      { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe' },
      { escalate: 'findings.exists(f, f.violations.size() > 0)', reason: 'something' },
    ],
    otherwise: 'allow',
  },
};

async function everything(): Promise<Assessment> {
  const labels = { rude: true, [`<b>${'x'.repeat(40)}`]: true };
  const spans = [
    { type: `CREDIT_CARD`, start: 0, end: 19, path: '' },
    { type: HOSTILE, start: 0, end: 2, path: '' },
  ];
  const records = [
    record(HOSTILE, `bad ${SECRET}`, { stratum: HOSTILE, labels, verdict: 'deny' }),
    record('b', `vile ${SECRET}`, { stratum: 'mine/b', labels, verdict: 'deny' }),
    record('c', '4111 1111 1111 1111', { stratum: 'mine/c', labels: { rude: false }, verdict: 'allow', spans }),
    record('d', `fine ${SECRET}`, { stratum: 'mine/d', verdict: 'escalate' }),
    record('e', `fine ${SECRET}`, { stratum: 'mine/d' }),
  ];
  const subject = { ...(await subjectOf(source)), warnings: [HOSTILE] };
  return await assessed(subject, records, {
    mix: { parts: parseMix('mine/c=0.5,mine/b=0.5'), size: 10, seed: 1 },
    sweep: parseSweep('cards.severities.email=0.1..0.9:0.4'),
  });
}

const ids = (page: string): string[] => Array.from(page.matchAll(/<section id="([^"]+)"/g), ([, id = '']) => id);

describe('the page', () => {
  it('runs nothing and loads nothing: no script, and a policy that forbids both', async () => {
    const page = assessmentPage(await everything());
    expect(page).toContain(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`);
    // In texts and attributes `<` is written otherwise: what begins with one is markup.
    const markup = Array.from(page.matchAll(/<[a-z][^<>]*>/gi), ([tag]) => tag);
    expect(markup.length).toBeGreaterThan(100);
    expect(
      markup.filter((tag) => /^<(?:script|link|iframe|img|object|embed|form|base|a)\b|\s(?:src|href|on[a-z]+|style)=/i.test(tag)),
    ).toEqual([]);
    expect(page).not.toMatch(/url\(|@import/i);
  });

  it('shows names of others as text, without a character that reorders or escapes', async () => {
    const page = assessmentPage(await everything());
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toContain('<b>x');
    // eslint-disable-next-line no-control-regex
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u);
  });

  it('has a part for everything that was measured, and closes what it opens', async () => {
    const page = assessmentPage(await everything());
    expect(ids(page)).toEqual([
      'families',
      'strata',
      'spans',
      'confusion',
      'overblocking',
      'letthrough',
      'saved-sets',
      'lost-sets',
      'mix',
      'saved-mix',
      'lost-mix',
      'sweep',
      'runs',
      'sets',
      'notes',
    ]);
    const open: string[] = [];
    for (const [, end, name = '', self] of page.matchAll(/<(\/?)([a-z0-9]+)(?:"[^"]*"|[^">])*?(\/?)>/g)) {
      if (end === '/') expect(open.pop()).toBe(name);
      else if (self !== '/' && name !== 'meta') open.push(name);
    }
    expect(open).toEqual([]);
    expect(page).not.toMatch(/NaN|undefined|Infinity|\[object/);
  });

  it('of single critics has no verdict and no gating', async () => {
    const subject = { ...(await subjectOf({ critics: { cheap: source.critics.cheap } })), hasVerdict: false };
    const page = assessmentPage(await assessed(subject, [record('a', 'bad', { labels: { rude: true } })]));
    expect(ids(page)).toEqual(['families', 'runs', 'sets']);
    expect(page).toContain('<h1>Assessment of cheap</h1>');
  });
});

describe('no output', () => {
  it('holds a text of a record', async () => {
    const assessment = await everything();
    for (const output of [
      assessmentPage(assessment),
      assessmentMarkdown(assessment),
      assessmentText(assessment),
      JSON.stringify(assessment),
    ]) {
      expect(output).not.toContain(SECRET);
      expect(output).not.toContain('4111');
    }
  });

  it('lets a name act on a terminal or in Markdown', async () => {
    const assessment = await everything();
    // eslint-disable-next-line no-control-regex
    expect(assessmentText(assessment)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/u);
    expect(assessmentMarkdown(assessment)).not.toMatch(/<script|<img|<b>/);
  });
});

describe('misses and false alarms', () => {
  it('are shown where asked for, so many of each, with the beginning of their texts', async () => {
    const subject = await subjectOf({ critics: { cheap: source.critics.cheap } });
    const records = ['a', 'b', 'c'].map((id) => record(id, `${SECRET} ${'long '.repeat(100)}`, { labels: { rude: true } }));
    const shown = misjudgedOf(await assessed(subject, records), records, 2);
    expect(shown.map(({ id, what, family }) => [id, what, family])).toEqual([
      ['a', 'missed', 'rude'],
      ['b', 'missed', 'rude'],
    ]);
    expect(shown[0]?.text.startsWith(SECRET)).toBe(true);
    expect(shown[0]?.text.length).toBeLessThan(200);
  });
});

describe('the terminal', () => {
  it('shows shares with their intervals and counts', async () => {
    const text = assessmentText(await everything());
    expect(text).toContain('Assessment of plan try_out@1');
    expect(text).toMatch(/mine\/b +1 of 1 lost, at most 100 %/);
    expect(text).toMatch(/cheap +rude +3 +100 % \(20\.7–100\) +50 % \(9\.5–90\.5\) +0\.667/);
  });
});
