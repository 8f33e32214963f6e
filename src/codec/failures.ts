/** How failures become payloads: without this, messages of critics would stand in clear beside encrypted findings. */
import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';

export const FAILURE_CONVERTER = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));

/** The data converter with ours for failures, unless it has one of its own. */
export const withFailures = (converter: DataConverter): DataConverter => ({ failureConverterPath: FAILURE_CONVERTER, ...converter });
