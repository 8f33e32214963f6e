/** `reviewers.yaml`: who may act on reviews; and the file in which a person keeps the private key. */
import { z } from 'zod';
import { TENANT_FORM } from '../contract.js';
import { bytesOfBase64Url } from '../domain/review/base64url.js';
import { isPublicKey, POINT_BYTES } from '../domain/review/crypto.js';
import { GROUP_FORM, nameForm, PERSON_ID_FORM } from '../domain/review/people.js';
import { strict } from './issues.js';
import { isWellFormed } from './json.js';

/** More than review in any organisation that keeps them in one file. */
const MAX_PEOPLE = 2_000;

/** What was written is not repeated: it may be a private key, or a whole file. */
const PublicKeySchema = z.string().refine((text) => isPublicKeyText(text), {
  error: `is no Ed25519 public key: ${POINT_BYTES} bytes in base64url without padding, as \`tribunal reviewer init\` prints it`,
});

function isPublicKeyText(text: string): boolean {
  // First, so that no long text is decoded.
  const bytes = text.length <= 2 * POINT_BYTES ? bytesOfBase64Url(text) : undefined;
  return bytes !== undefined && isPublicKey(bytes);
}

/** As records name a `requester` or `author`. */
const AliasSchema = z
  .string()
  .min(1)
  .max(256)
  .refine(isWellFormed, { error: 'holds half of a surrogate pair, which no UTF-8 text can hold' });

const idSchema = z.string().regex(PERSON_ID_FORM, { error: `is not the id of a person: write ${PERSON_ID_FORM.source}` });

const PersonSchema = strict({
  id: idSchema.meta({ description: 'Stands in search attributes and in the records of decisions: better a number than a name.' }),
  groups: z
    .array(z.string().regex(GROUP_FORM, { error: `is not the name of a group: write ${GROUP_FORM.source}` }))
    .min(1)
    .max(32)
    .meta({ description: 'Groups that plans name in their review block.' }),
  key: PublicKeySchema.meta({ description: 'Ed25519 public key, as `tribunal reviewer init` prints it.' }),
  service: z.boolean().meta({ description: 'A service account, which may read and comment, and never decides.' }).optional(),
  aliases: z
    .array(AliasSchema)
    .max(16)
    .meta({ description: 'Other names under which records know this person as requester or author.' })
    .optional(),
  tenants: z
    .array(z.string().regex(TENANT_FORM, { error: `is not the name of a tenant: write ${TENANT_FORM.source}` }))
    .min(1)
    .max(100)
    .meta({ description: 'Tenants whose reviews this person may see. Default: all.' })
    .optional(),
});

type WrittenPerson = z.output<typeof PersonSchema>;

export const ReviewersSchema = strict({
  people: z
    .array(PersonSchema)
    .min(1)
    .max(MAX_PEOPLE)
    .superRefine((people, context) => {
      for (const { path, message } of doubles(people)) context.addIssue({ code: 'custom', path: [...path], message });
    }),
});

interface Double {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What would make two people of one, who could then pass for four eyes, or one of two. */
function doubles(people: readonly WrittenPerson[]): Double[] {
  const found: Double[] = [];
  const ids = new Map<string, number>();
  const keys = new Map<string, number>();
  // Ids first: where an alias is the id of another person, the alias is what is wrong.
  for (const [index, { id, key }] of people.entries()) {
    const named = claim(ids, nameForm(id), index);
    if (named !== index) found.push({ path: [index, 'id'], message: `is the id of people.${named} already` });
    const keyed = claim(keys, key, index);
    if (keyed !== index) found.push({ path: [index, 'key'], message: `is the key of people.${keyed} already` });
  }
  for (const [index, { aliases = [] }] of people.entries()) {
    for (const [place, alias] of aliases.entries()) {
      const owner = claim(ids, nameForm(alias), index);
      if (owner !== index)
        found.push({
          path: [index, 'aliases', place],
          message: `is the id or an alias of people.${owner} already: a name is one person's`,
        });
    }
  }
  return found;
}

/** Who has it: the first one that asked. */
function claim(owners: Map<string, number>, name: string, index: number): number {
  const owner = owners.get(name) ?? index;
  owners.set(name, owner);
  return owner;
}

/** A private key as a JWK (RFC 8037), with the person's id as its name. */
export const PrivateKeySchema = strict({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: idSchema,
  x: PublicKeySchema,
  d: z.string().refine((text) => bytesOfBase64Url(text)?.length === POINT_BYTES),
});
