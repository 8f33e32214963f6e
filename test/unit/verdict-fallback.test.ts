/** Fallbacks: when one runs, what its success and its failure mean, and that it never makes a verdict laxer than what it found. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, findingsFor, reservedIn } from '../../src/domain/admit.js';
import { conditionBindings } from '../../src/domain/cel.js';
import { fallbacksOf } from '../../src/domain/dependencies.js';
import { covererOf, needsFallback, withFallbacks } from '../../src/domain/fallback.js';
import { decideGate, visibleTo } from '../../src/domain/gate.js';
import { FAILURE_OUTCOMES, type CriticRecord } from '../../src/domain/outcomes.js';
import type { Plan, PlanCritic } from '../../src/domain/plan.js';
import type { Decision } from '../../src/domain/report.js';
import { coveredShare, decideVerdict, decisiveRule } from '../../src/domain/verdict.js';
import { critic, facts, onFailure, plan } from '../support/plans.js';
import { record, records, rules, run, runs } from './verdict-fixture.js';

const RANK: Record<Decision, number> = { allow: 0, escalate: 1, not_judged: 2, deny: 3 };
const judge = critic('judge', { costWeight: 3 });
const spare = critic('spare', { fallbackFor: 'judge' });
const third = critic('third', { fallbackFor: 'spare' });
const good = critic('good');
const of = plan([judge, spare, good]);

const decide = (given: Plan, ...ended: CriticRecord[]): ReturnType<typeof decideVerdict> => decideVerdict(given, records(ended), facts);

describe('a fallback', () => {
  it('runs exactly when its critic ended in anything but succeeded or gated, whatever its budget and dependencies then do', () => {
    fc.assert(
      fc.property(runs, ({ plan: given, ends }) => {
        const done = run(given, ends);
        for (const { name, fallbackFor } of given.critics) {
          const [own, other] = [done.get(name), done.get(fallbackFor ?? '')];
          if (own === undefined || other === undefined) continue;
          const isUnneeded = own.outcome === 'gated' && own.gate.by === 'fallback';
          expect(isUnneeded).toBe(other.outcome === 'succeeded' || other.outcome === 'gated');
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(FAILURE_OUTCOMES.filter((outcome) => outcome !== 'cancelled'))('opens when its critic ended as %s, and says so', (outcome) => {
    const gate = decideGate(of, spare, records([record(judge, outcome)]), facts);
    expect(gate).toEqual({ kind: 'run', decision: { open: true, by: 'fallback', policy: 'always', saw: { judge: outcome } } });
  });

  it.each(['succeeded', 'gated'] as const)('is gated when its critic ended as %s, with gating off too', (outcome) => {
    for (const gating of ['on', 'off'] as const) {
      const gate = decideGate(of, spare, records([record(judge, outcome)]), { ...facts, gating });
      expect(gate).toMatchObject({ kind: 'closed', outcome: 'gated', decision: { by: 'fallback', saw: { judge: outcome } } });
    }
  });

  it('is not started by a decisive rule that cut its critic', () => {
    const cut: CriticRecord = { ...record(judge, 'cancelled'), code: 'DECISIVE' };
    expect(decideGate(of, spare, records([cut]), facts)).toMatchObject({ kind: 'closed', outcome: 'gated' });
  });

  it('that is not needed is not skipped for a dependency that broke', () => {
    const behind = critic('spare', { fallbackFor: 'judge', dependsOn: ['good'] });
    const given = plan([judge, behind, good]);
    const gate = decideGate(given, behind, records([record(judge, 'succeeded'), record(good, 'failed')]), facts);
    expect(gate).toMatchObject({ kind: 'closed', outcome: 'gated', decision: { by: 'fallback' } });
  });

  it('that stands in for a later stage reserves nothing when it is known not to be needed, and gives back what it reserved', () => {
    const dear = critic('spare', { fallbackFor: 'judge', costWeight: 5, stage: 'deep_analysis' });
    const next = critic('next', { costWeight: 5, stage: 'deep_analysis' });
    const last = critic('last', { costWeight: 5, stage: 'validation' });
    const given = plan([judge, dear, next, last], { budget: { maxCost: 8 } });
    const fine = records([record(judge, 'succeeded')]);
    expect([...reservedIn(given, 'deep_analysis', fine, facts)]).toEqual(['next']);
    expect([...reservedIn(given, 'deep_analysis', records([record(judge, 'failed')]), facts)]).toEqual(['spare']);
    const beside = plan([judge, { ...dear, stage: 'core_analysis' }, last], { budget: { maxCost: 8 } });
    expect([...reservedIn(beside, 'core_analysis', records([]), facts)]).toEqual(['judge', 'spare']);
    const unneeded: CriticRecord = { ...record(dear, 'gated'), stage: 'core_analysis' };
    expect([...reservedIn(beside, 'validation', records([record(judge, 'succeeded'), unneeded]), facts)]).toEqual(['last']);
  });

  it('may be what a budget has left for when its critic is too dear', () => {
    const given = plan([judge, spare], { budget: { maxCost: 1 } });
    const reserved = reservedIn(given, 'core_analysis', records([]), facts);
    const over = admit(given, judge, records([]), reserved, facts);
    if (over.kind !== 'ended') throw new Error('the judge is over budget');
    expect(over.record.outcome).toBe('over_budget');
    expect(admit(given, spare, records([over.record]), reserved, facts).kind).toBe('start');
  });
});

describe('a critic that its fallback covers', () => {
  const failed: CriticRecord = { ...record(judge, 'timed_out'), message: 'all attempts together passed the time-out' };
  const covered = [failed, record(spare, 'succeeded', 0.3, 1, 0.8), record(good, 'succeeded')];

  it('has no failure left, and the verdict names it', () => {
    expect(decide(of, ...covered)).toEqual({
      decision: 'allow',
      degraded: false,
      reasons: [
        {
          critic: 'judge',
          code: 'COVERED',
          message: 'judge: timed out; all attempts together passed the time-out; covered by spare',
          effect: 'none',
        },
      ],
    });
  });

  it('counts for what allow needs and for coverage, as one that succeeded', () => {
    const verdict = { rules: [], allowNeeds: { critics: ['judge'], coverage: 1 }, otherwise: 'allow' } as const;
    expect(decide({ ...of, verdict }, ...covered).decision).toBe('allow');
    expect(coveredShare(of, records(covered))).toBe(1);
    expect(coveredShare(of, records([failed, record(spare, 'failed'), record(good, 'succeeded')]))).toBe(0.2);
  });

  it('is no failure to a gate, which looks at the finding of the fallback', () => {
    const look = (policy: Partial<PlanCritic>, ...ended: CriticRecord[]): boolean => {
      const one = critic('one', { stage: 'deep_analysis', ...policy });
      return decideGate(plan([judge, spare, good, one]), one, records([...ended, record(good, 'succeeded')]), facts).kind === 'run';
    };
    for (const policy of ['on_violation', 'on_uncertainty'] as const) {
      expect(look({ policy }, failed, record(spare, 'succeeded'))).toBe(false);
      expect(look({ policy }, ...covered)).toBe(true);
      expect(look({ policy }, failed, record(spare, 'failed'))).toBe(true);
    }
  });

  it('is a failure to a gate that may not see the fallback, however quick that was', () => {
    const late = critic('spare', { fallbackFor: 'judge', stage: 'deep_analysis' });
    const look = critic('look', { stage: 'deep_analysis', policy: 'on_violation' });
    const given = plan([judge, late, look]);
    const decisions = [records([failed]), records([failed, record(late, 'succeeded')])].map((ended) =>
      decideGate(given, look, ended, facts),
    );
    expect(decisions[0]).toMatchObject({ kind: 'run', decision: { saw: { judge: 'timed_out' } } });
    expect(decisions[1]).toEqual(decisions[0]);
  });

  it('hands the finding of the fallback to its dependents, under its own name', () => {
    const after = critic('after', { dependsOn: ['judge'] });
    const given = plan([judge, spare, good, after]);
    expect(decideGate(given, after, records(covered), facts).kind).toBe('run');
    expect(findingsFor(given, after, records(covered))).toEqual({ judge: covered[1]?.finding });
    expect(visibleTo(given, after)).toEqual(['judge', 'spare']);
  });

  it('leaves its dependents skipped when the fallback failed too, with itself at the root', () => {
    const after = critic('after', { dependsOn: ['judge'] });
    const ended = records([failed, record(spare, 'failed')]);
    const gate = decideGate(plan([judge, spare, after]), after, ended, facts);
    expect(gate).toMatchObject({ kind: 'closed', outcome: 'skipped', root: 'judge' });
  });

  it('is judged by rules that name it: the outcome is its own, the finding is that of the fallback', () => {
    const seen = conditionBindings(withFallbacks(covered, fallbacksOf(of)), facts);
    expect(seen.critics?.['judge']).toMatchObject({ outcome: 'timed_out', name: 'judge', severity: 0.3, uncertainty: 0.8 });
    expect(seen.findings?.map(({ name, severity }) => [name, severity])).toEqual([
      ['judge', 0.3],
      ['spare', 0.3],
      ['good', 0],
    ]);
    for (const when of [
      "findings.exists(f, f.name == 'judge' && f.severity > 0.2)",
      'has(critics.judge.severity) && critics.judge.severity > 0.2',
    ]) {
      const verdict = { rules: [{ effect: 'deny', when, reason: 'judged', decisive: false }], otherwise: 'allow' } as const;
      expect(decide({ ...of, verdict }, ...covered).decision).toBe('deny');
    }
  });

  it('makes a decisive rule hold that names it, as soon as the fallback has ended', () => {
    const when = "findings.exists(f, f.name == 'judge' && f.severity > 0.2)";
    const given = plan([judge, spare, good], {
      verdict: { rules: [{ effect: 'deny', when, reason: 'r', decisive: true }], otherwise: 'allow' },
    });
    const [first, second] = covered;
    if (first === undefined || second === undefined) throw new Error('two have ended');
    expect(decisiveRule(given, records([first]), facts, first)).toBeUndefined();
    expect(decisiveRule(given, records([first, second]), facts, second)?.reason).toBe('r');
  });

  it('may be skipped behind another failure, which still counts', () => {
    const base = critic('base');
    const leaf = critic('leaf', { dependsOn: ['base'], onFailure: onFailure({ skipped: 'deny' }) });
    const given = plan([base, leaf, critic('spare', { fallbackFor: 'leaf' })]);
    const skipped: CriticRecord = { ...record(leaf, 'skipped'), root: 'base' };
    const verdict = decide(given, record(base, 'failed'), skipped, record(spare, 'succeeded'));
    expect(verdict.decision).toBe('not_judged');
    expect(verdict.reasons.map(({ critic: name, effect }) => [name, effect])).toEqual([
      ['base', 'fail'],
      ['leaf', 'none'],
    ]);
  });
});

describe('a fallback that fails too', () => {
  it('leaves the effect of its critic and has its own', () => {
    const strict = critic('spare', { fallbackFor: 'judge', onFailure: onFailure({ failed: 'deny' }) });
    const verdict = decide(plan([judge, strict, good]), record(judge, 'failed'), record(strict, 'failed'), record(good, 'succeeded'));
    expect(verdict.decision).toBe('deny');
    expect(verdict.reasons.map(({ critic: name, effect }) => [name, effect])).toEqual([
      ['judge', 'fail'],
      ['spare', 'deny'],
    ]);
  });

  it.each(['over_budget', 'not_reached', 'skipped', 'gated'] as const)('or ended as %s covers nothing', (outcome) => {
    expect(decide(of, record(judge, 'failed'), record(spare, outcome), record(good, 'succeeded')).decision).toBe('not_judged');
  });

  it('may have a fallback of its own, which then covers both', () => {
    const given = plan([judge, spare, third, good]);
    const ended = [record(judge, 'failed'), record(spare, 'failed'), record(third, 'succeeded'), record(good, 'succeeded')];
    const fallbacks = fallbacksOf(given);
    expect(decide(given, ...ended)).toMatchObject({ decision: 'allow', reasons: [{ critic: 'judge' }, { critic: 'spare' }] });
    expect(['judge', 'spare', 'third'].map((name) => covererOf(name, records(ended), fallbacks)?.name)).toEqual([
      'third',
      'third',
      undefined,
    ]);
    expect(decideGate(given, third, records([record(judge, 'failed'), record(spare, 'succeeded')]), facts).kind).toBe('closed');
  });
});

describe('an allow', () => {
  it('after a success broke that matters is one in which a fallback succeeded, and never otherwise', () => {
    let covered = 0;
    fc.assert(
      fc.property(runs, fc.nat(7), fc.boolean(), ({ plan: given, ends }, at, othersFine) => {
        const index = at % given.critics.length;
        const target = given.critics[index];
        if (target === undefined || target.mode === 'shadow') return;
        const easy = othersFine ? { budget: {}, verdict: { ...given.verdict, otherwise: 'allow' as const } } : {};
        const strict = { ...withEffect(given, target.name, 'fail'), ...easy };
        const fine = { outcome: 'succeeded' as const, severity: 0, violations: 0 };
        const others = othersFine ? ends.map((end) => ({ ...end, ...fine })) : ends;
        const broken = others.map((end, one) => (one === index ? { ...end, outcome: 'failed' as const } : end));
        const after = run(strict, broken);
        if (after.get(target.name)?.outcome !== 'failed') return;
        const coverer = covererOf(target.name, after, fallbacksOf(strict));
        if (decideVerdict(strict, after, facts).decision !== 'allow') return;
        expect(coverer?.outcome).toBe('succeeded');
        covered += 1;
      }),
      { numRuns: 4_000 },
    );
    expect(covered).toBeGreaterThan(20);
  });

  it('is no easier to get by the finding of a fallback than by the same finding of its critic', () => {
    let compared = 0;
    fc.assert(
      fc.property(runs, ({ plan: given, ends }) => {
        for (const fallback of given.critics) {
          const index = given.critics.findIndex((one) => one.name === fallback.fallbackFor);
          if (index === -1 || fallback.mode === 'shadow') continue;
          // Its success would let a fallback for yet another critic run.
          if (given.critics.some((one) => one.fallbackFor !== undefined && one.dependsOn.includes(fallback.name))) continue;
          const free: Plan = { ...withEffect(given, fallback.fallbackFor ?? '', 'fail'), budget: {}, verdict: namedRules(given, index) };
          const fine = { outcome: 'succeeded' as const };
          const own = ends.map((end, one) => (one === index ? { ...end, ...fine } : end));
          const its = own[index];
          if (its === undefined) continue;
          const standIn = own.map((end, one) => {
            if (one === index) return { ...end, outcome: 'failed' as const };
            return free.critics[one]?.name === fallback.name ? { ...its, at: end.at } : end;
          });
          const [before, after] = [run(free, own), run(free, standIn)];
          if (before.get(fallback.fallbackFor ?? '')?.outcome !== 'succeeded') continue;
          if (covererOf(fallback.fallbackFor ?? '', after, fallbacksOf(free))?.name !== fallback.name) continue;
          const [one, other] = [before, after].map((done) => decideVerdict(free, done, facts).decision);
          expect(RANK[other ?? 'allow']).toBeGreaterThanOrEqual(RANK[one ?? 'allow']);
          compared += 1;
        }
      }),
      { numRuns: 4_000 },
    );
    expect(compared).toBeGreaterThan(100);
  });
});

describe('the gate of a critic', () => {
  it('sees the finding of a fallback under the name that it covers, and the gate of a fallback names what closed it', () => {
    const condition = 'has(critics.judge.severity) && critics.judge.severity > 0.5';
    const asked = critic('asked', { stage: 'deep_analysis', policy: 'conditional', condition });
    const given = plan([judge, spare, asked]);
    const ended = records([record(judge, 'failed'), record(spare, 'succeeded', 0.6)]);
    expect(decideGate(given, asked, ended, facts)).toEqual({
      kind: 'run',
      decision: { open: true, by: 'policy', policy: 'conditional', saw: { 'critics.judge.severity': 0.6 } },
    });
    expect(decideGate(given, spare, records([record(judge, 'gated')]), facts)).toMatchObject({
      kind: 'closed',
      outcome: 'gated',
      decision: { by: 'fallback' },
    });
  });
});

it('needs are told by the outcome alone, but for the cut of a decisive rule', () => {
  expect(needsFallback(record(judge, 'cancelled'))).toBe(true);
  expect(needsFallback({ ...record(judge, 'cancelled'), code: 'DECISIVE' })).toBe(false);
});

/** The plan in which a critic's failure has one effect, whatever it is. */
function withEffect(given: Plan, name: string, effect: 'fail'): Plan {
  const all = onFailure(Object.fromEntries(FAILURE_OUTCOMES.map((outcome) => [outcome, effect])));
  return { ...given, critics: given.critics.map((one) => (one.name === name ? { ...one, onFailure: all } : one)) };
}

/** Rules over all findings, and two that name one critic. */
function namedRules(given: Plan, index: number): Plan['verdict'] {
  const name = given.critics[index]?.name ?? '';
  const named = [
    { effect: 'deny', when: `findings.exists(f, f.name == '${name}' && f.severity > 0.2)`, reason: 'by finding', decisive: false },
    {
      effect: 'escalate',
      when: `has(critics.${name}.uncertainty) && critics.${name}.uncertainty > 0.5`,
      reason: 'by critic',
      decisive: false,
    },
  ] as const;
  return { rules: [...rules, ...named], otherwise: 'allow' };
}
