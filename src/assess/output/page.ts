/** An assessment as one page that needs nothing else: no script, no font, no picture from elsewhere. Pure. */
import { number } from '../../report/format.js';
import type { Assessment, CriticFigures, GatingFigures } from '../figures.js';
import { confusionPlot, curvePlot, gatingPlot, intervalPlot, latencyPlot, type Curve, type IntervalRow } from './plots.js';
import { plural, share } from './numbers.js';
import { headlineOf, sectionsOf, subjectOf, type Section } from './sections.js';
import { STYLE } from './style.js';
import { safeHtml } from './svg.js';

/** Nothing may be loaded and nothing run, whatever a name in the figures says. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function assessmentPage(assessment: Assessment): string {
  const title = `Assessment of ${subjectOf(assessment)}`;
  const sections = sectionsOf(assessment, { depth: Infinity });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${safeHtml(title)}</h1>
<p class="lead">${safeHtml(`${headlineOf(assessment)} · ${assessment.at.slice(0, 16).replace('T', ' ')} UTC`)}</p>
${tiles(assessment)}
${sections.map((section) => sectionHtml(section, assessment)).join('\n')}
${setsHtml(assessment)}
${notesHtml(assessment)}
</main>
</body>
</html>
`;
}

/** What a reader wants first: a number, what it is, and what it is of. */
function tiles({ records, critics, verdicts, gating, mix }: Assessment): string {
  const [harmless, harmful] = [verdicts?.overBlocking[0], verdicts?.letThrough[0]];
  const saving = mix?.gating[0] ?? gating?.[0];
  const of = mix === undefined ? 'over the sets' : 'over the mix';
  const shown: (readonly [string, string, string])[] = [
    [number(records), 'records', plural(critics.length, 'critic')],
    ...(harmless === undefined
      ? []
      : ([
          [shareOf(harmless.denied.share), 'harmless denied', `${number(harmless.denied.count)} of ${number(harmless.n)}`],
          [shareOf(harmless.escalated.share), 'harmless escalated', `${number(harmless.escalated.count)} of ${number(harmless.n)}`],
        ] as const)),
    ...(harmful === undefined
      ? []
      : ([[shareOf(harmful.stopped.share), 'harmful stopped', `${number(harmful.stopped.count)} of ${number(harmful.n)}`]] as const)),
    ...(saving === undefined
      ? []
      : ([
          [share(saving.savedShare), 'cost saved by gating', of],
          [
            `${number(saving.rightlyStopped.distinctLost)} of ${number(saving.rightlyStopped.distinctStopped)}`,
            'lost by gating',
            `at most ${share(saving.rightlyStopped.upper)} of what should be stopped`,
          ],
        ] as const)),
  ];
  const cards = shown.map(
    ([value, what, detail]) =>
      `<div class="tile"><b>${safeHtml(value)}</b><span>${safeHtml(what)}</span><small>${safeHtml(detail)}</small></div>`,
  );
  return `<div class="tiles">${cards.join('')}</div>`;
}

const shareOf = (value: number | undefined): string => (value === undefined ? '–' : share(value));

/** A section with a plot has its table folded away below it; a long table is folded away as well. */
const LONG_ROWS = 16;

function sectionHtml(section: Section, assessment: Assessment): string {
  const plot = plotOf(section.id, assessment);
  const tableText = tableHtml(section);
  const folded = plot !== undefined || section.rows.length > LONG_ROWS;
  const summary = `${plural(section.rows.length, 'row')} of numbers`;
  const body = folded ? `<details><summary>${summary}</summary>${tableText}</details>` : tableText;
  const about = section.about === undefined ? '' : `<p class="about">${safeHtml(section.about)}</p>`;
  const below = (section.below ?? []).map((line) => `<p class="below">${safeHtml(line)}</p>`).join('');
  return `<section id="${section.id}"><h2>${safeHtml(section.title)}</h2>${about}${plot ?? ''}${body}${below}</section>`;
}

/** Longer cells may break, so that a table fits the page. */
const WIDE_CHARS = 40;

function tableHtml({ columns, rows }: Section): string {
  const used = columns.map((_, index) => rows.some((row) => row[index] !== ''));
  const wide = columns.map((_, index) => rows.some((row) => (row[index] ?? '').length > WIDE_CHARS));
  const cells = (texts: readonly string[], tag: 'th' | 'td'): string =>
    texts
      .map((text, index) => {
        if (used[index] !== true) return '';
        const cls = columns[index]?.right === true ? ' class="r"' : tag === 'td' && wide[index] === true ? ' class="wide"' : '';
        return `<${tag}${cls}>${safeHtml(text)}</${tag}>`;
      })
      .join('');
  const head = `<tr>${cells(
    columns.map(({ name }) => name),
    'th',
  )}</tr>`;
  return `<div class="scroll"><table><thead>${head}</thead><tbody>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')}</tbody></table></div>`;
}

function legend(...entries: readonly (readonly [cls: string, name: string])[]): string {
  return `<div class="legend">${entries.map(([cls, name]) => `<span><i class="${cls}"></i>${safeHtml(name)}</span>`).join('')}</div>`;
}

const PRECISION_RECALL = legend(['precision', 'precision'], ['recall', 'recall']);

function plotOf(id: string, { critics, verdicts, gating, mix, sweep }: Assessment): string | undefined {
  switch (id) {
    case 'families':
      return PRECISION_RECALL + intervalPlot('Precision and recall by critic and label family', familyRows(critics), 1);
    case 'spans':
      return PRECISION_RECALL + intervalPlot('Precision and recall by type of span', spanRows(critics), 1);
    case 'confusion':
      return verdicts === undefined ? undefined : confusionPlot(verdicts.confusion);
    case 'overblocking':
      return verdicts === undefined
        ? undefined
        : legend(['deny', 'denied'], ['escalate', 'escalated']) +
            intervalPlot(
              'Over-blocking by stratum',
              verdicts.overBlocking.map(({ stratum, n, denied, escalated }) => ({
                ...named(stratum, n),
                marks: [
                  { cls: 'deny', of: denied },
                  { cls: 'escalate', of: escalated },
                ],
              })),
            );
    case 'letthrough':
      return verdicts === undefined
        ? undefined
        : legend(['stopped', 'denied or escalated'], ['deny', 'denied']) +
            intervalPlot(
              'Stopped by stratum',
              verdicts.letThrough
                .filter(({ stratum }) => stratum.split('/').length <= SHOWN_STEPS)
                .map(({ stratum, n, stopped, denied }) => ({
                  ...named(stratum, n),
                  marks: [
                    { cls: 'stopped', of: stopped },
                    { cls: 'deny', of: denied },
                  ],
                })),
              1,
            );
    case 'saved-sets':
      return gating === undefined ? undefined : gatingHtml(gating);
    case 'saved-mix':
      return mix === undefined ? undefined : gatingHtml(mix.gating);
    case 'sweep':
      return sweep === undefined ? undefined : curvePlot(`Sweep of ${sweep.critic}.${sweep.option}`, curvesOf(sweep));
    case 'runs':
      return legend(['time', 'median; the strokes are the 95th and the 99th percentile']) + latencyPlot(critics);
    default:
      return undefined;
  }
}

/** Finer strata are in the table. */
const SHOWN_STEPS = 2;

const named = (stratum: string, n: number): Pick<IntervalRow, 'name' | 'detail'> => ({ name: stratum, detail: plural(n, 'record') });

function gatingHtml(gating: readonly GatingFigures[]): string {
  const shown = gating.filter(({ stratum }) => stratum.split('/').length <= SHOWN_STEPS);
  const key = legend(
    ['ran', 'still runs'],
    ['saved', 'saved'],
    ['lost', 'lost of what was stopped with everything on, with its upper 95 % bound (distinct records)'],
  );
  return key + gatingPlot(shown, ({ stopped }) => stopped);
}

const familyRows = (critics: readonly CriticFigures[]): IntervalRow[] =>
  critics.flatMap(({ name, families }) =>
    families.map(({ family, n, precision, recall }) => ({
      name,
      detail: `${family}, ${number(n)} labelled`,
      marks: [
        { cls: 'precision', of: precision },
        { cls: 'recall', of: recall },
      ],
    })),
  );

const spanRows = (critics: readonly CriticFigures[]): IntervalRow[] =>
  critics.flatMap(({ name, spans }) =>
    (spans?.types ?? []).map(({ type, precision, recall }) => ({
      name: type,
      detail: name,
      marks: [
        { cls: 'precision', of: precision },
        { cls: 'recall', of: recall },
      ],
    })),
  );

function curvesOf({ points }: NonNullable<Assessment['sweep']>): Curve[] {
  // One family: with more nobody could tell their curves apart, and the table has them all.
  const families = points.flatMap(({ families: of }) => of.map(({ family }) => family)).slice(0, 1);
  const curve = (name: string, cls: string, read: (point: (typeof points)[number]) => number | undefined): Curve => ({
    name,
    cls,
    points: points.map((point) => ({ value: point.value, share: read(point) })),
  });
  const all = [
    ...families.flatMap((family) => {
      const of = (point: (typeof points)[number]) => point.families.find((one) => one.family === family);
      return [
        curve(`${family}: precision`, 'precision', (point) => of(point)?.precision.share),
        curve(`${family}: recall`, 'recall', (point) => of(point)?.recall.share),
      ];
    }),
    curve('plan: harmless denied', 'deny', ({ overBlocking }) => overBlocking?.denied.share),
    curve('plan: harmless escalated', 'escalate', ({ overBlocking }) => overBlocking?.escalated.share),
    curve('plan: harmful stopped', 'stopped', ({ letThrough }) => letThrough?.stopped.share),
  ];
  return all.filter(({ points: of }) => of.some((point) => point.share !== undefined));
}

function setsHtml({ sets, strata }: Assessment): string {
  const files = sets.map(({ file, form, records }) => `<li>${safeHtml(`${file}: ${plural(records, 'record')} (${form})`)}</li>`).join('');
  const counts = strata
    .filter(({ stratum }) => stratum.split('/').length <= SHOWN_STEPS)
    .map(({ stratum, n }) => `${stratum} ${number(n)}`);
  return `<section id="sets"><h2>The sets</h2><ul>${files}</ul><p class="below">${safeHtml(`By stratum: ${counts.join(', ')}`)}</p></section>`;
}

function notesHtml({ notes }: Assessment): string {
  if (notes.length === 0) return '';
  return `<section id="notes"><h2>Notes</h2><ul>${notes.map((note) => `<li>${safeHtml(note)}</li>`).join('')}</ul></section>`;
}
