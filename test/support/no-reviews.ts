/** For tests in which nothing escalates to people: whoever asks for a review is told so. */
import type { ReviewIndex } from '../../src/review/index-queries.js';

const none = async (): Promise<never> => await Promise.reject(new Error('this test has no reviews'));

export const noReviews: ReviewIndex = { countOpen: none, openOf: none, supersede: none, isOurs: none };
