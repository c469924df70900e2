/** What a mysqldump or mariadb-dump goes through before it is loaded into another database than it is of: scripts for sed. */
import type { Command } from "../children.ts";
import { quote } from "./mysql_sql.ts";

/**
 * An event begins with a comment that nothing else in a dump begins with, and ends with the delimiter that the dump has chosen for
 * it: within this block the pattern space holds all of it once `$1` is reached.
 */
const eachEvent = (then: string) =>
  String.raw`
/^DELIMITER /h
/^\/\*!50106 CREATE/{
  :event
  G
  /\*\/ \(;;*\)\nDELIMITER \1$/{
    s/\nDELIMITER ;;*$//
${then}
  }
  s/\nDELIMITER ;;*$//
  $d
  N
  b event
}`;

/**
 * Around a routine, trigger or event that was made under another collation the dump alters the database, by its name: the original.
 * The line ends with the delimiter of the moment, which none within a definition does.
 */
const ALTERATION = String.raw`CHARACTER SET [A-Za-z0-9_]* COLLATE [A-Za-z0-9_]* `;

/** For a drill: a copy of an event would run, and what it names in full is the original's. */
export const HARMLESS = `${eachEvent("    d")}
/^ALTER DATABASE .* ${ALTERATION};*$/d
`;

/**
 * For a restore: what alters the original alters the fresh database, and events are made disabled, since they would run before
 * everything is in its place.
 *
 * @param enabledPath Gets the statements of the events that were enabled; see {@link enabledEvents}. Holds no newline.
 */
export function intoFresh(fresh: string, enabledPath: string): Command {
  const name = quote(fresh).replace(/[\\/&\n]/g, "\\$&");
  const identifier = "`\\([^`]\\|``\\)*`";
  const disable = String.raw`    s/^\(\/\*!50106 CREATE\*\/ .*EVENT ${identifier} ON SCHEDULE [^${"`"}]* ` +
    String.raw`ON COMPLETION \(NOT \)*PRESERVE\) ENABLE/\1 DISABLE/w ${enabledPath}`;
  const script = `${eachEvent(`${disable}\n    b`)}
/^ALTER DATABASE \`.*\` ${ALTERATION};;*$/{
  G
  s/^ALTER DATABASE ${identifier} \\(${ALTERATION}\\(;;*\\)\\)\\n\\(DELIMITER \\3\\)*$/ALTER DATABASE ${name} \\2/
  s/\\n\\(DELIMITER ;;*\\)*$//
}
`;
  return { program: "sed", args: ["-e", script], env: { LC_ALL: "C" } };
}

/** Names of events, from what {@link intoFresh} wrote. What a definition holds may look like one. */
export function enabledEvents(written: string): string[] {
  const events = written.matchAll(/^\/\*!50106 CREATE\*\/ .*? EVENT `((?:[^`]|``)*)` ON SCHEDULE /gm);
  return [...events].map(([, name]) => name!.replaceAll("``", "`"));
}

const DISABLED_EVENT =
  /^(\/\*!50106 CREATE\*\/ .*?EVENT `((?:[^`]|``)*)` ON SCHEDULE [^`]*? ON COMPLETION (?:NOT )?PRESERVE) DISABLE(?! ON SLAVE)/gm;

/** A dump's definitions with these events enabled: whoever enables one later becomes its definer. */
export function withEnabled(definitions: string, events: readonly string[]): string {
  return definitions.replace(
    DISABLED_EVENT,
    (statement, head, name) => events.includes(name.replaceAll("``", "`")) ? `${head} ENABLE` : statement,
  );
}
