/** Files of one folder that more may import than the rest of it: for the table of `borders.test.ts`. */
/** What runs in the sandbox of them. */
export const PURE_LANES = ['src/lanes/lanes.ts', 'src/lanes/groups.ts', 'src/lanes/deployment-state.ts', 'src/lanes/lease-times.ts'];
/** What the client, too, reads and verifies reviews with. */
export const REVIEW_PARTS = [
  'src/review/archive-position.ts',
  'src/review/archive.ts',
  'src/review/export.ts',
  'src/review/labels.ts',
  'src/review/payloads.ts',
  'src/review/read-evaluation.ts',
  'src/review/read-packet.ts',
  'src/review/read-review.ts',
  'src/review/recorded.ts',
  'src/review/release-checks.ts',
  'src/review/review-record.ts',
  'src/review/timeline.ts',
  'src/review/verify.ts',
];
export const CLIENT_PARTS = [
  'src/client-admission.ts',
  'src/client-calls.ts',
  'src/client-errors.ts',
  'src/client-handle.ts',
  'src/client-prepare.ts',
  'src/client-release.ts',
  'src/client-review-account.ts',
  'src/client-review-act.ts',
  'src/client-review-list.ts',
  'src/client-review-stats.ts',
  'src/client-reviews.ts',
  'src/client-summary.ts',
];
