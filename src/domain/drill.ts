/** Defines which backups a restore drill can restore. */

/**
 * Maps a backup's engine to the kind of server that its drill loads it into; null for files, which need no
 * server.
 */
const SERVERS = { tar: null, pg_dump: "postgresql", mysqldump: "mysql" } as const;

/**
 * The engines of backups that drills restore. The control plane's own state is excluded: only a new control
 * plane can load it.
 */
export const DRILLED_ENGINES: readonly string[] = Object.keys(SERVERS);

export function drilledServer(engine: string): "postgresql" | "mysql" | null {
  return engine in SERVERS ? SERVERS[engine as keyof typeof SERVERS] : null;
}

/** The number of days after a task's creation at which its first drill is due, once it has a backup. */
export const FIRST_DRILL_AFTER = 1;
