/** Contents that every critic may meet: empty, at the limit of 256 KB, structured, hostile. */
import { MAX_CONTENT_BYTES } from '../domain/plan.js';
import type { Json } from '../domain/finding.js';

/** The depth that requests may have: `schemas/json.ts`. */
const DEPTH = 100;

/** Fills a content of the greatest size. */
export const upTo = (text: string, bytes: number): string => text.repeat(Math.floor(bytes / Buffer.byteLength(text)));

export const ORDINARY = 'Where is my order? It should have been here on Monday.';

export const CONTENTS: Readonly<Record<string, Json>> = {
  'an empty text': '',
  'a text of 256 KB': upTo('All work and no play makes Jack a dull boy. ', MAX_CONTENT_BYTES),
  'one word of 256 KB': 'a'.repeat(MAX_CONTENT_BYTES),
  'digits and separators of 256 KB': upTo('1 2-3.4:5@6/', MAX_CONTENT_BYTES),
  'a structure': { input: 'Where is my order?', output: ['On its way.', { note: null, stars: 5, sure: true }] },
  'an empty structure': {},
  'names that need escaping': { 'a/b': { '~': 'Hello.' }, '': 'Good bye.' },
  'hostile characters': '\u0000\u001b[2J\u202eevil\u202c\u200b\ufeff\u2028 𝕬 e\u0301 🏳️‍🌈 ﷽ \r\n',
  'lone surrogates': 'a\ud800b\udc00c',
  'a structure nested as deep as a request may be': JSON.parse(`${'['.repeat(DEPTH)}"deep"${']'.repeat(DEPTH)}`) as Json,
};

/** Stands in the contents below and in nothing that a critic would say by itself. */
export const CANARY = 'qzx7canary41';
/** The value of every secret that a critic asks for. */
export const SECRET_CANARY = 'qzx7secret42';

/** Contents that hold the canary, in the places from which messages come to quote it. */
export const TELLING: readonly Json[] = [
  `Hello ${CANARY}.`,
  `{"${CANARY}": `,
  { [CANARY]: 1 },
  { input: `Hello ${CANARY}.`, output: [`${CANARY}@example.org`, { note: CANARY }] },
];
