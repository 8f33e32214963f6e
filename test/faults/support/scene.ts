/** A fleet for the length of one test, on the server that the whole run shares or on another. */
import { inject, type TestContext } from 'vitest';
import { makeFleet, type Fleet, type FleetOptions } from './fleet.js';

export async function fleetFor(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  options: Omit<FleetOptions, 'address'> & { readonly address?: string },
): Promise<Fleet> {
  const fleet = await makeFleet({ address: inject('server').address, ...options });
  onTestFinished(() => fleet.close());
  return fleet;
}

/** How long something took: for people and benchmarks, never asserted, since it is the machine's. */
export const figure = (what: string, ms: number): void => told(what, `${(ms / 1_000).toFixed(2)} s`);

/** The same of anything else. */
export const told = (what: string, value: string): void => console.log(`figure: ${what}: ${value}`);
