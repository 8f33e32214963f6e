/** Who may act on reviews, as `reviewers.yaml` says. Pure. */

/** Of a person's id. No slash, no colon, no blank: it stands in search attributes. */
export const PERSON_ID_FORM = /^[A-Za-z0-9._@-]{1,128}$/;
export const GROUP_FORM = /^[a-z][a-z0-9_-]{0,63}$/;

const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * What names are compared by: `Ann@x` and ` ann@x ` are one person's, in whatever letters they are written and with whatever
 * blanks and invisible characters around and between.
 */
export const foldedName = (name: string): string =>
  name.normalize('NFKC').replace(INVISIBLE, '').replace(/\s+/gu, ' ').trim().toLowerCase();

export interface Person {
  /** {@link PERSON_ID_FORM}; stands in search attributes, so it should be opaque. */
  readonly id: string;
  /** Each {@link GROUP_FORM}. */
  readonly groups: readonly string[];
  /** Ed25519 public key: 32 bytes, base64url without padding. */
  readonly key: string;
  /** Service accounts may read and comment; they never decide. */
  readonly kind: 'human' | 'service';
  /** Other names under which records know this person as `requester` or `author`. */
  readonly aliases: readonly string[];
  /** Absent: of every tenant. */
  readonly tenants?: readonly string[];
}

export interface People {
  readonly persons: readonly Person[];
  /** SHA-256 of the persons' canonical JSON: changes when anybody's rights do. */
  readonly digest: string;
}
