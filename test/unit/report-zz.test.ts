import { test } from 'vitest';
import { printedReport } from './report-fixture.js';
import { reportText } from '../../src/report/text.js';
import { reportMarkdown } from '../../src/report/markdown.js';
import { currentDetails } from '../../src/report/details.js';
import { batchSummary } from '../../src/report/summary.js';
test('x', () => {
  const r = printedReport();
  console.log(reportText(r, { color: false }));
  console.log(reportText(r, { color: true, width: 60 }));
  console.log(reportMarkdown(r));
  console.log(currentDetails({ report: { ...r, decision: 'not_judged', reset: { keepSiblings: 57, stageBoundary: 40 } }, workflowId: 'default/req-1' }));
  console.log(batchSummary([{ report: r }, { report: r }, { refused: 'UNKNOWN_PLAN' }, { error: 'connection lost' }]));
});
