/** The same records with everything on and as the plan has it: what gates save and lose, and mixes of strata. */
import { describe, expect, it } from 'vitest';
import { drawMix, MixProblem, parseMix } from '../../src/assess/mix.js';
import { parseMixFile } from '../../src/assess/mix-file.js';
import { parseSweep, SweepProblem } from '../../src/assess/sweep.js';
import { assessed, record, subjectOf, word } from './assess-fixture.js';

const DENY = { deny: 'findings.exists(f, f.severity >= 0.9)', reason: 'severe', decisive: true };
const ESCALATE = { escalate: 'findings.exists(f, f.violations.size() > 0)', reason: 'something' };

/** The dear critic sees more, and runs only where the cheap one has found something. */
const gated = {
  critics: {
    cheap: { ...word('bad'), stage: 'fast_critics' },
    dear: { ...word('vile', 1), stage: 'deep_analysis', executionPolicy: 'on_violation', costWeight: 9 },
  },
  verdict: { rules: [DENY, ESCALATE], otherwise: 'allow' },
};

const deny = { verdict: 'deny' } as const;
const allow = { verdict: 'allow' } as const;

describe('gating', () => {
  it('saves what gates kept from running, and loses what only a gated critic would have stopped', async () => {
    const { gating, verdicts } = await assessed(await subjectOf(gated), [
      record('stopped by both', 'bad and vile', { ...deny, stratum: 'risky/open' }),
      record('lost', 'vile', { ...deny, stratum: 'risky/hidden' }),
      record('held up', 'bad', { ...allow, stratum: 'calm' }),
      record('clean', 'good', { ...allow, stratum: 'calm' }),
    ]);
    expect(gating?.[0]).toMatchObject({
      stratum: 'all',
      n: 4,
      distinct: 4,
      runs: { full: 8, gated: 6 },
      weight: { full: 40, gated: 22 },
      savedShare: 0.45,
      notRun: { byGates: 18, byDecisiveRules: 0, byBudget: 0, otherwise: 0 },
      denied: { stopped: 2, lost: 1 },
      escalated: { stopped: 1, lost: 0 },
      stopped: { stopped: 3, lost: 1 },
      rightlyStopped: { stopped: 2, lost: 1 },
    });
    expect(gating?.map(({ stratum, denied }) => [stratum, denied.lost, denied.stopped])).toEqual([
      ['all', 1, 2],
      ['calm', 0, 0],
      ['risky', 1, 2],
      ['risky/hidden', 1, 1],
      ['risky/open', 0, 1],
    ]);
    expect(verdicts?.confusion).toMatchObject([
      { expected: 'allow', decided: { allow: 1, escalate: 1, deny: 0, not_judged: 0 }, accepted: { count: 1, n: 2 } },
      { expected: 'deny', decided: { allow: 1, escalate: 0, deny: 1, not_judged: 0 } },
    ]);
  });

  it('has everything on in the full run: no decisive rule cuts it, and no budget', async () => {
    const source = {
      ...gated,
      budget: { maxCost: 1 },
      critics: { first: { ...word('vile', 1), stage: 'fast_critics' }, second: { ...word('bad'), stage: 'core_analysis' } },
    };
    const { gating } = await assessed(await subjectOf(source), [record('cut', 'vile and bad', deny), record('dear', 'good', allow)]);
    expect(gating?.[0]).toMatchObject({ runs: { full: 4, gated: 2 }, notRun: { byDecisiveRules: 1, byBudget: 1, byGates: 0 } });
  });

  it('counts a denial that only became an escalation as weaker, not as lost', async () => {
    const { gating } = await assessed(
      await subjectOf({ ...gated, critics: { ...gated.critics, dear: { ...gated.critics.dear, executionPolicy: 'on_high_risk' } } }),
      [record('weaker', 'bad and vile', deny)],
    );
    expect(gating?.[0]).toMatchObject({ softened: 1, denied: { stopped: 1, lost: 0 } });
  });

  it('bounds the loss by distinct contents: the same text twice is one', async () => {
    const twice = ['a', 'b'].map((id) => record(id, 'bad and vile', deny));
    const { gating } = await assessed(await subjectOf(gated), twice);
    expect(gating?.[0]?.denied).toMatchObject({ stopped: 2, distinctStopped: 1, upper: 0.95 });
  });

  it('takes an evaluation that could not judge neither for stopped nor for lost, and never for allowed', async () => {
    const source = {
      ...gated,
      critics: { ...gated.critics, dead: { uses: 'scripted', with: { throw: 'permanent' }, stage: 'fast_critics' } },
    };
    const { gating, verdicts } = await assessed(await subjectOf(source), [record('a', 'bad', allow)]);
    expect(verdicts?.confusion[0]?.decided).toEqual({ allow: 0, escalate: 0, deny: 0, not_judged: 1 });
    expect(verdicts?.overBlocking[0]).toMatchObject({ notJudged: { count: 1 } });
    expect(gating?.[0]?.stopped).toMatchObject({ stopped: 0, lost: 0, upper: 1 });
  });

  it('judges content that the plan does not take not at all', async () => {
    const source = { ...gated, limits: { maxContentBytes: 20 } };
    const { critics, verdicts, gating } = await assessed(await subjectOf(source), [
      record('long', 'good '.repeat(9), allow),
      record('short', 'good', allow),
    ]);
    expect(verdicts?.refused).toBe(1);
    expect(verdicts?.confusion[0]?.decided).toMatchObject({ allow: 1, not_judged: 1 });
    expect(critics[0]?.outcomes).toEqual({ skipped: 1, succeeded: 1 });
    expect(gating?.[0]?.n).toBe(1);
  });

  it('takes a fallback that nobody needed for no saving', async () => {
    const critics = { ...gated.critics, stand_in: { ...word('bad'), stage: 'fast_critics', fallbackFor: 'cheap', costWeight: 50 } };
    const { gating } = await assessed(await subjectOf({ ...gated, critics }), [record('a', 'good', allow)]);
    expect(gating?.[0]).toMatchObject({ weight: { full: 10, gated: 1 }, notRun: { byGates: 9, otherwise: 0 } });
  });

  it('leaves shadow critics out of runs and cost', async () => {
    const source = {
      ...gated,
      critics: { ...gated.critics, watching: { ...word('good'), stage: 'fast_critics', mode: 'shadow', costWeight: 100 } },
    };
    const { gating } = await assessed(await subjectOf(source), [record('a', 'good', allow)]);
    expect(gating?.[0]).toMatchObject({ runs: { full: 2, gated: 1 }, weight: { full: 10, gated: 1 } });
  });

  it('asks each critic once a record, although it is judged twice', async () => {
    const calls: string[] = [];
    const counting = {
      name: 'counting',
      version: '1.0.0',
      evaluate({ content }: { content: unknown }) {
        calls.push(String(content));
        return { severity: 0, violations: [] };
      },
    };
    const subject = await subjectOf({ critics: { one: { uses: 'counting', stage: 'fast_critics' } } }, [counting]);
    await assessed(subject, [record('a', 'x'), record('b', 'y')]);
    expect(calls.toSorted()).toEqual(['x', 'y']);
  });

  it('hands a dependent the finding of its dependency, and of the fallback where that failed', async () => {
    const handed: unknown[] = [];
    const asking = {
      name: 'asking',
      version: '1.0.0',
      evaluate({ findings }: { findings: Readonly<Record<string, unknown>> }) {
        handed.push(findings);
        return { severity: 0, violations: [] };
      },
    };
    const critics = {
      first: { uses: 'scripted', with: { throw: 'permanent' }, stage: 'fast_critics' },
      stand_in: {
        uses: 'scripted',
        with: { finding: { severity: 0.3, evidence: ['a quote'] } },
        stage: 'fast_critics',
        fallbackFor: 'first',
      },
      next: { uses: 'asking', stage: 'core_analysis', dependsOn: ['first'] },
    };
    await assessed(await subjectOf({ critics }, [asking]), [record('a', 'x')]);
    expect(handed).toEqual([{ first: { severity: 0.3, violations: [] } }]);
  });
});

describe('a mix', () => {
  const records = [
    ...Array.from({ length: 10 }, (_, index) => record(`calm ${index}`, `good ${index}`, { ...allow, stratum: 'calm' })),
    record('vile', 'bad and vile', { ...deny, stratum: 'risky/a' }),
    record('viler', 'bad and vile twice', { ...deny, stratum: 'risky/b' }),
  ];

  it('repeats records as its shares need, and bounds by distinct ones', async () => {
    const { mix } = await assessed(await subjectOf(gated), records, { mix: { parts: parseMix('calm=0.8,risky=0.2'), size: 100, seed: 3 } });
    expect(mix?.parts).toMatchObject([
      { part: 'calm', n: 80, distinct: 10 },
      { part: 'risky', n: 20, distinct: 2 },
    ]);
    expect(mix?.gating[0]).toMatchObject({ n: 100, distinct: 12, denied: { stopped: 20, distinctStopped: 2, lost: 0 } });
    expect(mix?.gating[0]?.denied.upper).toBeCloseTo(1 - 0.05 ** 0.5, 12);
    expect(mix?.decided).toEqual({ allow: 80, escalate: 0, deny: 20, not_judged: 0 });
  });

  it('gives the strata of one part equal shares, and is the same for the same seed', () => {
    const draw = (seed: number) => [
      ...drawMix(
        parseMix('x=1').map((part) => ({ ...part, strata: ['calm', 'risky/a'] })),
        records,
        6,
        seed,
      ).times,
    ];
    expect(draw(5)).toEqual(draw(5));
    expect(new Map(draw(5)).get(10)).toBe(3);
  });

  it.each(['calm', 'calm=', 'calm=0', '=1', 'calm=x', 'a=1=2'])('is refused as %j', (spec) => {
    expect(() => parseMix(spec)).toThrow(MixProblem);
  });

  it('is refused before anything runs, when it names a stratum that no record has', async () => {
    const calls: string[] = [];
    const counting = { name: 'counting', version: '1.0.0', evaluate: () => (calls.push('one'), { severity: 0, violations: [] }) };
    const subject = await subjectOf({ critics: { one: { uses: 'counting', stage: 'fast_critics' } } }, [counting]);
    await expect(assessed(subject, records, { mix: { parts: parseMix('calmm=1'), size: 10, seed: 1 } })).rejects.toThrow(
      /no record is of the stratum "calmm"; did you mean "calm"/,
    );
    expect(calls).toEqual([]);
  });

  it('may stand in a file', () => {
    expect(parseMixFile('mix.json', '{"a": 0.5, "b": {"share": 0.5, "strata": ["c"]}}')).toEqual([
      { part: 'a', share: 0.5 },
      { part: 'b', share: 0.5, strata: ['c'] },
    ]);
    expect(() => parseMixFile('mix.json', '{"a": -1}')).toThrow(/mix\.json: a must be/);
    expect(() => parseMixFile('mix.json', 'a=1')).toThrow(/is not JSON/);
  });
});

describe('a sweep', () => {
  it('shows critic and plan at every value, and leaves other critics as they were measured', async () => {
    const seen: string[] = [];
    const threshold = {
      name: 'threshold',
      version: '1.0.0',
      options: (await import('zod')).z.strictObject({ from: (await import('zod')).z.number().max(1) }),
      evaluate: ({ content }: { content: unknown }, { options }: { options: { from: number } }) => ({
        severity: 1,
        violations: Number(content) >= options.from ? [{ code: 'rude', message: 'is rude' }] : [],
      }),
    };
    const counting = { name: 'counting', version: '1.0.0', evaluate: () => (seen.push('one'), { severity: 0, violations: [] }) };
    const subject = await subjectOf(
      {
        critics: {
          one: { uses: 'threshold', with: { from: 0.5 }, stage: 'fast_critics', tags: ['judges:rude'] },
          two: { uses: 'counting', stage: 'fast_critics' },
        },
        verdict: { rules: [ESCALATE], otherwise: 'allow' },
      },
      [threshold, counting],
    );
    const records = [record('a', '0.3', { labels: { rude: false }, ...allow }), record('b', '0.6', { labels: { rude: true }, ...deny })];
    const { sweep } = await assessed(subject, records, { sweep: parseSweep('one.from=0.2..0.8:0.2') });
    expect(sweep?.points.map(({ value }) => value)).toEqual([0.2, 0.4, 0.6, 0.8]);
    expect(sweep?.points.map(({ families }) => [families[0]?.recall.count, families[0]?.falseAlarmRate.count])).toEqual([
      [1, 1],
      [1, 0],
      [1, 0],
      [0, 0],
    ]);
    expect(sweep?.points.map(({ overBlocking, letThrough }) => [overBlocking?.escalated.count, letThrough?.stopped.count])).toEqual([
      [1, 1],
      [0, 1],
      [0, 1],
      [0, 0],
    ]);
    expect(seen).toHaveLength(records.length);
    await expect(assessed(subject, records, { sweep: parseSweep('one.from=0.5..2:0.5') })).rejects.toThrow(/threshold refuses from = 1.5/);
    await expect(assessed(subject, records, { sweep: parseSweep('ten.from=0..1') })).rejects.toThrow(/there is no critic "ten"/);
  });

  it.each(['one', 'one.from', 'one.from=1', 'one.from=1..0', 'one.from=0..1:0', 'one.from=0..1:0.001', 'one.from=a..b'])(
    'is refused as %j',
    (spec) => {
      expect(() => parseSweep(spec)).toThrow(SweepProblem);
    },
  );
});
