/** A critic that fails until a file exists: a cause of failure that an operator can remove. */
import { existsSync } from 'node:fs';
import { CriticError, defineCritic } from '../../src/critics/critic.js';

export const MENDED = 'mended';

export const MENDABLE = defineCritic({
  name: 'mendable',
  version: '1.0.0',
  evaluate() {
    if (!existsSync(MENDED)) throw new CriticError('permanent', 'BROKEN', 'is broken until it is mended');
    return { severity: 0, violations: [] };
  },
});
