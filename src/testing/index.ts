/**
 * `tribunal/testing`: what one's own critics are tested with. Loads no test runner and nothing of Temporal; every check is
 * a name and a function that throws, so that any runner takes them.
 */
export { CheckFailed, type Check, type CheckLevel } from './check.js';
export { caseChecks, readCases, type CriticCase } from './cases.js';
export { conformanceChecks } from './conformance.js';
export { expectClean, expectSpansInside } from './findings.js';
export type { ConformanceCase } from './host.js';
export { inputFor, optionsOf, thrownBy, toolsFor } from './tools.js';
