/** SHA-256 over RFC 8785 canonical JSON. Node only: the workflow sandbox has no crypto, hashes are handed in. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Json } from './domain/finding.js';
import type { EvaluationRequest } from './domain/request.js';

export const sha256 = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/**
 * Canonical form (RFC 8785) of a JSON value.
 * @throws Error for what JSON cannot hold: NaN, infinities, cycles, lone surrogates.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('the value has no JSON form');
  return text;
}

export const hashJson = (value: unknown): string => sha256(canonicalJson(value));

/** What two requests of one key must agree on to be the same evaluation. */
export function requestDigest(request: Pick<EvaluationRequest, 'plan' | 'tenant' | 'content' | 'context' | 'riskTier' | 'gating'>): string {
  const { plan, tenant, content, context, riskTier, gating } = request;
  return hashJson({ plan, tenant, content, context, riskTier: riskTier ?? null, gating });
}

export const contentHash = (content: Json): string => hashJson(content);
