/** What to do about the usual errors of a load. */

const HINTS: readonly (readonly [error: RegExp, hint: string])[] = [
  [
    /role ".*" does not exist/,
    "Create it, restore the roles first, or set owners to false.",
  ],
  [/No space left on device|is full/i, "Free some room on the database's server."],
  [
    /can only create extension in database/,
    "This extension works in one database of a server only: restore under the name that the server is set up for.",
  ],
  [
    /could not open extension control file|extension ".*" is not available/,
    "Install the extension's package on the database's server.",
  ],
  [/tablespace ".*" does not exist/, "Create the tablespace first, or set continue_on_errors."],
  [
    /^(?:could not execute query: ERROR: +)?(?:function|operator|type|relation) .*does not exist/,
    "A function that names it without its schema finds nothing while a dump is loaded: name the schema there, or give " +
    "the function a search_path (alter function … set search_path), and back up again. To load the rest, set " +
    "continue_on_errors.",
  ],
  [
    /must be (?:owner|member|superuser|able to SET ROLE)|permission denied to (?:create|set|change)|insufficient privilege/i,
    "Set owners to false, restore as a user with more rights, or set continue_on_errors.",
  ],
  [
    /unrecognized configuration parameter/,
    "The server is older than the backup: install client programs of the server's version, or set continue_on_errors.",
  ],
];

/** Begins with a full stop, to follow an error; empty where nothing is known. */
export function hint(error: string): string {
  const found = HINTS.find(([pattern]) => pattern.test(error));
  return found === undefined ? "" : `. ${found[1]}`;
}
