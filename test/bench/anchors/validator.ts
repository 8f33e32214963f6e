/** What the validators of a review ask, as an entry of a bundle of its own: in the sandbox it is the very code that reviews run. */
export { judgeCommand } from '../../../src/domain/review/guard.js';
