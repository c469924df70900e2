/**
 * Lists a MySQL or MariaDB database's objects by their type. A drill compares these lists in addition to the
 * rows.
 */
import { isSchema, MARK } from "./sql.ts";
import { fromHex, type MysqlConnection } from "./connection.ts";
import { hasDatabaseComments, isAtLeast, type ServerVersion } from "./programs.ts";

/** Names of objects by their type. A drill reports type and name, as in "trigger stamp is missing". */
export type ObjectNames = Record<string, string[]>;

/** Objects that the lists never include, so drills cannot compare it. The output shows these texts. */
export const NOT_COMPARED = ["grants, which belong to the server's accounts", "next values of sequences"];

const KINDS = [
  "table",
  "sequence",
  "view",
  "trigger",
  "procedure",
  "function",
  "package",
  "package body",
  "event",
  "index",
  "foreign key",
  "database property",
];

/** Type of objects that old servers do not list; see {@link listsChecks}. */
export const CHECK = "check constraint";

/**
 * Whether the server lists check constraints. MySQL does so from version 8.0.16 on. For MariaDB, see
 * https://mariadb.com/kb/en/information-schema-check_constraints-table/
 */
export function listsChecks({ version, isMariadb }: ServerVersion): boolean {
  return isMariadb ? isAtLeast(version, 10, 5) : isAtLeast(version, 8, 0, 16);
}

/**
 * Lists the objects that the login is allowed to see. Leaves out one-time events, because such an event might
 * have expired and be gone after a restore.
 */
export async function listObjects(
  connection: MysqlConnection,
  client: string,
  database: string,
  server: ServerVersion,
): Promise<ObjectNames> {
  const select = (kind: string, name: string, table: string, schema: string, more = "") =>
    `select ${kind}, hex(${name}) from information_schema.${table} where ${
      isSchema(schema, database)
    }${more}`;
  const rows = await connection.query(
    client,
    [
      select(
        "case table_type when 'VIEW' then 'view' when 'SEQUENCE' then 'sequence' else 'table' end",
        "table_name",
        "tables",
        "table_schema",
      ),
      select("'trigger'", "concat(event_object_table, '.', trigger_name)", "triggers", "trigger_schema"),
      select("lower(routine_type)", "routine_name", "routines", "routine_schema"),
      select("'event'", "event_name", "events", "event_schema", " and event_type = 'RECURRING'"),
      select(
        "'index'",
        "concat(table_name, '.', index_name)",
        "statistics",
        "table_schema",
        " and seq_in_index = 1",
      ),
      select(
        "'foreign key'",
        "concat(table_name, '.', constraint_name)",
        "referential_constraints",
        "constraint_schema",
      ),
      ...listsChecks(server)
        ? [
          select(
            `'${CHECK}'`,
            server.isMariadb ? "concat(table_name, '.', constraint_name)" : "constraint_name",
            "check_constraints",
            "constraint_schema",
          ),
        ]
        : [],
      select(
        "'database property'",
        "concat('character set ', default_character_set_name)",
        "schemata",
        "schema_name",
      ),
      select(
        "'database property'",
        "concat('collation ', default_collation_name)",
        "schemata",
        "schema_name",
      ),
      ...hasDatabaseComments(server)
        ? [select("'database property'", "concat('comment ', schema_comment)", "schemata", "schema_name")]
        : [],
    ].join(" union all "),
  );
  const kinds = listsChecks(server) ? [...KINDS, CHECK] : KINDS;
  const found: ObjectNames = Object.fromEntries(kinds.map((kind) => [kind, []]));
  const marks = [MARK, `${MARK}.PRIMARY`];
  for (const [kind, name] of rows.map(([kind, name]) => [kind!, fromHex(name!)] as const)) {
    if (!marks.includes(name)) found[kind]?.push(name);
  }
  for (const names of Object.values(found)) names.sort();
  return found;
}

/**
 * Returns the names that are in both `before` and `after`. `before` was made before a dump, and `after` was
 * made after it. Leaves out a type of object if `before` or `after` does not list that type at all.
 */
export function inBoth(before: ObjectNames, after: ObjectNames): ObjectNames {
  return Object.fromEntries(
    Object.entries(before).filter(([kind]) => after[kind] !== undefined).map(([kind, names]) => {
      const there = new Set(after[kind]);
      return [kind, names.filter((name) => there.has(name))];
    }),
  );
}
