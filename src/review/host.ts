/** What a worker tells its reviews of the world around: who may act, and by which channels people hear of it. */
import type { LoadHostInput, ReviewHost } from '../contract.js';
import { channelsFor, type NotifyChannels } from '../domain/review/channels.js';
import type { People } from '../domain/review/people.js';
import { peopleFor } from './people.js';

export interface HostOptions {
  /** Reads `reviewers.yaml`; absent: nobody can act with a signature. */
  readonly people?: () => Promise<People>;
  readonly channels: NotifyChannels;
  /** Unsigned commands are accepted, and permits are not for production. */
  readonly insecure: boolean;
}

const NOBODY: People = { persons: [], digest: '' };

/** @throws PeopleProblems when the file cannot be used: nobody decides on the word of an older one. */
export async function readHost({ people: read, channels, insecure }: HostOptions, input: LoadHostInput): Promise<ReviewHost> {
  const people = read === undefined ? NOBODY : peopleFor(await read(), input);
  return {
    peopleDigest: people.digest,
    ...(people.digest === input.knownDigest ? {} : { people }),
    insecure,
    channels: Object.keys(channels),
    hearing: channelsFor(channels, 'review_decided'),
  };
}
