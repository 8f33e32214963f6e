/** `tribunal.yaml`: what all workers of a deployment load. */
import { z } from 'zod';
import { TENANT_FORM } from '../contract.js';
import { HostSchema } from './host.js';
import { strict } from './issues.js';

const LANE_FORM = /^[a-z][a-z0-9_]{0,63}$/;

const LaneSchema = strict({
  maxConcurrent: z.int().min(1).max(10_000).meta({ description: 'Critics that use the lane at once.' }).optional(),
  rateLimitPerSecond: z.number().min(0.001).max(100_000).meta({ description: 'Starts a second; may be below 1.' }).optional(),
  circuit: z
    .literal('off', { error: 'can only be off: on is the default' })
    .meta({ description: 'off: the lane is not paused when its service keeps failing.' })
    .optional(),
}).refine(({ maxConcurrent, rateLimitPerSecond }) => (maxConcurrent ?? rateLimitPerSecond) !== undefined, {
  error: 'limits nothing: write maxConcurrent, rateLimitPerSecond or both',
});

const TenantSchema = strict({
  weight: z.number().min(0.001).max(1_000).meta({ description: 'Critics that start here for each one of a tenant of weight 1 (default).' }),
});

export const DeploymentSchema = strict({
  name: z.string().meta({ description: 'Name of the deployment, and of its workflow task queue. Default tribunal.' }).optional(),
  plans: z
    .array(z.string().min(1))
    .min(1)
    .meta({ description: 'Plan files: paths, or a folder with one * in the file name, such as plans/*.yaml.' }),
  critics: z.array(z.string().min(1)).meta({ description: 'Critics modules: .mjs, .js or .ts.' }).optional(),
  hosts: z
    .array(HostSchema)
    .meta({ description: 'Private hosts that critics may ask: judge.internal, 127.0.0.1:8080. Public ones need no mention.' })
    .optional(),
  lanes: z
    .record(z.string().regex(LANE_FORM), LaneSchema, {
      error: ({ code }) => (code === 'invalid_key' ? `is not the name of a lane: write ${LANE_FORM.source}` : undefined),
    })
    .meta({ description: "Limits that critics of all plans share, such as a provider's: a critic names its lane with `lane: NAME`." })
    .optional(),
  dataConverter: z
    .string()
    .min(1)
    .meta({ description: 'What Temporal records goes through it: tribunal/codec to encrypt it, or the path of a module.' })
    .optional(),
  priorityLevels: z
    .union([z.literal(10), z.literal(5)], { error: 'must be 10 or 5: the priority levels of the server' })
    .meta({ description: 'Priority levels of the server: 10 for the embedded one (default), 5 for others.' })
    .optional(),
  tenants: z
    .record(z.string().regex(TENANT_FORM), TenantSchema, {
      error: ({ code }) => (code === 'invalid_key' ? `is not the name of a tenant: write ${TENANT_FORM.source}` : undefined),
    })
    .meta({ description: 'Tenants whose share of a full lane is not that of the others.' })
    .optional(),
});
