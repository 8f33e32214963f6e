/** The package has no types; these are what the comparison uses. */
declare module 'llm_guardrail' {
  export function checkInjection(text: string): Promise<{ readonly detected: boolean; readonly confidence: number }>;
}
