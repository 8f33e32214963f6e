/**
 * Limits, with real worker processes: whether they hold, what of them can be used, how soon the next owner begins, and what
 * they cost those whom they do not hold back. Each is a scenario of its own, so that one can be run alone.
 */
import type { Scenario } from '../scenario.js';
import { arrivals } from './limits/arrivals.js';
import { busyLoop } from './limits/busy-loop.js';
import { idleCost } from './limits/idle-cost.js';
import { killed } from './limits/killed.js';
import { mix } from './limits/mix.js';
import { overload } from './limits/overload.js';
import { places } from './limits/places.js';
import { rates } from './limits/rates.js';
import { takeOver } from './limits/take-over.js';
import { tenants } from './limits/tenants.js';

export const LIMITS: readonly Scenario[] = [rates, places, takeOver, killed, mix, tenants, overload, arrivals, idleCost, busyLoop];
