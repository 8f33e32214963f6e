/**
 * A review for whoever decides it. In the order in which it should be read: what is asked and until when, what was signalled,
 * who did not object, and only then what was made of it; the content; what has happened so far. Pure: now is handed in.
 */
import pc from 'picocolors';
import type { ReviewView } from '../contract.js';
import type { EvaluationReport, ReportCritic } from '../domain/report.js';
import { MIN_RATIONALE_CHARS, MIN_REASON_CHARS } from '../domain/review/answers.js';
import { PERMIT_MS } from '../domain/review/outcome.js';
import type { ReviewTier } from '../domain/review/policy.js';
import { isOpenStatus, signalsOf, type ReviewInput } from '../domain/review/review.js';
import { isAboutFindings } from '../domain/about-findings.js';
import { BROKEN, caveats, coverageLine, headline, number, planName, reasonText, words } from './format.js';
import { contentLines, rangeText } from './review-content.js';
import { timelineLines, type Happened } from './review-timeline.js';
import { safeJson, safeText } from './safe.js';
import { pairs, wrap } from './table.js';
import { spanText, whenText } from './time-left.js';

/** A screen or two. */
const SHOWN_CHARS = 2_000;
const SHOWN_CHARS_COMPACT = 800;
/** A finding can hold 100 violations: the first ones say what it is about. */
const SHOWN_VIOLATIONS = 10;
/** Below it, and without a violation, a critic has not objected. */
const NO_OBJECTION = 0.1;

export interface ReviewShown {
  readonly view: ReviewView;
  readonly input: ReviewInput;
  /** As `shownTimeline` leaves it. */
  readonly timeline?: readonly Happened[];
}

export interface ReviewTextOptions {
  readonly nowMs: number;
  readonly color: boolean;
  readonly width?: number;
  /** All of the content. */
  readonly content?: boolean;
  /** For one case after the other: less content, nothing of what has happened. */
  readonly compact?: boolean;
}

export function reviewText(shown: ReviewShown, options: ReviewTextOptions): string {
  const { packet } = shown.input;
  const { report } = packet;
  const { width, content, compact } = options;
  const colors = pc.createColors(options.color);
  const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', colors.bold(title), ...lines]);
  const most = compact === true ? SHOWN_CHARS_COMPACT : SHOWN_CHARS;
  const rest = `tribunal review show ${shown.view.reviewId} --content`;
  const shownContent = contentLines(packet.content, {
    rest,
    ...(content === true ? {} : { most }),
    ...(width !== undefined ? { width } : {}),
  });
  const context = Object.keys(packet.context).length === 0 ? [] : wrap(safeJson(packet.context), width, '  ');
  return [
    ...caveats(report)
      .flatMap((caveat) => wrap(`! ${caveat}`, width))
      .map(colors.yellow),
    ...askedLines(shown, options, colors.bold),
    ...section('Signals', signalLines(report, width)),
    ...section('What critics said', objectionLines(shown.input, width)),
    ...section('Did not object', quietLines(report, width)),
    ...section('What was made of it', verdictLines(report, width)),
    ...section('Content (not to be trusted: whatever it says to you is part of the case)', shownContent),
    ...section('Context', context),
    ...(compact === true
      ? []
      : [...section('So far', timelineLines(shown.timeline ?? [], width)), ...section('Held by', holderLines(shown.view, options.nowMs))]),
  ].join('\n');
}

const TAKES: Readonly<Record<ReviewTier, string>> = {
  triage: 'one person, with a reason code',
  acknowledgement: `one person, a reason of at least ${MIN_REASON_CHARS.acknowledgement} characters for each signal`,
  determination: `two people to proceed, one to halt; a reason of at least ${MIN_REASON_CHARS.determination} characters for each signal and one of at least ${MIN_RATIONALE_CHARS} in all`,
};

function askedLines({ view, input }: ReviewShown, { nowMs, width }: ReviewTextOptions, bold: (text: string) => string): string[] {
  const { packet, rules } = input;
  const what = typeof packet.content === 'string' ? `a text of ${number(packet.content.length)} characters` : 'a JSON document';
  const isOpen = isOpenStatus(view.status);
  const asked = `Let ${what} pass? ${view.evaluationId}, judged by ${planName(packet.report)}, tenant ${view.tenant}${input.requester === undefined ? '' : `, asked for by ${input.requester}`}`;
  const head = isOpen ? asked : `${view.status}: ${asked}`;
  return [
    ...wrap(safeText(head), width).map(bold),
    ...pairs([
      ['review', safeText(view.reviewId)],
      ['state', `${words(view.status.toLowerCase())}, ${view.tier}, queue ${safeText(view.queue)}`],
      ...(isOpen ? openPairs(view, nowMs) : []),
      ...(isOpen && view.tier === 'triage' ? ([['codes', rules.reasons.map(safeText).join(', ')]] as const) : []),
      ...(view.insecure === true
        ? ([['unsigned', 'commands without a signature are taken: what they let pass is not for production']] as const)
        : []),
    ]),
  ];
}

function openPairs(view: ReviewView, nowMs: number): readonly (readonly [string, string])[] {
  const at = (iso: string): string => `${iso}, ${whenText(Date.parse(iso), nowMs)}`;
  return [
    ...(view.claimBy !== undefined ? ([['claim by', at(view.claimBy)]] as const) : []),
    ...(view.effectiveAt !== undefined ? ([['undo until', at(view.effectiveAt)]] as const) : []),
    ['decide by', at(view.decideBy)],
    ['time left', spanText(Math.max(0, Date.parse(view.expires) - nowMs))],
    ['proceed', `it may go out for ${spanText(PERMIT_MS)}, by a permit for this very content`],
    ['halt', 'it does not go out'],
    ['nobody', `at ${view.expires} it expires, and does not go out`],
    ['takes', TAKES[view.tier]],
  ];
}

/** What has to be answered. */
function signalLines(report: EvaluationReport, width: number | undefined): string[] {
  const failures = report.reasons.filter((reason) => reason.effect === 'escalate' && !isAboutFindings(reason));
  return signalsOf(report).flatMap(({ id, rule, message }) => [
    ...wrap(safeText(`${id}  ${rule === undefined || message.includes(rule) ? '' : `${rule}: `}${message}`), width, '  '),
    ...(id === 'failures' ? failures.slice(1).flatMap((reason) => wrap(safeText(reasonText(reason)), width, '      ')) : []),
  ]);
}

const isQuiet = ({ finding }: ReportCritic): boolean =>
  finding !== undefined && finding.violations.length === 0 && finding.severity < NO_OBJECTION;

/** In their own words, with the places that they mean. */
function objectionLines({ packet }: ReviewInput, width: number | undefined): string[] {
  return packet.report.critics.flatMap((critic) => {
    const { name, finding, mode } = critic;
    if (finding === undefined || isQuiet(critic)) return [];
    const { severity, uncertainty, violations, evidence = [] } = finding;
    const unsure = uncertainty === undefined ? '' : `, uncertainty ${number(uncertainty, 2)}`;
    const more = violations.length - SHOWN_VIOLATIONS;
    return [
      ...wrap(
        safeText(`${name}: severity ${number(severity, 2)}${unsure}${mode === 'shadow' ? ', shadow: it does not count' : ''}`),
        width,
        '  ',
      ),
      ...violations.slice(0, SHOWN_VIOLATIONS).flatMap(({ code, message, span }) => {
        const range = span === undefined ? '' : `  at ${rangeText(packet.content, span)}`;
        return wrap(`${safeText(`${code}: ${message}`)}${range}`, width, '    ');
      }),
      ...(more > 0 ? [`    and ${more} more`] : []),
      ...evidence.slice(0, SHOWN_VIOLATIONS).flatMap((quote) => wrap(`"${safeText(quote)}"`, width, '    ')),
    ];
  });
}

function quietLines({ critics }: EvaluationReport, width: number | undefined): string[] {
  const quiet = critics.filter(isQuiet).map(({ name, finding }) => `${name} (severity ${number(finding?.severity ?? 0, 2)})`);
  return quiet.length === 0 ? [] : wrap(safeText(quiet.join(', ')), width, '  ');
}

function verdictLines(report: EvaluationReport, width: number | undefined): string[] {
  const broken = report.critics.filter(({ outcome }) => BROKEN.includes(outcome));
  return [
    ...wrap(headline(report), width, '  '),
    ...wrap(`Coverage: ${coverageLine(report)}`, width, '  '),
    ...broken.flatMap(({ name, outcome, code, message }) =>
      wrap(safeText([`${name} ${words(outcome)}`, code, message].filter((part) => part !== undefined).join(': ')), width, '  '),
    ),
  ];
}

const holderLines = (view: ReviewView, nowMs: number): string[] =>
  view.claims.map(({ by, epoch, until }) => `  ${safeText(by)} until ${until} (${whenText(Date.parse(until), nowMs)}), epoch ${epoch}`);
