/** Defines the roles of a workspace's members, and what each role allows. */
import { ABILITIES, type Ability, USER_ABILITIES, withContained } from "../abilities.ts";

interface RoleDefinition {
  /** What a member with the role may do, for the documentation. */
  readonly summary: string;
  readonly abilities: readonly Ability[];
}

/**
 * The abilities that every role contains: viewing all records of the workspace, and managing the member's own
 * tokens.
 */
const OF_ALL: readonly Ability[] = [
  ...ABILITIES.filter((ability) => ability.startsWith("view-")),
  "manage-tokens",
];

const DEFINITIONS = {
  viewer: { summary: "views everything", abilities: OF_ALL },
  operator: {
    summary: "views everything; runs, cancels, pauses and resumes tasks; verifies and drills backups",
    abilities: [...OF_ALL, "run-backup-tasks", "pause-backup-tasks"],
  },
  restorer: {
    summary: "views everything; restores and downloads backups, and changes nothing",
    abilities: [...OF_ALL, "restore-backups"],
  },
  manager: { summary: "does everything in the workspace", abilities: USER_ABILITIES },
} as const satisfies Readonly<Record<string, RoleDefinition>>;

export type Role = keyof typeof DEFINITIONS;

export const ROLES: readonly Role[] = Object.keys(DEFINITIONS) as Role[];

export function roleOf(role: Role): RoleDefinition {
  return DEFINITIONS[role];
}

/** Returns every ability of a member with this role. Administrators also have `admin`, in every role. */
export function abilitiesOf(role: Role, isAdmin: boolean): Set<string> {
  return new Set(isAdmin ? [...roleOf(role).abilities, "admin"] : roleOf(role).abilities);
}

/** Returns what a token permits a member: the abilities that both the token and the member have. */
export function effectiveAbilities(
  ofToken: readonly string[],
  member: { readonly role: Role; readonly isAdmin: boolean },
): Set<string> {
  return withContained(ofToken).intersection(abilitiesOf(member.role, member.isAdmin));
}
