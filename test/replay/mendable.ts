/** A critic that waits for one file, and fails unless another one is there: a cause of failure that an operator can remove. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { CriticError, defineCritic } from '../../src/critics/critic.js';

export const GO = 'go';
export const MENDED = 'mended';
const POLL_MS = 20;

export const MENDABLE = defineCritic({
  name: 'mendable',
  version: '1.0.0',
  async evaluate(_input, { signal }) {
    while (!existsSync(GO)) await delay(POLL_MS, undefined, { signal });
    if (!existsSync(MENDED)) throw new CriticError('permanent', 'BROKEN', 'is broken until it is mended');
    return { severity: 0, violations: [] };
  },
});
