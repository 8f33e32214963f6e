/**
 * What a worker makes of a payload in clear that somebody sends to a review by hand. The codec refuses it, and elsewhere the
 * workflow task is tried again until somebody takes the payload for what it is. A review cannot wait for that: a reset, which
 * is the remedy, puts it in quarantine. So there it is nothing, and nothing is no command: validators refuse it.
 */
import type { DataConverter, Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import { isReviewId } from '../contract.js';
import { CodecError } from './codec-error.js';

/** `null`, as the SDK's own converter writes it. */
const NOTHING: Payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('null') };

/** For workers alone: whoever reads what is recorded has to see that it is not what it should be. */
export const withNothingInClear = (converter: DataConverter): DataConverter => ({
  ...converter,
  ...(converter.payloadCodecs !== undefined ? { payloadCodecs: converter.payloadCodecs.map(lenient) } : {}),
});

const lenient = (codec: PayloadCodec): PayloadCodec => ({
  encode: async (payloads, context) => await codec.encode(payloads, context),
  decode: async (payloads, context) => {
    if (!isReviewId(context?.workflowId ?? '')) return await codec.decode(payloads, context);
    return await Promise.all(payloads.map(async (payload) => await decodeOne(codec, payload, context)));
  },
});

async function decodeOne(codec: PayloadCodec, payload: Payload, context: SerializationContext | undefined): Promise<Payload> {
  try {
    return (await codec.decode([payload], context))[0] ?? NOTHING;
  } catch (error) {
    if (error instanceof CodecError && error.code === 'PLAIN_PAYLOAD') return NOTHING;
    throw error;
  }
}
