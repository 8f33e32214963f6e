/** What encryption costs: `node --import tsx test/bench/codec.ts`. Time of a payload there and back, and bytes beside it. */
import { makeAesGcmCodec } from '../../src/codec/aes-gcm.js';
import { parseKeys } from '../../src/codec/keys.js';

const ROUNDS = 2_000;
const SIZES = [100, 10_000, 500_000];
const context = {
  type: 'activity',
  namespace: 'default',
  workflowId: `default/${'k'.repeat(36)}`,
  activityId: 'core_analysis/judge',
  isLocal: false,
} as const;

const parsed = parseKeys(`k1:${Buffer.alloc(32, 1).toString('base64')}`);
if (!parsed.ok) throw new Error(parsed.problem);
const codec = makeAesGcmCodec(parsed);

for (const size of SIZES) {
  const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.alloc(size, 'x') };
  const [encoded] = await codec.encode([payload], context);
  const beside = [...Object.entries(encoded?.metadata ?? {}).flat(), encoded?.data ?? ''].reduce((sum, part) => sum + part.length, 0);
  const plain = [...Object.entries(payload.metadata).flat(), payload.data].reduce((sum, part) => sum + part.length, 0);
  const round = async (): Promise<unknown> => await codec.decode(await codec.encode([payload], context), context);
  for (let warm = 0; warm < ROUNDS; warm += 1) await round();
  const begun = performance.now();
  for (let count = 0; count < ROUNDS; count += 1) await round();
  const ms = (performance.now() - begun) / ROUNDS;
  console.log(`${size} bytes: ${ms.toFixed(3)} ms there and back, ${beside - plain} bytes more`);
}
