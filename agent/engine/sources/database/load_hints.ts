/** Advice for common errors of dumps and loads. */

const HINTS: readonly (readonly [error: RegExp, hint: string])[] = [
  // Errors of MySQL and MariaDB.
  [
    /\b1227\b.*(?:SUPER|SET.USER|DEFINER)/,
    "The backup has objects of another definer than the login: set definers to login, or grant SET USER (MariaDB), " +
    "SET_ANY_DEFINER or SET_USER_ID (MySQL 8) on *.* to it.",
  ],
  [/\b1449\b/, "Create that account, or set definers to login."],
  [
    /\b1273\b|unknown collation/i,
    "The server is older than the backup, or from the other vendor: restore on a server that supports this collation.",
  ],
  [
    /\b14(?:18|19)\b.*log_bin_trust_function_creators/,
    "The server keeps a binary log and refuses such functions: SET GLOBAL log_bin_trust_function_creators = 1, " +
    "restore, and set it back.",
  ],
  [
    /\b1153\b|max_allowed_packet|server has gone away/i,
    "If a statement is longer than the server accepts: SET GLOBAL max_allowed_packet = 1073741824, restore, and set " +
    "it back.",
  ],
  [
    /\b(?:3750|1173)\b|without a primary key/i,
    "The server requires primary keys, and a table of the backup has none: let the login disable that " +
    "(SESSION_VARIABLES_ADMIN), or SET GLOBAL sql_require_primary_key = 0 (MySQL), innodb_force_primary_key = 0 " +
    "(MariaDB).",
  ],
  [/\b1118\b/, "SET GLOBAL innodb_strict_mode = 0, restore, and set it back."],
  [
    /\b1231\b.*sql_mode/,
    "The server does not support this SQL mode: it is older than the backup, or from the other vendor. To load the rest, set " +
    "continue_on_errors.",
  ],
  [
    /\b1370\b/,
    "Grant EXECUTE on that routine, or on all of its database, to the login.",
  ],
  [
    /insufficient privileges to SHOW CREATE/i,
    "Grant SELECT on mysql.proc (MariaDB), SHOW CREATE ROUTINE (MariaDB 11.3) or SHOW_ROUTINE (MySQL 8) to the login.",
  ],
  [
    /\b(?:1044|1142)\b.*_rearguard_/,
    "A restore needs a temporary database until it is done: grant ALL on `%\\_rearguard\\_%`.* to the login.",
  ],
  [
    /\b1412\b/,
    "A table was altered, truncated or optimized while it was dumped: run again, at another time, or leave its rows out by " +
    "excluded_database_tables.",
  ],
  [
    /\b2026\b|TLS\/SSL error/,
    "The client requires TLS that it can verify: name the server's authority (ssl-ca) in [client] of an option file of the " +
    "system user that runs it, ~/.my.cnf, or say skip-ssl-verify-server-cert there.",
  ],
  [
    /authentication plugin|caching_sha2_password/i,
    "The client does not support the account's authentication: install the client programs of the server's own vendor " +
    "(mysql-client for MySQL), or give the account another authentication plugin.",
  ],
  [/'show events': Access denied/i, "Grant EVENT on the database to the login."],
  // Errors of PostgreSQL.
  [
    /role ".*" does not exist/,
    "Create it, restore the roles first, or set owners to false.",
  ],
  [
    /row-level security policy/,
    "The dump would lack rows: back up as a user with BYPASSRLS (alter role … bypassrls), or as a superuser.",
  ],
  [
    /permission denied for large object/,
    "Large objects are read by their owner, a superuser, or with: grant select on large object … to the login.",
  ],
  [
    /too many connections for (?:role|database)|remaining connection slots are reserved/,
    "A dump takes up to three connections at once: raise the limit (alter role … connection limit, alter database " +
    "… connection limit), or run the backup at another time.",
  ],
  [
    /max_locks_per_transaction|out of shared memory/,
    "A dump locks every table of the database at once: raise max_locks_per_transaction and restart the server.",
  ],
  [
    /conflict with recovery/,
    "The standby replayed what the dump still read: raise max_standby_streaming_delay, set hot_standby_feedback, or " +
    "back up the primary.",
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

/**
 * Returns the advice for an error, to be appended to the error. The advice begins with a full stop. Returns
 * "" if there is no advice.
 */
export function hint(error: string): string {
  const found = HINTS.find(([pattern]) => pattern.test(error));
  return found === undefined ? "" : `. ${found[1]}`;
}
