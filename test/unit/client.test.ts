/** What of the client needs no server. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { TribunalClient } from '../../src/client.js';
import { ServerUnreachable } from '../../src/client-errors.js';
import { listQuery } from '../../src/client-summary.js';
import { uuidV7 } from '../../src/uuid-v7.js';

describe('the client', () => {
  it('and the public surface load no native module, no worker and no critic', async () => {
    const script = `
      await import('./src/index.ts');
      await import('./src/client.ts');
      const { createRequire } = await import('node:module');
      console.log(JSON.stringify(Object.keys(createRequire(import.meta.url).cache)));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
    const loaded: readonly string[] = JSON.parse(stdout);
    expect(loaded.some((file) => file.includes('@temporalio/client'))).toBe(true);
    expect(loaded.filter((file) => /core-bridge|@temporalio\/worker|@temporalio\/activity|\.node$|re2/.test(file))).toEqual([]);
  });

  it('that finds nobody at its address says so, with the address', async () => {
    const connecting = TribunalClient.connect({ address: '127.0.0.1:1', connectionOptions: { connectTimeout: 100 } });
    await expect(connecting).rejects.toBeInstanceOf(ServerUnreachable);
    await expect(connecting).rejects.toThrow('127.0.0.1:1');
  });
});

describe('the query of a list', () => {
  it('holds one evaluation type, the deployment, and what was asked for', () => {
    expect(listQuery('tribunal', {})).toBe("WorkflowType = 'evaluate' AND TaskQueue = 'tribunal'");
    expect(listQuery('tribunal', { decision: 'deny', plan: 'chat', tenant: 'acme' })).toBe(
      "WorkflowType = 'evaluate' AND TaskQueue = 'tribunal' AND TribunalDecision = 'deny' AND TribunalTenant = 'acme' AND (TribunalPlan = 'chat' OR TribunalPlan STARTS_WITH 'chat@')",
    );
    expect(listQuery('tribunal', { plan: 'chat@3' })).toContain("TribunalPlan = 'chat@3'");
  });

  it('never takes a value that would have to be escaped', () => {
    for (const filter of [{ tenant: "a'b" }, { plan: "a' OR 1=1" }, { plan: 'a@b' }, { tenant: '' }])
      expect(() => listQuery('tribunal', filter)).toThrow('refused');
  });
});

describe('a new key', () => {
  it('is a UUID of version 7 that holds the time and sorts by it', () => {
    const early = uuidV7(1_000_000_000_000);
    const late = uuidV7(1_000_000_000_001);
    expect(early).toMatch(/^00e8d4a5-1000-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(early < late).toBe(true);
    expect(uuidV7()).not.toBe(uuidV7());
  });
});
