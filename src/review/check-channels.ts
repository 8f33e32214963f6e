/** What is wrong with the channels of a deployment, told before anything has to go through them. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SecretSource } from '../critics/critic.js';
import { literalTarget, readHosts, type Target } from '../critics/network/addresses.js';
import { didYouMean } from '../domain/nearest.js';
import type { PlanPath } from '../domain/plan-problem.js';
import { channelOf, type NotifyChannels } from '../domain/review/channels.js';
import type { PlanReview } from '../domain/review/policy.js';

/** The rungs of a plan's ladder that would tell nobody. */
export function unknownChannels(
  review: Pick<PlanReview, 'ladder'> | undefined,
  channels: NotifyChannels,
): { readonly path: PlanPath; readonly message: string }[] {
  const names = Object.keys(channels).toSorted();
  const known = names.length === 0 ? 'its file has no `notify:`' : `known are ${names.join(', ')}`;
  return (review?.ladder ?? []).flatMap(({ notify }, index) =>
    channelOf(channels, notify) === undefined
      ? [
          {
            path: ['review', 'ladder', index, 'notify'],
            message: `the deployment has no channel ${notify}${didYouMean(notify, names)}; ${known}`,
          },
        ]
      : [],
  );
}

/** Webhooks with a private address written out, which the deployment does not name; what a name stands for is seen when it is asked. */
export function unnamedWebhooks(
  channels: NotifyChannels,
  hosts: readonly string[],
): { readonly channel: string; readonly target: Target }[] {
  const named = readHosts(hosts);
  return Object.entries(channels).flatMap(([channel, how]) => {
    const target = 'webhook' in how ? literalTarget(how.webhook, named) : undefined;
    return target === undefined ? [] : [{ channel, target }];
  });
}

/** What this process lacks to notify: another one may have it, and it may come later, so that it is no reason not to start. */
export async function lackingHere(channels: NotifyChannels, secrets: SecretSource): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(channels).map(async ([channel, how]) => {
      if ('webhook' in how && !secrets(how.secretEnv))
        return [`channel ${channel}: there is no secret called ${how.secretEnv}: set TRIBUNAL_SECRET_${how.secretEnv}`];
      if ('file' in how && !(await isFolder(dirname(how.file)))) return [`channel ${channel}: the folder of its file is not there`];
      return [];
    }),
  );
  return found.flat();
}

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
