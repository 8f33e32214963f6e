/** Promises that only a person may make. Put here what your own critic looks for. */
const PROMISE = /\b(?:refund|guarantee|compensat)\w*/giu;

/** What would go out; a content of another form is looked at whole. */
function answerIn(content) {
  const answer = typeof content === 'string' ? content : content?.output;
  return typeof answer === 'string' ? answer : JSON.stringify(content);
}

/** @type {import('tribunal').Critic[]} */
export default [
  {
    name: 'promises',
    version: '1.0.0',
    /** Content goes in, a finding comes out. Messages must not quote the content. */
    evaluate({ content }) {
      if (answerIn(content).match(PROMISE) === null) return { severity: 0, violations: [] };
      return { severity: 0.9, violations: [{ code: 'promise', message: 'promises what only a person may' }] };
    },
  },
];
