/** Where in the archive the record of an id stands. Ids come from outside: whatever they are, a name stays below the folder. Pure. */
import { isEvaluationId, isReviewId, REVIEW_ID_FORM } from '../contract.js';

const RUN_FORM = /^[0-9a-f-]{1,36}$/;
/** Of an id in a sentence. */
const MAX_SHOWN_CHARS = 200;
const SUFFIX = '.json';

/** Not `.` and `..`, and nothing hidden; `%` is in no id, so that two ids never share a name. */
const folderName = (part: string): string => part.replace(/^\./, '%2E');

/** @throws Error for what is no id of an evaluation. */
export function evaluationFolder(evaluationId: string): readonly [tenant: string, key: string] {
  if (!isEvaluationId(evaluationId)) throw new Error(`${quoted(evaluationId)} is not the id of an evaluation: write <tenant>/<key>`);
  const [tenant = '', key = ''] = evaluationId.split('/');
  return [folderName(tenant), folderName(key)];
}

/** The folder of its evaluation, and its name there. @throws Error for what is no id of a review. */
export function reviewPlace(reviewId: string): { readonly evaluationId: string; readonly name: string } {
  const [, evaluationId, name] = REVIEW_ID_FORM.exec(reviewId) ?? [];
  if (evaluationId === undefined || name === undefined)
    throw new Error(`${quoted(reviewId)} is not the id of a review: one is review/<tenant>/<key>/<end of a run id>`);
  return { evaluationId, name };
}

/** Whether there is a place for it. */
export function isKeepable(workflowId: string): boolean {
  try {
    return isReviewId(workflowId) ? reviewPlace(workflowId).name !== '' : evaluationFolder(workflowId).length > 0;
  } catch {
    return false;
  }
}

/** A run may be reset, and then there are several: each has a file of its own. @throws Error for what is no run id. */
export function runFile(runId: string): string {
  if (!RUN_FORM.test(runId)) throw new Error(`${quoted(runId)} is not the id of a run`);
  return `${runId}${SUFFIX}`;
}

/** The run id that {@link runFile} made this name of; `undefined` for a file of somebody else. */
export function runOf(file: string): string | undefined {
  const runId = file.endsWith(SUFFIX) ? file.slice(0, -SUFFIX.length) : '';
  return RUN_FORM.test(runId) ? runId : undefined;
}

const quoted = (id: string): string => JSON.stringify(id.slice(0, MAX_SHOWN_CHARS));
