/**
 * Defines the abilities that API tokens and roles give. The `admin` ability counts only while the user is an
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
  | "view-tags"
  | "manage-tags"
  | "run-backup-tasks"
  | "pause-backup-tasks"
  | "restore-backups"
  | "delete-backups"
  | "manage-tokens"
  | "manage-workspace"
  | "admin";

/** Every ability, in the order in which the API shows them. */
export const ABILITIES: readonly Ability[] = [
  "view-tags",
  "manage-tags",
  ...MANAGED.flatMap((noun) => VERBS.map((verb) => `${verb}-${noun}` as const)),
  "run-backup-tasks",
  "pause-backup-tasks",
  "restore-backups",
  "delete-backups",
  "manage-tokens",
  "manage-workspace",
  "admin",
];

/** The abilities that a user who is not an administrator can hold. */
export const USER_ABILITIES: readonly Ability[] = ABILITIES.filter((ability) => ability !== "admin");

/**
 * Maps an ability to a narrower ability that it includes. A token that was made before the narrower ability
 * existed keeps its rights in this way.
 */
const CONTAINED: Readonly<Partial<Record<string, Ability>>> = {
  "manage-tags": "view-tags",
  "update-backup-tasks": "pause-backup-tasks",
};

/** Returns the abilities together with the narrower abilities that they include. */
export function withContained(abilities: Iterable<string>): Set<string> {
  const all = new Set(abilities);
  for (const ability of [...all]) {
    const contained = CONTAINED[ability];
    if (contained !== undefined) all.add(contained);
  }
  return all;
}
