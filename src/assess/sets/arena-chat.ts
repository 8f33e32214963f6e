/** Ordinary requests to a chat arena with a model's answers: none chosen for risk, so of no family. */
import { z } from 'zod';
import { HARMLESS } from './record.js';
import { sharedAdapter } from './shared-form.js';

export const arenaChat = sharedAdapter('arena-hard-chat', 'lm-sys/arena-hard-auto', z.looseObject({}), () => ({
  stratum: 'ordinary-chat',
  labels: HARMLESS,
}));
