/**
 * Log-ins with an OpenID Connect provider: the settings, and what a provider's answer means for a user of
 * this control plane.
 */
import { type Role, ROLES } from "./roles.ts";

export interface OpenidSettings {
  /** The provider's issuer identifier, a URL, exactly as the provider writes it. */
  readonly issuer: string;
  readonly clientId: string;
  /** Path of the file with the client secret; null for a public client, which uses PKCE only. */
  readonly clientSecretFile: string | null;
  /** The provider's name on the log-in page. */
  readonly label: string;
  /** The requested scopes, separated by blanks. */
  readonly scopes: string;
  /** Name of the claim that lists the user's groups. */
  readonly groupsClaim: string;
  /** The rights that groups give. If empty, groups change nothing. */
  readonly grants: readonly GroupGrant[];
  /**
   * Whether a person's first log-in creates a user. It never does if a user with the person's email address
   * exists.
   */
  readonly createsUsers: boolean;
}

/** The right that one of the provider's groups gives: a role in a workspace, or administrators' rights. */
export interface GroupGrant {
  readonly group: string;
  readonly to: { readonly role: Role; readonly workspaceId: number } | "administrator";
}

/**
 * Parses entries `group=administrator` and `group=role@workspace`, separated by commas. Returns null if an
 * entry is malformed.
 */
export function parseGroupGrants(text: string): GroupGrant[] | null {
  const grants = text.split(",").map((entry) => {
    const [, group, role, workspace] = /^\s*(.+)=(\w+)(?:@([1-9]\d{0,14}))?\s*$/.exec(entry) ?? [];
    if (role === "administrator") {
      return workspace === undefined ? { group: group!, to: role } as const : null;
    }
    const known = ROLES.find((each) => each === role);
    if (known === undefined || workspace === undefined) return null;
    return { group: group!, to: { role: known, workspaceId: Number(workspace) } };
  });
  return grants.includes(null) ? null : grants as GroupGrant[];
}

/** The rights that a user has by the groups at the provider. */
export interface GroupRights {
  /** Whether the user is an administrator; null if the settings name no administrators' group. */
  readonly isAdmin: boolean | null;
  /** The user's role in each workspace that the settings name; null for no role. */
  readonly roles: ReadonlyMap<number, Role | null>;
}

/**
 * Returns the rights of a user who is in `groups`. If several entries give the user a role in the same
 * workspace, the first one counts.
 */
export function rightsOf(grants: readonly GroupGrant[], groups: readonly string[]): GroupRights {
  const roles = new Map<number, Role | null>();
  let isAdmin: boolean | null = null;
  for (const { group, to } of grants) {
    const fits = groups.includes(group);
    if (to === "administrator") isAdmin = isAdmin === true || fits;
    else roles.set(to.workspaceId, roles.get(to.workspaceId) ?? (fits ? to.role : null));
  }
  return { isAdmin, roles };
}

/** Returns whether the rights include anything. */
export function hasRights({ isAdmin, roles }: GroupRights): boolean {
  return isAdmin === true || [...roles.values()].some((role) => role !== null);
}

/** A person, as the provider's verified answer describes them. */
export interface OpenidIdentity {
  readonly issuer: string;
  /** The provider's identifier of the person. It never changes, unlike the email address. */
  readonly subject: string;
  /** The email address if the provider states that it is verified; null in all other cases. */
  readonly email: string | null;
  readonly name: string;
  readonly groups: readonly string[];
  /** How long ago the person authenticated, in milliseconds; null if the provider does not say. */
  readonly age: number | null;
}

type Claims = Readonly<Record<string, unknown>>;

/** Maximum length of a subject (OpenID Connect Core, section 2), and of a name. */
const MAX_TEXT = 255;
const MAX_EMAIL = 254;

/**
 * Reads a person's claims. Returns null if the subject is not valid.
 *
 * @param claims The claims of the ID token. The token has been verified.
 * @param more The claims of the user info endpoint, for the same subject. If the ID token has the same claim,
 *   the ID token's claim counts.
 */
export function identityOf(claims: Claims, more: Claims, groupsClaim: string): OpenidIdentity | null {
  const { iss, sub, iat, auth_time: authenticated } = claims;
  if (typeof iss !== "string" || typeof sub !== "string") return null;
  if (sub === "" || sub.length > MAX_TEXT || /\p{Cc}/u.test(sub)) return null;
  // Take the address and its `email_verified` from the same source: the ID token or the user info endpoint. A
  // statement of one source must not verify an address from the other.
  const { email, email_verified: isVerified } = "email" in claims ? claims : more;
  const isUsable = typeof email === "string" && email.length <= MAX_EMAIL && /^[^\s@]+@[^\s@]+$/.test(email);
  const verified = isUsable && isVerified === true ? email : null;
  const all: Claims = { ...more, ...claims };
  const names = [all.name, all.preferred_username, verified, sub].map(plainLine);
  const groups = all[groupsClaim];
  const isDated = typeof iat === "number" && typeof authenticated === "number";
  return {
    issuer: iss,
    subject: sub,
    email: verified,
    name: names.find((name) => name !== "")!,
    groups: (Array.isArray(groups) ? groups : [groups]).filter((group) => typeof group === "string"),
    age: isDated ? Math.max(0, iat - authenticated) * 1000 : null,
  };
}

/** Returns a text in one line, without invisible characters; an empty text if `value` is not a text. */
function plainLine(value: unknown): string {
  return typeof value === "string"
    ? [...value.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "").trim()].slice(0, MAX_TEXT).join("")
    : "";
}
