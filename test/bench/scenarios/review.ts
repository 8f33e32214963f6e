/** Reviews: what they leave behind, what it costs to check a command and to wait for people, and how long people wait. */
import type { Scenario } from '../scenario.js';
import { decision } from './review/decision.js';
import { longHistory } from './review/history.js';
import { next } from './review/next.js';
import { sleeping } from './review/sleeping.js';
import { validator } from './review/validator.js';

export const REVIEWS: readonly Scenario[] = [longHistory, validator, decision, sleeping, next];
