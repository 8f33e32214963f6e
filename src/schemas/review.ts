/**
 * The `review:` block of a plan: the form of each field. What fields mean together, and the forms that need a sentence of
 * their own, are checked by `domain/plan-review-checks.ts`. Imports zod and the constants of `domain`.
 */
import { z } from 'zod';
import { MAX_CEL_CHARS } from '../domain/cel.js';
import { GROUP_FORM } from '../domain/review/people.js';
import { REVIEW_CAUSES, REVIEW_TIERS, WORD_FORM } from '../domain/review/policy.js';
import { durationField } from './duration.js';
import { strict } from './issues.js';

/** Nobody waits longer for a decision; the history of a review that waits grows with its reminders. */
const LONGEST_REVIEW = '365d';
/** Each is evaluated when an evaluation escalates. */
const MAX_ROUTING_RULES = 50;
/** Of a tier: a longer list is one group. */
const MAX_GROUPS = 100;
/** More than a person finds in a list. */
const MAX_REASONS = 100;
/** Each is a reminder that people get. */
const MAX_RUNGS = 20;

const cel = (description: string) => z.string().min(1).max(MAX_CEL_CHARS).meta({ description });
/** The forms are told to editors; `domain/plan-review-checks.ts` refuses what does not have them, with a sentence. */
const word = z.string().meta({ pattern: WORD_FORM.source });
const group = z.string().meta({ pattern: GROUP_FORM.source });
const groups = (description: string) => z.array(group).max(MAX_GROUPS).meta({ description });
const time = (description: string) => durationField(description, LONGEST_REVIEW);

const tiers = strict({
  default: z.enum(REVIEW_TIERS).meta({ description: 'Where no rule holds. Default acknowledgement.' }).optional(),
  rules: z
    .array(
      strict({
        triage: cel('CEL as of verdict rules: triage when true. One that errs does not hold.').optional(),
        acknowledgement: cel('CEL as of verdict rules: acknowledgement when true or when it errs.').optional(),
        determination: cel('CEL as of verdict rules: determination when true or when it errs.').optional(),
      }),
    )
    .max(MAX_ROUTING_RULES)
    .meta({ description: 'One tier each; the highest that holds is taken.' })
    .optional(),
}).meta({ description: 'How much it takes to decide: triage, acknowledgement or determination.' });

const queues = strict({
  default: word.meta({ description: 'Where no rule holds.' }),
  rules: z
    .array(z.record(z.string(), cel('CEL as of verdict rules: this queue when true. One that errs does not hold.')))
    .max(MAX_ROUTING_RULES)
    .meta({ description: 'One queue each; the first that holds is taken.' })
    .optional(),
}).meta({ description: 'Where reviews wait, for people to choose from. Default: all in the queue reviews.' });

const times = strict({
  claimBy: time('Until somebody should have claimed it. Default 4h.').optional(),
  lease: time('How long one person may hold it without doing anything. Default 30m.').optional(),
  decideBy: time('Until it should be decided. Default 24h.').optional(),
  expires: time('Until it ends undecided, with the gate shut. Default 7d.').optional(),
}).meta({ description: 'From the opening of a review; nothing moves them.' });

export const ReviewSchema = strict({
  openOn: z
    .array(z.enum(REVIEW_CAUSES))
    .min(1)
    .meta({
      description: 'What opens a review: finding (a verdict rule or otherwise), failure (everything else that escalates). Default finding.',
    })
    .optional(),
  maxOpen: z.int().min(1).max(1_000_000).meta({ description: 'Reviews of this plan that may be open at once. Default 5000.' }).optional(),
  tiers: tiers.optional(),
  queues: queues.optional(),
  reviewers: strict({
    triage: groups('Groups whose people decide in triage.').optional(),
    acknowledgement: groups('Groups whose people decide in acknowledgement.').optional(),
    determination: groups('Groups whose people decide in determination.').optional(),
  }).meta({ description: 'Who decides, for each tier that a review may come to; determination always.' }),
  leads: groups('Groups whose people may assign and withdraw. Default: those of determination.').optional(),
  reasons: z.array(word).max(MAX_REASONS).meta({ description: 'Reason codes of triage.' }).optional(),
  times: times.optional(),
  ladder: z
    .array(
      strict({
        after: time('From the opening of the review.'),
        notify: group.meta({ description: 'A channel of the deployment.' }),
      }),
    )
    .max(MAX_RUNGS)
    .meta({ description: 'Who is told while it is undecided, the earliest first.' })
    .optional(),
}).meta({ description: 'Who decides escalated cases, in which time, and who is told. Absent: no review is opened.' });
