/**
 * Defines the abilities of API tokens. The `admin` ability counts only while the token's user is an
 * administrator.
 */
const MANAGED = [
  "backup-destinations",
  "remote-servers",
  "notification-streams",
  "backup-tasks",
  "scripts",
] as const;
const VERBS = ["view", "create", "update", "delete"] as const;

export type Ability =
  | `${typeof VERBS[number]}-${typeof MANAGED[number]}`
  | "manage-tags"
  | "run-backup-tasks"
  | "restore-backups"
  | "delete-backups"
  | "manage-tokens"
  | "admin";

/** Every ability, in the order in which the API shows them. */
export const ABILITIES: readonly Ability[] = [
  "manage-tags",
  ...MANAGED.flatMap((noun) => VERBS.map((verb) => `${verb}-${noun}` as const)),
  "run-backup-tasks",
  "restore-backups",
  "delete-backups",
  "manage-tokens",
  "admin",
];

/** The abilities that a user who is not an administrator can hold. */
export const USER_ABILITIES: readonly Ability[] = ABILITIES.filter((ability) => ability !== "admin");
