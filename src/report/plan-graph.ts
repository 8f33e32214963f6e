/** A plan as a Mermaid flowchart: stages as boxes, critics with their policies, dependencies as arrows. Pure. */
import { stagesOf, type Plan, type PlanCritic } from '../domain/plan.js';
import { stageLabel } from '../lanes/lanes.js';
import { policyText } from './plan-show.js';

/** Text for any Mermaid renderer; shadow critics are dashed, and so are the arrows to fallbacks. */
export function planGraph(plan: Plan): string {
  const stages = stagesOf(plan);
  const arrows = plan.critics.flatMap((critic) => critic.dependsOn.map((other) => `  ${node(other)} --> ${node(critic.name)}`));
  const fallbacks = plan.critics.flatMap((critic) =>
    critic.fallbackFor === undefined ? [] : [`  ${node(critic.fallbackFor)} -. fallback .-> ${node(critic.name)}`],
  );
  const shadows = plan.critics.filter((critic) => critic.mode === 'shadow').map((critic) => node(critic.name));
  return [
    'flowchart LR',
    ...stages.flatMap((stage) => [
      `  subgraph ${stage}["${stageLabel(stage)}"]`,
      ...plan.critics.filter((critic) => critic.stage === stage).map((critic) => `    ${node(critic.name)}["${label(critic)}"]`),
      '  end',
    ]),
    ...stages.slice(1).map((stage, index) => `  ${stages[index]} ==> ${stage}`),
    ...arrows,
    ...fallbacks,
    ...(shadows.length === 0 ? [] : ['  classDef shadow stroke-dasharray: 4', `  class ${shadows.join(',')} shadow`]),
  ].join('\n');
}

/** A critic may be called `end`, `graph` or `style`, which Mermaid would take for its own. */
const node = (name: string): string => `c_${name}`;

function label(critic: PlanCritic): string {
  const text = policyText(critic);
  return text === 'always' ? critic.name : `${critic.name}<br/>${escaped(text)}`;
}

/** Expressions hold quotes and angle brackets: everything but plain signs becomes a character code. */
const escaped = (text: string): string => text.replaceAll(/[^A-Za-z0-9 _.,!=()&|+*/'-]/gu, (sign) => `#${sign.codePointAt(0)};`);
