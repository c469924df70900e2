/** What a restore drill can be made of. */

/**
 * The engines of backups that drills restore: those of files. Databases need a scratch database on the server, which there is none of
 * yet: they are not scheduled, and nothing claims that they were proven.
 */
export const DRILLED_ENGINES: readonly string[] = ["tar"];

/** A task's first drill comes this long after it was created, once it has a backup. Days. */
export const FIRST_DRILL_AFTER = 1;
