import { defineCritic } from 'tribunal';

/** What it looks for: put your own check here. */
const FORBIDDEN = /\bforbidden\b/giu;

export default [
  defineCritic({
    name: 'my_critic',
    version: '1.0.0',
    /** Content goes in, a finding comes out. Messages must not quote the content. */
    evaluate({ content }) {
      const text = typeof content === 'string' ? content : JSON.stringify(content);
      if (text.match(FORBIDDEN) === null) return { severity: 0, violations: [] };
      return { severity: 0.9, violations: [{ code: 'forbidden', message: 'says what it must not say' }] };
    },
  }),
];
