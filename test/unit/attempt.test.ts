/** What critics are handed stays as it is for those that come after them, and what they throw is sorted. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runAttempt, type AttemptEnd } from '../../src/critics/attempt.js';
import { CriticError, type AnyCritic, type Critic } from '../../src/critics/critic.js';
import { makeRegistry } from '../../src/critics/registry.js';
import { attemptHost } from '../support/attempt-host.js';
import { critic } from '../support/plans.js';

async function attempt(own: AnyCritic, content: string, options: object = {}): Promise<AttemptEnd> {
  const registry = makeRegistry([{ critic: own, from: 'this test' }]);
  const use = { ...critic('c', { uses: own.name }), with: options as never };
  return await runAttempt(registry, use, { content, context: {}, findings: {} }, attemptHost(), 5_000);
}

describe('an attempt', () => {
  it('hands a critic options that it cannot change for the evaluations after it', async () => {
    const forgetful: Critic<{ words: string[] }> = {
      name: 'forgetful',
      version: '1.0.0',
      options: z.strictObject({ words: z.array(z.string()) }),
      evaluate: ({ content }, { options }) => {
        const found = options.words.some((word) => JSON.stringify(content).includes(word));
        if (!found) options.words.length = 0;
        return { severity: found ? 1 : 0, violations: [] };
      },
    };
    const options = { words: ['bad'] };
    expect(await attempt(forgetful, 'bad', options)).toMatchObject({ ok: true, finding: { severity: 1 } });
    expect(await attempt(forgetful, 'good', options)).toMatchObject({ ok: false, code: 'CRITIC_ERROR' });
    expect(await attempt(forgetful, 'bad', options)).toMatchObject({ ok: true, finding: { severity: 1 } });
  });

  it('hands a critic a pattern of its options as new each time: its position is no part of an evaluation', async () => {
    const matching: Critic<{ pattern: RegExp }> = {
      name: 'matching',
      version: '1.0.0',
      options: z.object({ pattern: z.string().transform((source) => new RegExp(source, 'g')) }),
      evaluate: ({ content }, { options }) => ({ severity: options.pattern.test(JSON.stringify(content)) ? 1 : 0, violations: [] }),
    };
    for (let round = 0; round < 3; round += 1) {
      expect(await attempt(matching, 'bad', { pattern: 'bad' })).toMatchObject({ ok: true, finding: { severity: 1 } });
    }
  });

  it('freezes what a schema has frozen only at the top', async () => {
    const growing: Critic<{ list: readonly string[] }> = {
      name: 'growing',
      version: '1.0.0',
      options: z.object({ list: z.array(z.string()) }).readonly(),
      evaluate: (_input, { options }) => {
        (options.list as string[]).push('more');
        return { severity: 0, violations: [] };
      },
    };
    expect(await attempt(growing, 'text', { list: ['one'] })).toMatchObject({ ok: false, code: 'CRITIC_ERROR' });
  });

  it('whose schema throws finds its implementation unavailable', async () => {
    const broken: Critic<unknown> = {
      name: 'broken',
      version: '1.0.0',
      options: z.string().transform(() => {
        throw new Error('no');
      }),
      evaluate: () => ({ severity: 0, violations: [] }),
    };
    expect(await attempt(broken, 'text', 'x' as never)).toMatchObject({ ok: false, class: 'unavailable', code: 'BAD_OPTIONS' });
  });

  it.each(['CRITIC_TIMEOUT', 'DECISIVE', 'RULE', 'IGNORED'])('does not let a critic say %s, which is a word of ours', async (code) => {
    const borrowing: AnyCritic = {
      name: 'borrowing',
      version: '1.0.0',
      evaluate: () => {
        throw new CriticError('permanent', code, 'not mine');
      },
    };
    expect(await attempt(borrowing, 'text')).toMatchObject({ ok: false, class: 'permanent', code: 'CRITIC_ERROR' });
  });
});
