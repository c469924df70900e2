/** Checks whether a task has enough earlier backups to compare with. */
import type { GuardHistory } from "./guard.ts";

/** Returns why a guard can't compare a backup with the medians of earlier backups; null if it can. */
export function missingBackups({ usual }: GuardHistory): string | null {
  return usual === null
    ? "Not compared with earlier backups: too few backups of this source are stored"
    : null;
}
