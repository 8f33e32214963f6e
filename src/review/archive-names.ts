/** Where in the archive the record of an id stands. Ids come from outside: whatever they are, a name stays below the folder. Pure. */
import { KEY_FORM, TENANT_FORM } from '../contract.js';

/** File systems take 255 bytes of one name. */
const MAX_NAME_CHARS = 200;

/** `<tenant>/<key>`, with words before it that end in a colon and words after it that begin with a colon or a slash. */
const REVIEW_FORM = /^((?:[A-Za-z0-9._-]+:)*)([A-Za-z0-9._-]+\/[A-Za-z0-9._-]+)((?:[:/][A-Za-z0-9._-]+)*)$/;
const SUFFIX = '.json';

/** Not `.` and `..`, and nothing hidden; `%` is in no id, so that two ids never share a name. */
const folderName = (part: string): string => part.replace(/^\./, '%2E');

/** @throws Error for what is no id of an evaluation. */
export function evaluationFolder(evaluationId: string): readonly [tenant: string, key: string] {
  const [tenant = '', key = '', ...more] = evaluationId.split('/');
  if (!TENANT_FORM.test(tenant) || !KEY_FORM.test(key) || more.length > 0)
    throw new Error(`${quoted(evaluationId)} is not the id of an evaluation: write <tenant>/<key>`);
  return [folderName(tenant), folderName(key)];
}

/** The file's name is what the id has beside that of the evaluation. @throws Error for what is no id of a review. */
export function reviewPlace(reviewId: string): { readonly evaluationId: string; readonly file: string } {
  const [, before = '', evaluationId, after = ''] = REVIEW_FORM.exec(reviewId) ?? [];
  const file = `${encodeURIComponent(before)}~${encodeURIComponent(after)}${SUFFIX}`;
  if (evaluationId === undefined || file.length > MAX_NAME_CHARS)
    throw new Error(`${quoted(reviewId)} is not the id of a review: one holds the id of its evaluation, <tenant>/<key>`);
  return { evaluationId, file };
}

/** The id that {@link reviewPlace} made this name of; `undefined` for a file of somebody else. */
export function reviewOf(evaluationId: string, file: string): string | undefined {
  const [before, after, ...more] = file.endsWith(SUFFIX) ? file.slice(0, -SUFFIX.length).split('~') : [];
  if (before === undefined || after === undefined || more.length > 0) return undefined;
  try {
    const id = `${decodeURIComponent(before)}${evaluationId}${decodeURIComponent(after)}`;
    const place = reviewPlace(id);
    return place.file === file && place.evaluationId === evaluationId ? id : undefined;
  } catch {
    return undefined;
  }
}

const quoted = (id: string): string => JSON.stringify(id.slice(0, MAX_NAME_CHARS));
