/** What a reason is about. Apart from the verdict, which brings the language of conditions along: clients read reports without it. */
import type { Reason } from './report.js';

/** Whether a reason is about what was found, and not about what went wrong. A critic's own code says nothing about that. */
export const isAboutFindings = ({ critic, code }: Reason): boolean => critic === undefined && (code === 'RULE' || code === 'OTHERWISE');
