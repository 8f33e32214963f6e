/** What the codec throws. Its sentences hold nothing of a payload but the id of its key, so that they may be shown and logged. */

export type CodecCode = 'PLAIN_PAYLOAD' | 'UNKNOWN_KEY' | 'WRONG_PLACE' | 'NOT_AUTHENTIC';

export class CodecError extends Error {
  override readonly name = 'CodecError';
  constructor(
    readonly code: CodecCode,
    message: string,
  ) {
    super(message);
  }
}

/** The codec's error among the causes of what the SDK throws. */
export function codecErrorIn(thrown: unknown): CodecError | undefined {
  for (let error = thrown; error instanceof Error; error = error.cause) if (error instanceof CodecError) return error;
  return undefined;
}
