/** Checks whether a task has enough earlier backups to compare with. */
import type { GuardHistory } from "./guard.ts";

/** The reason for a guard that compares with the medians of earlier backups. */
export function missingBackups({ usual }: GuardHistory): string | null {
  return usual === null
    ? "Not compared with earlier backups: too few backups of this source are stored"
    : null;
}
