/** Promises that only a person may make. Put here what your own critic looks for. */
const PROMISE = /\b(?:refund|guarantee|compensat)\w*/giu;

/** @type {import('tribunal').Critic[]} */
export default [
  {
    name: 'promises',
    version: '1.0.0',
    /** Content goes in, a finding comes out. Messages must not quote the content. */
    evaluate({ content }) {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      const found = text.match(PROMISE) ?? [];
      if (found.length === 0) return { severity: 0, violations: [] };
      return { severity: 0.9, violations: [{ code: 'promise', message: `${found.length} promises that only a person may make` }] };
    },
  },
];
