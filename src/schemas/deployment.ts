/** `tribunal.yaml`: what all workers of a deployment load. */
import { z } from 'zod';
import { TENANT_FORM } from '../contract.js';
import { CHANNEL_FORM, CONSUMER_EVENTS } from '../domain/review/channels.js';
import { HostSchema } from './host.js';
import { strict } from './issues.js';
import { secretName, serviceUrl } from './service.js';

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

const PLACES = ['webhook', 'file', 'log'] as const;

const ChannelSchema = strict({
  webhook: serviceUrl('the name of a secret is written under secretEnv')
    .meta({ description: 'Each notification is POSTed there as JSON. A private host must stand under `hosts`.' })
    .optional(),
  secretEnv: secretName().meta({ description: 'Name of the secret that signs: NAME is the variable TRIBUNAL_SECRET_NAME.' }).optional(),
  file: z
    .string()
    .min(1)
    .refine((path) => !path.includes('\0'), { error: 'is not a path' })
    .meta({ description: 'One JSON line for each notification is appended; the folder must be there.' })
    .optional(),
  log: z.literal(true, { error: 'can only be true' }).meta({ description: "One line of the worker's log." }).optional(),
  events: z
    .array(z.enum(CONSUMER_EVENTS))
    .min(1)
    .meta({ description: 'Hears these of every review and evaluation; without it only what is addressed to its name.' })
    .optional(),
}).superRefine((channel, context) => {
  const tell = (message: string, ...path: string[]): void => context.addIssue({ code: 'custom', path, message });
  const places = PLACES.filter((place) => channel[place] !== undefined);
  if (places.length === 0) tell('goes nowhere: write webhook, file or log');
  if (places.length > 1) tell(`goes to ${places.join(' and ')}: write one of them, and make a channel for each other one`);
  // Whoever can reach the receiver could tell it anything.
  if (channel.webhook !== undefined && channel.secretEnv === undefined)
    tell('is missing: a webhook is signed, so write the name of a secret', 'secretEnv');
  if (channel.webhook === undefined && channel.secretEnv !== undefined)
    tell('goes with webhook alone: nothing else is signed', 'secretEnv');
  if (new Set(channel.events).size !== (channel.events ?? []).length) tell('names an event twice', 'events');
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
  reviewers: z
    .string()
    .min(1)
    .meta({ description: 'The file of people who decide reviews. Default: reviewers.yaml beside this file, where it is.' })
    .optional(),
  notify: z
    .record(z.string().regex(CHANNEL_FORM), ChannelSchema, {
      error: ({ code }) => (code === 'invalid_key' ? `is not the name of a channel: write ${CHANNEL_FORM.source}` : undefined),
    })
    .meta({ description: 'Channels by which people and programs hear of reviews and verdicts.' })
    .optional(),
});
