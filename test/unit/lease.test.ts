/** The clock of a lease, with clocks that the test sets. */
import { describe, expect, it } from 'vitest';
import { Lease } from '../../src/lanes/lease.js';

const TIMEOUT = 5_000;
const MARGIN = 500;

function leaseAt() {
  const now = { monotonic: 1_000, wall: 1_700_000_000_000 };
  const lease = new Lease(TIMEOUT, MARGIN, () => ({ ...now }));
  const pass = (ms: number): void => {
    now.monotonic += ms;
    now.wall += ms;
  };
  return { lease, now, pass, answered: async () => undefined };
}

describe('a lease', () => {
  it('holds from its first answered heartbeat, and not before', async () => {
    const { lease, answered } = leaseAt();
    expect(lease.isValid()).toBe(false);
    expect(lease.lost.aborted).toBe(false);
    await lease.renew(answered);
    expect(lease.isValid()).toBe(true);
    lease.end();
  });

  it('counts from when the heartbeat was sent, not from when the answer came', async () => {
    const { lease, pass } = leaseAt();
    await lease.renew(async () => pass(3_000));
    pass(TIMEOUT - MARGIN - 3_000 - 1);
    expect(lease.isValid()).toBe(true);
    pass(1);
    expect(lease.isValid()).toBe(false);
    expect(lease.lost.aborted).toBe(true);
  });

  it.each(['monotonic', 'wall'] as const)('is over when the %s clock alone says so', async (clock) => {
    const { lease, now, answered } = leaseAt();
    await lease.renew(answered);
    now[clock] += TIMEOUT - MARGIN;
    expect(lease.isValid()).toBe(false);
  });

  it('is not longer when the wall clock is set back', async () => {
    const { lease, now, answered } = leaseAt();
    await lease.renew(answered);
    now.wall -= 3_600_000;
    now.monotonic += TIMEOUT - MARGIN;
    expect(lease.isValid()).toBe(false);
  });

  it('does not come back by an answer that was late', async () => {
    const { lease, pass, answered } = leaseAt();
    await lease.renew(answered);
    await lease.renew(async () => pass(TIMEOUT));
    expect(lease.lost.aborted).toBe(true);
    await lease.renew(answered);
    expect(lease.isValid()).toBe(false);
  });

  it('holds on when a heartbeat fails, until its time is over', async () => {
    const { lease, pass, answered } = leaseAt();
    await lease.renew(answered);
    const failing = lease.renew(() => Promise.reject(new Error('no answer')));
    await expect(failing).rejects.toThrow('no answer');
    expect(lease.isValid()).toBe(true);
    pass(TIMEOUT - MARGIN);
    expect(lease.isValid()).toBe(false);
  });

  it('tells its signal by itself when its time is over', async () => {
    const lease = new Lease(30, 10);
    await lease.renew(async () => undefined);
    await new Promise((resolve) => lease.lost.addEventListener('abort', resolve));
    expect(lease.isValid()).toBe(false);
  });
});
