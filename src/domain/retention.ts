/** Which backups of a task a new one pushes out. */

/** @param newestFirst A task's stored backups. @param keep How many stay; 0 keeps all. */
export function beyondCount<T>(newestFirst: readonly T[], keep: number): T[] {
  return keep === 0 ? [] : newestFirst.slice(Math.max(keep, 1));
}
