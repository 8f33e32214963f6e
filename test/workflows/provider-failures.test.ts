/**
 * Every row of the table of provider failures through a real worker: what the critic ends as, and how often the provider
 * was asked. Each plan allows three retries, so that fewer requests are the table's word.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EvaluationReport } from '../../src/domain/report.js';
import { PROVIDER_FAILURES } from '../../src/critics/network/provider-failure.js';
import { CANARY, MOVES, rowPlayedBy, startFakeProvider, type FakeProvider, type Move } from '../support/fake-provider.js';
import { criticOf, makeHarness, type Harness } from '../support/harness.js';

const RETRIES = 3;
/** Where it is not as often as the plan allows. The last one asks for a longer wait than is left. */
const REQUESTS: Readonly<Partial<Record<Move, number>>> = {
  redirect: 1,
  bad_request: 1,
  unauthorized: 1,
  forbidden: 1,
  not_found: 1,
  page: 2,
  page_as_json: 2,
  no_content: 2,
  empty: 2,
  cut_in_transit: 2,
  prose: 1,
  too_large: 1,
  gzip_bomb: 1,
  too_deep: 1,
  duplicate_keys: 1,
  forbidden_key: 1,
  wrong_schema: 1,
  rate_limited_huge: 1,
};

/** Seen by `http`; what only chat completions do is played against the judge. */
const PLAYED = (Object.keys(MOVES) as Move[]).filter((move) => !['declined', 'cut_off', undefined].includes(rowPlayedBy(move)));

const critics = (url: string): Record<string, object> =>
  Object.fromEntries(
    PLAYED.map((move) => [
      move,
      {
        uses: 'http',
        stage: 'core_analysis',
        maxRetries: rowPlayedBy(move) === 'slow_drip' ? 1 : RETRIES,
        retryBackoffBase: 1,
        retryOnTimeout: true,
        attemptTimeout: rowPlayedBy(move) === 'slow_drip' ? '2s' : '20s',
        onFailure: 'ignore',
        with: { url: `${url}/${move}/judge` },
      },
    ]),
  );

const plan = (name: string, all: Record<string, object>): object => ({
  plan: name,
  version: 1,
  timeouts: { global: '60s' },
  critics: all,
  verdict: { otherwise: 'allow' },
});

describe('a provider that fails', () => {
  let provider: FakeProvider;
  let harness: Harness;
  let report: EvaluationReport;
  beforeAll(async () => {
    provider = await startFakeProvider();
    harness = await makeHarness({ plans: [plan('fails', critics(provider.url))], hosts: [provider.host] });
    report = await harness.client.evaluate({ plan: 'fails', content: 'text' });
  });
  afterAll(async () => {
    await harness.close();
    await provider.close();
  });

  it.each(PLAYED)('by %s is asked as often as the table says and ends as the table says', (move) => {
    const row = PROVIDER_FAILURES[rowPlayedBy(move) ?? 'page'];
    const critic = criticOf(report, move);
    const asked = provider.count(`/${move}/judge`);
    expect(critic.attempts).toBe(asked);
    if (row.kind === 'timed_out') {
      expect(critic).toMatchObject({ outcome: 'timed_out', code: row.code, attempts: 2 });
      return;
    }
    expect(asked).toBe(REQUESTS[move] ?? RETRIES + 1);
    // An answer of another form is for the host to refuse: it knows what a finding is.
    const code = move === 'wrong_schema' ? /^NOT_A_FINDING$/ : new RegExp(`^${row.code.replace('_n', String.raw`_\d{3}`)}$`);
    expect(critic.code).toMatch(code);
    expect(critic.outcome).toBe(row.kind === 'invalid_output' ? 'invalid_output' : 'failed');
  });

  it('never counts as having judged', () => {
    expect(report.decision).not.toBe('allow');
    expect(report.coverage.succeeded ?? 0).toBe(0);
  });

  it('leaves not a word of its bodies in the report or in the history', async () => {
    const history = await harness.history(report.evaluationId);
    for (const said of [report, history.map((event) => JSON.stringify(event))]) expect(JSON.stringify(said)).not.toContain(CANARY);
    const payloads = history.flatMap((event) => JSON.stringify(event).match(/"data":"[^"]+"/g) ?? []);
    expect(payloads.map((one) => Buffer.from(one.slice(8, -1), 'base64').toString()).join('\n')).not.toContain(CANARY);
  });
});

describe('a worker whose plan asks a private address that nobody named', () => {
  it('does not start, and says which critic it is and what to write', async () => {
    const private_ = { tone: { uses: 'http', stage: 'core_analysis', with: { url: 'http://[::ffff:10.0.0.7]:8080/judge' } } };
    await expect(makeHarness({ plans: [plan('private', private_)], hosts: ['10.0.0.7:81'] })).rejects.toThrow(
      /^plan private: tone asks \[::ffff:a00:7\]:8080, which is a private address: name it in the deployment: hosts: \['\[::ffff:a00:7\]:8080'\] in tribunal\.yaml, or --allow-host /,
    );
  });
});
