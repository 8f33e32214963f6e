/** A first evaluation from code: starts it, waits for the report, and lets nothing through but an `allow`. */
import { TribunalClient, TribunalError } from 'tribunal/client';

const [text = 'Thank you, your order is on its way.', key] = process.argv.slice(2);

try {
  // Finds the server of `tribunal dev`, or what TEMPORAL_ADDRESS and TRIBUNAL_DEPLOYMENT say.
  const client = await TribunalClient.connect();
  try {
    // The same key with the same request is the same evaluation, however often this runs.
    const report = await client.evaluate({ plan: 'polite', content: text, ...(key === undefined ? {} : { key }) }, { timeoutMs: 60_000 });
    process.stdout.write(`${report.decision}  ${report.evaluationId}\n`);
    for (const { code, message } of report.reasons) process.stdout.write(`  ${code}: ${message}\n`);
    process.exitCode = report.decision === 'allow' ? 0 : 1;
  } finally {
    await client.close();
  }
} catch (error) {
  if (!(error instanceof TribunalError)) throw error;
  process.stdout.write(`not allowed  ${error.code}: ${error.message}\n`);
  process.exitCode = 1;
}
