/** What people see of a plan. The expected texts are what a reader would want; change them by hand and look. */
import { describe, expect, it } from 'vitest';
import { planGraph } from '../../src/report/plan-graph.js';
import { showPlan } from '../../src/report/plan-show.js';
import { compiled } from './plan-fixture.js';

const TEXT = `plan: chat
version: 3
risk: { default: high, atLeast: [{ critical: "has(context.domain)" }] }
limits: { maxConcurrentCritics: 10, maxConcurrentPerStage: { fast_critics: 5 }, maxQueueSize: 100 }
timeouts: { global: 120s, stages: { pre_validation: 1500ms } }
budget: { maxCost: 40 }
critics:
  late: { uses: plain, stage: fast_critics, priority: 9, dependsOn: [end], mode: shadow }
  end: { uses: plain, stage: fast_critics, executionPolicy: conditional, condition: "has(context.domain) && context.domain == \\"a<b\\"" }
  secrets: { uses: plain, stage: pre_validation, dispatch: local }
  deep:
    uses: plain
    stage: deep_analysis
    dependsOn: [secrets, end]
    executionPolicy: on_uncertainty
    maxConcurrent: 1
    rateLimitPerSecond: 0.5
    timeout: 40s
    isolation: thread
    costWeight: 10
verdict:
  rules:
    - { deny: "findings.exists(f, f.severity >= 0.9)", reason: severe finding, decisive: true }
    - { escalate: "findings.exists(f, f.violations.size() > 0)", reason: violation found }
  allowNeeds: { critics: [secrets], coverage: 0.5 }
  otherwise: allow
`;

describe('a plan as a table', () => {
  it('shows stages, order, policies, limits, times, cost, lanes and rules', async () => {
    const plan = await compiled(TEXT);
    expect(showPlan('tribunal', plan)).toBe(`chat@3, hash ${plan.hash.slice(0, 12)}
4 critics, at most 10 at once, at most 100 waiting, 120s in all, budget 40, risk high, at least low

  stage             critics  at once    time
  1 pre_validation        1        -  1500ms
  2 fast_critics          2        5    120s
  4 deep_analysis         1        -    120s

  stage             critic         uses                  priority  runs                                               depends on   limits            attempt  timeout  retries  cost  lane
  1 pre_validation  secrets        plain@1.2.3                  5  always                                             -            -                      1s        -        0     1  local
  2 fast_critics    end            plain@1.2.3                  5  if has(context.domain) && context.domain == "a<b"  -            -                      5s        -        2     1  tribunal/p/chat/fast_critics
  2 fast_critics    late (shadow)  plain@1.2.3                  9  always                                             end          -                      5s        -        2     1  tribunal/p/chat/fast_critics
  4 deep_analysis   deep           plain@1.2.3 (thread)         5  on_uncertainty > 0.7                               secrets end  1 at once, 0.5/s       5s      40s        2    10  tribunal/p/chat/deep

risk is at least critical if has(context.domain)
deny (decisive) if findings.exists(f, f.severity >= 0.9): severe finding
escalate if findings.exists(f, f.violations.size() > 0): violation found
allow needs secrets
allow needs a coverage of 0.5
otherwise allow`);
  });

  it('keeps every critic on one line and obeys no escape that a plan holds', async () => {
    const plan = await compiled(
      TEXT.replace('"has(context.domain)"', '"has(context.domain)\\n && has(context.a)"').replace('violation found', '"\\e[31mred"'),
    );
    const lines = showPlan('tribunal', plan).split('\n');
    expect(lines).toContain('risk is at least critical if has(context.domain)\\n && has(context.a)');
    expect(lines).toContain('escalate if findings.exists(f, f.violations.size() > 0): \\u001b[31mred');
  });
});

describe('a plan as a Mermaid flowchart', () => {
  it('has stages as boxes, policies as labels, dependencies as arrows, and names that Mermaid does not take for its own', async () => {
    expect(planGraph(await compiled(TEXT))).toBe(`flowchart LR
  subgraph pre_validation["1 pre_validation"]
    c_secrets["secrets"]
  end
  subgraph fast_critics["2 fast_critics"]
    c_late["late"]
    c_end["end<br/>if has(context.domain) && context.domain == #34;a#60;b#34;"]
  end
  subgraph deep_analysis["4 deep_analysis"]
    c_deep["deep<br/>on_uncertainty #62; 0.7"]
  end
  pre_validation ==> fast_critics
  fast_critics ==> deep_analysis
  c_end --> c_late
  c_secrets --> c_deep
  c_end --> c_deep
  classDef shadow stroke-dasharray: 4
  class c_late shadow`);
  });
});
