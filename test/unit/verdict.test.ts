/** Gates and verdicts: the safety properties, over generated plans and outcomes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fallbacksOf } from '../../src/domain/dependencies.js';
import { covererOf } from '../../src/domain/fallback.js';
import { decideGate } from '../../src/domain/gate.js';
import { FAILURE_OUTCOMES, type CriticRecord } from '../../src/domain/outcomes.js';
import type { PlanCritic } from '../../src/domain/plan.js';
import type { Decision } from '../../src/domain/report.js';
import { decideVerdict, decisiveRule, raise } from '../../src/domain/verdict.js';
import { critic, facts, onFailure, plan } from '../support/plans.js';
import { record, records, rules, run, runs } from './verdict-fixture.js';

const RANK: Record<Decision, number> = { allow: 0, escalate: 1, not_judged: 2, deny: 3 };

describe('the verdict', () => {
  it('is never allow without a success of an enforcing critic', () => {
    fc.assert(
      fc.property(runs, ({ plan: of, ends: given }) => {
        const without = given.map((end) => (end.outcome === 'succeeded' ? { ...end, outcome: 'failed' as const } : end));
        expect(decideVerdict(of, run(of, without), facts).decision).not.toBe('allow');
      }),
      { numRuns: 500 },
    );
  });

  it('and every gate are the same in every order of completion', () => {
    fc.assert(
      fc.property(runs, ({ plan: of, ends: given, orders }) => {
        const other = given.map((end, index) => ({ ...end, at: orders[index] ?? 0 }));
        const [first, second] = [run(of, given), run(of, other)];
        const sorted = (map: Map<string, CriticRecord>): CriticRecord[] => [...map.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(sorted(second)).toEqual(sorted(first));
        expect(decideVerdict(of, second, facts)).toEqual(decideVerdict(of, first, facts));
      }),
      { numRuns: 500 },
    );
  });

  it('covers every planned critic with one outcome', () => {
    fc.assert(
      fc.property(runs, ({ plan: of, ends: given }) => {
        expect([...run(of, given).keys()].toSorted()).toEqual(of.critics.map((one) => one.name).toSorted());
      }),
    );
  });

  it('never falls when an always critic that succeeded quietly breaks instead and breaking is not ignored, unless a fallback covers it', () => {
    fc.assert(
      fc.property(
        runs,
        fc.nat(7),
        fc.constantFrom('failed', 'timed_out', 'unavailable', 'invalid_output'),
        ({ plan: of, ends: given }, at, outcome) => {
          const target = of.critics[at % of.critics.length];
          if (target === undefined || target.mode === 'shadow') return;
          const strict = plan(
            of.critics.map((one) => (one.name === target.name ? { ...one, onFailure: onFailure({ [outcome]: 'fail' }) } : one)),
            { verdict: of.verdict },
          );
          const quiet = given.map((end, index) =>
            index === at % of.critics.length ? { ...end, outcome: 'succeeded' as const, severity: 0, violations: 0 } : end,
          );
          const broken = quiet.map((end, index) => (index === at % of.critics.length ? { ...end, outcome: outcome } : end));
          const before = run(strict, quiet);
          const after = run(strict, broken);
          if (after.get(target.name)?.outcome !== outcome) return;
          if (covererOf(target.name, after, fallbacksOf(strict)) !== undefined) return;
          if (decideVerdict(strict, before, facts).decision !== 'allow') return;
          expect(decideVerdict(strict, after, facts).decision).not.toBe('allow');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('only ever rises', () => {
    const decisions = fc.constantFrom<Decision>('allow', 'escalate', 'not_judged', 'deny');
    fc.assert(fc.property(decisions, decisions, (a, b) => RANK[raise(a, b)] === Math.max(RANK[a], RANK[b])));
  });

  it('is not judged when a critic that matters broke, and deny outranks that', () => {
    const critics = [critic('good'), critic('broken')];
    const of = plan(critics, { verdict: { rules, otherwise: 'allow' } });
    const [good, broken] = critics as [PlanCritic, PlanCritic];
    expect(decideVerdict(of, records([record(good, 'succeeded'), record(broken, 'failed')]), facts).decision).toBe('not_judged');
    expect(decideVerdict(of, records([record(good, 'succeeded', 0.95), record(broken, 'failed')]), facts).decision).toBe('deny');
  });

  it('names an ignored failure and is degraded by it', () => {
    const critics = [critic('good'), critic('flaky', { onFailure: onFailure({ timed_out: 'ignore' }) })];
    const of = plan(critics);
    const verdict = decideVerdict(of, records([record(critics[0]!, 'succeeded'), record(critics[1]!, 'timed_out')]), facts);
    expect(verdict).toMatchObject({ decision: 'allow', degraded: true, reasons: [{ critic: 'flaky', code: 'IGNORED', effect: 'none' }] });
  });

  it('escalates when what allow needs is missing, and says what', () => {
    const critics = [critic('needed', { policy: 'on_high_risk' }), critic('other')];
    const of = plan(critics, { verdict: { rules: [], allowNeeds: { critics: ['needed'], coverage: 0.8 }, otherwise: 'allow' } });
    const verdict = decideVerdict(of, records([record(critics[0]!, 'gated'), record(critics[1]!, 'succeeded')]), facts);
    expect(verdict).toMatchObject({ decision: 'escalate', reasons: [{ critic: 'needed', code: 'ALLOW_NEEDS' }] });
  });

  it('counts a skipped critic once, through the dependency at the root', () => {
    const critics = [
      critic('root', { onFailure: onFailure({ failed: 'escalate' }) }),
      critic('leaf', { dependsOn: ['root'] }),
      critic('good'),
    ];
    const of = plan(critics);
    const skipped = { ...record(critics[1]!, 'skipped'), root: 'root' };
    const verdict = decideVerdict(of, records([record(critics[0]!, 'failed'), skipped, record(critics[2]!, 'succeeded')]), facts);
    expect(verdict.decision).toBe('escalate');
    expect(verdict.reasons).toHaveLength(1);
    expect(verdict.reasons[0]?.message).toContain('skipped because of it: leaf');
  });

  it('raises by what the plan says about a skipped critic, and never lowers', () => {
    const root = critic('root', { onFailure: onFailure({ failed: 'escalate' }) });
    const good = critic('good');
    const decide = (effect: 'deny' | 'ignore'): Decision => {
      const leaf = critic('leaf', { dependsOn: ['root'], onFailure: onFailure({ skipped: effect }) });
      return decideVerdict(
        plan([root, leaf, good]),
        records([record(root, 'failed'), { ...record(leaf, 'skipped'), root: 'root' }, record(good, 'succeeded')]),
        facts,
      ).decision;
    };
    expect(decide('deny')).toBe('deny');
    expect(decide('ignore')).toBe('escalate');
  });

  it('is degraded by a risk rule that erred, and names it', () => {
    const good = critic('good');
    const verdict = decideVerdict(plan([good]), records([record(good, 'succeeded')]), {
      ...facts,
      riskErrors: ['the rule for high risk could not be evaluated'],
    });
    expect(verdict).toMatchObject({ decision: 'allow', degraded: true, reasons: [{ code: 'RISK_ERROR', effect: 'none' }] });
  });

  it('escalates on a rule that errs, and names it', () => {
    const critics = [critic('good')];
    const of = plan(critics, {
      verdict: {
        rules: [{ effect: 'deny', when: 'has(context.level) && context.level > 3.0', reason: 'level', decisive: false }],
        otherwise: 'allow',
      },
    });
    const verdict = decideVerdict(of, records([record(critics[0]!, 'succeeded')]), { ...facts, context: { level: 'high' } });
    expect(verdict).toMatchObject({ decision: 'escalate', degraded: true, reasons: [{ rule: 'level', code: 'RULE_ERROR' }] });
  });

  it('does not see shadow critics', () => {
    const critics = [critic('good'), critic('shadow', { mode: 'shadow' })];
    const of = plan(critics, { verdict: { rules, otherwise: 'allow' } });
    expect(decideVerdict(of, records([record(critics[0]!, 'succeeded'), record(critics[1]!, 'succeeded', 0.99, 2)]), facts).decision).toBe(
      'allow',
    );
    expect(decideVerdict(of, records([record(critics[0]!, 'succeeded'), record(critics[1]!, 'failed')]), facts).decision).toBe('allow');
  });

  it('is not allow when a planned critic has no record at all', () => {
    const critics = [critic('good'), critic('lost')];
    expect(decideVerdict(plan(critics), records([record(critics[0]!, 'succeeded')]), facts).decision).toBe('not_judged');
  });
});

describe('a gate', () => {
  const first = critic('first', { stage: 'fast_critics' });
  const open = (policy: Partial<PlanCritic>, before: CriticRecord, given = facts as Parameters<typeof decideGate>[3]): boolean => {
    const one = critic('one', policy);
    return decideGate(plan([first, one]), one, records([before]), given).kind === 'run';
  };

  it.each(FAILURE_OUTCOMES.filter((outcome) => outcome !== 'cancelled' && outcome !== 'skipped'))(
    'opens on_violation and on_uncertainty when an earlier critic ended as %s',
    (outcome) => {
      expect(open({ policy: 'on_violation' }, record(first, outcome))).toBe(true);
      expect(open({ policy: 'on_uncertainty', uncertaintyThreshold: 0.7 }, record(first, outcome))).toBe(true);
    },
  );

  it('does not open for an earlier failure that the plan ignores', () => {
    const ignored = critic('first', { stage: 'fast_critics', onFailure: onFailure({ failed: 'ignore' }) });
    const one = critic('one', { policy: 'on_violation' });
    expect(decideGate(plan([ignored, one]), one, records([record(ignored, 'failed')]), facts).kind).toBe('closed');
  });

  it('opens on_high_risk for high and critical, and for nothing less', () => {
    const tiers = (['low', 'medium', 'high', 'critical'] as const).map((riskTier) =>
      open({ policy: 'on_high_risk' }, record(first, 'succeeded'), { ...facts, riskTier }),
    );
    expect(tiers).toEqual([false, false, true, true]);
  });

  it('opens on_uncertainty above its own threshold only', () => {
    expect(open({ policy: 'on_uncertainty', uncertaintyThreshold: 0.4 }, record(first, 'succeeded', 0, 0, 0.5))).toBe(true);
    expect(open({ policy: 'on_uncertainty', uncertaintyThreshold: 0.5 }, record(first, 'succeeded', 0, 0, 0.5))).toBe(false);
  });

  it('opens a conditional critic whose condition errs, and records the error', () => {
    const one = critic('one', { policy: 'conditional', condition: 'has(context.n) && context.n > 1.0' });
    const decided = decideGate(plan([first, one]), one, records([record(first, 'succeeded')]), { ...facts, context: { n: 'many' } });
    expect(decided).toMatchObject({ kind: 'run', decision: { open: true, error: expect.any(String) } });
  });

  it('keeps the values that a condition saw', () => {
    const one = critic('one', { policy: 'conditional', condition: "has(context.domain) && context.domain == 'financial'" });
    const decided = decideGate(plan([first, one]), one, records([record(first, 'succeeded')]), { ...facts, context: { domain: 'chat' } });
    expect(decided).toMatchObject({ kind: 'closed', outcome: 'gated', decision: { saw: { 'context.domain': 'chat' } } });
  });
});

describe('a decisive rule', () => {
  const deny = (when: string) => ({ effect: 'deny', when, reason: when, decisive: true }) as const;
  const severe = 'findings.exists(f, f.severity >= 0.9)';
  const two = "findings.exists(f, f.name == 'a' && f.severity >= 0.5) && findings.exists(f, f.name == 'b' && f.severity >= 0.5)";
  const [a, b] = [critic('a'), critic('b')] as const;
  const holds = (when: string, ...ended: CriticRecord[]): boolean => {
    const of = plan([a, b, critic('s', { mode: 'shadow' })], { verdict: { rules: [deny(when)], otherwise: 'allow' } });
    const last = ended.at(-1);
    if (last === undefined) throw new Error('nothing has ended');
    return decisiveRule(of, records(ended), facts, last) !== undefined;
  };

  it('holds by the finding that has just come, or by it together with earlier ones', () => {
    expect(holds(severe, record(a, 'succeeded', 0.95))).toBe(true);
    expect(holds(severe, record(a, 'succeeded', 0.1))).toBe(false);
    expect(holds(`${severe} || findings.exists(f, f.violations.size() > 1)`, record(a, 'succeeded', 0.1, 2))).toBe(true);
    expect(holds(two, record(a, 'succeeded', 0.6))).toBe(false);
    expect(holds(two, record(a, 'succeeded', 0.6), record(b, 'succeeded', 0.6))).toBe(true);
  });

  it('never holds by a shadow critic, or by one that did not succeed', () => {
    expect(holds(severe, record(critic('s', { mode: 'shadow' }), 'succeeded', 0.95))).toBe(false);
    expect(holds(severe, record(a, 'failed', 0.95))).toBe(false);
  });

  it('tried after each of many ends holds exactly when it holds over all of them', () => {
    const ended = fc.array(fc.constantFrom(0, 0.4, 0.6, 0.95), { minLength: 2, maxLength: 2 });
    fc.assert(
      fc.property(
        ended,
        fc.constantFrom(severe, two, `${severe} || ${two}`, `(${severe}) && (${two})`),
        ([first = 0, second = 0], when) => {
          const of = plan([a, b], { verdict: { rules: [deny(when)], otherwise: 'allow' } });
          const all = [record(a, 'succeeded', first), record(b, 'succeeded', second)];
          const step = all.some((one, index) => decisiveRule(of, records(all.slice(0, index + 1)), facts, one) !== undefined);
          expect(step).toBe(decideVerdict(of, records(all), facts).decision === 'deny');
        },
      ),
    );
  });
});
