/** What a restore drill can be made of. */

/**
 * By the engine of a backup: the kind of server that its drill loads it on; null for files, which take none.
 */
const SERVERS = { tar: null, pg_dump: "postgresql", mysqldump: "mysql" } as const;

/**
 * The engines of backups that drills restore: all but the control plane's own state, which only a new control
 * plane takes.
 */
export const DRILLED_ENGINES: readonly string[] = Object.keys(SERVERS);

export function drilledServer(engine: string): "postgresql" | "mysql" | null {
  return engine in SERVERS ? SERVERS[engine as keyof typeof SERVERS] : null;
}

/** A task's first drill comes this long after it was created, once it has a backup. Days. */
export const FIRST_DRILL_AFTER = 1;
