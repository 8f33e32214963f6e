export default [
  {
    name: 'shouting',
    version: '1.0.0',
    evaluate({ content }) {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      const share = (text.match(/\p{Lu}/gu) ?? []).length / Math.max(1, text.length);
      return { severity: share, violations: share > 0.5 ? [{ code: 'shouting', message: 'mostly capital letters' }] : [] };
    },
  },
];
