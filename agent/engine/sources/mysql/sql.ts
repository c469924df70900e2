/** Builds SQL and runs queries for restores on MySQL and MariaDB. */
import type { MysqlConnection } from "./connection.ts";
import { fromHex } from "./connection.ts";
import { quote } from "./quote.ts";
import { renameCalls } from "./tokens.ts";

export { quote } from "./quote.ts";

/**
 * Returns an SQL literal for a text. The literal means the same in every SQL mode, including those in which a
 * backslash is an ordinary character.
 */
export function text(value: string): string {
  return `_utf8mb4 x'${new TextEncoder().encode(value).toHex()}'`;
}

/**
 * Returns a condition that is true if a column equals the name of a schema exactly. The first of its two
 * comparisons is inexact but can use an index.
 */
export function isSchema(column: string, name: string): string {
  return `${column} = ${text(name)} and ${exact(column)} = x'${new TextEncoder().encode(name).toHex()}'`;
}

/**
 * Returns an expression that compares a column by bytes. By characters, `Shop` might equal `shop`, and `café`
 * might equal `cafe`.
 */
export function exact(column: string): string {
  return `cast(${column} as binary)`;
}

/** Names of a database's objects, without {@link MARK} and {@link SWAP}. */
export interface Contents {
  /** Names of tables and of MariaDB's sequences. */
  tables: string[];
  views: string[];
  triggers: string[];
  events: string[];
  /** The type is `PROCEDURE`, `FUNCTION`, `PACKAGE` or `PACKAGE BODY`. */
  routines: { name: string; type: string }[];
}

/**
 * Name of a table that marks a database. The table shows that Rearguard created the database and has not
 * finished with it.
 */
export const MARK = "rearguard_unfinished";
/**
 * Name of a table in a temporary database. The table contains the plan that finishes or undoes a swap: see
 * swap.ts.
 */
export const SWAP = "rearguard_swap";

/** Properties of a database. */
export interface Charset {
  characterSet: string;
  collation: string;
  /**
   * Comment of the database. Undefined if the server does not support comments, or if the comment is to stay
   * unchanged.
   */
  comment?: string | undefined;
}

/** Returns the properties of a database; null if it does not exist. */
export async function findSchema(
  connection: MysqlConnection,
  client: string,
  name: string,
  hasComment = false,
): Promise<Charset | null> {
  const [row] = await connection.query(
    client,
    `select hex(default_character_set_name), hex(default_collation_name), ${
      hasComment ? "hex(schema_comment)" : "null"
    }
     from information_schema.schemata where ${isSchema("schema_name", name)}`,
  );
  if (row === undefined) return null;
  const [characterSet, collation, comment] = row.map(fromHex) as [string, string, string];
  return { characterSet, collation, ...hasComment ? { comment } : {} };
}

export async function findContents(
  connection: MysqlConnection,
  client: string,
  schema: string,
): Promise<Contents> {
  const select = (kind: string, column: string, table: string, at: string, type = "''") =>
    `select '${kind}', hex(${column}), hex(${type}) from information_schema.${table} where ${
      isSchema(at, schema)
    }`;
  const rows = await connection.query(
    client,
    [
      select("table", "table_name", "tables", "table_schema", "table_type"),
      select("trigger", "trigger_name", "triggers", "trigger_schema"),
      select("event", "event_name", "events", "event_schema"),
      select("routine", "routine_name", "routines", "routine_schema", "routine_type"),
    ].join(" union all "),
  );
  const found = rows.map(([kind, name, type]) => ({ kind, name: fromHex(name!), type: fromHex(type!) }));
  const ofKind = (expected: string) => found.filter(({ kind }) => kind === expected);
  const tables = ofKind("table").filter(({ name }) => name !== MARK && name !== SWAP);
  return {
    tables: tables.filter(({ type }) => type !== "VIEW").map(({ name }) => name),
    views: tables.filter(({ type }) => type === "VIEW").map(({ name }) => name),
    triggers: ofKind("trigger").map(({ name }) => name),
    events: ofKind("event").map(({ name }) => name),
    routines: ofKind("routine").map(({ name, type }) => ({ name, type })),
  };
}

export async function hasTable(
  connection: MysqlConnection,
  client: string,
  name: string,
  table: string,
): Promise<boolean> {
  const rows = await connection.query(
    client,
    `select 1 from information_schema.tables where ${isSchema("table_schema", name)} and table_name = ${
      text(table)
    }`,
  );
  return rows.length > 0;
}

/** Whether another session uses a database, or executes a statement that contains its quoted name. */
export async function isInUse(connection: MysqlConnection, client: string, name: string): Promise<boolean> {
  const rows = await connection.query(
    client,
    `select 1 from information_schema.processlist
     where ${isSchema("db", name)} or (id <> connection_id() and locate(${
      text(quote(name))
    }, info) > 0) limit 1`,
  );
  return rows.length > 0;
}

/** Returns the tables of other databases whose foreign keys refer to this database, as `database.table`. */
export async function findReferrers(
  connection: MysqlConnection,
  client: string,
  name: string,
): Promise<string[]> {
  const rows = await connection.query(
    client,
    `select distinct hex(concat(constraint_schema, '.', table_name))
     from information_schema.referential_constraints
     where ${isSchema("unique_constraint_schema", name)}
       and ${exact("constraint_schema")} <> ${exact("unique_constraint_schema")}`,
  );
  return rows.map(([referrer]) => fromHex(referrer!));
}

export function dropTriggers(schema: string, { triggers }: Pick<Contents, "triggers">): string {
  return statements(triggers.map((name) => `drop trigger if exists ${at(schema, name)}`));
}

export function dropEvents(schema: string, { events }: Contents): string {
  return statements(events.map((name) => `drop event if exists ${at(schema, name)}`));
}

/** Returns SQL that drops views, events and routines. */
export function dropRest(schema: string, contents: Contents): string {
  const views = contents.views.map((name) => `drop view if exists ${at(schema, name)}`);
  const drop = ({ name, type }: Contents["routines"][0]) => `drop ${type} if exists ${at(schema, name)}`;
  const isPackage = ({ type }: Contents["routines"][0]) => type.startsWith("PACKAGE");
  const routines = contents.routines.filter((routine) => !isPackage(routine)).map(drop);
  const packages = contents.routines.filter(isPackage).map(drop);
  return dropEvents(schema, contents) + statements([...views, ...routines]) + inOracleMode(packages);
}

/**
 * Returns the statements with a change to Oracle mode before them and a change back after them. MariaDB
 * supports packages only in that mode.
 */
function inOracleMode(list: string[]): string {
  if (list.length === 0) return "";
  return statements(["set session sql_mode = 'ORACLE'", ...list, "set session sql_mode = ''"]);
}

/**
 * Column whose default uses a sequence. MariaDB stores the name of the sequence's database in the default.
 */
export interface SequenceDefault {
  table: string;
  column: string;
  expression: string;
}

export async function findSequenceDefaults(
  connection: MysqlConnection,
  client: string,
  schema: string,
): Promise<SequenceDefault[]> {
  const rows = await connection.query(
    client,
    `select hex(c.table_name), hex(c.column_name), hex(c.column_default)
     from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where ${
      isSchema("c.table_schema", schema)
    } and t.table_type <> 'VIEW' and c.column_default like '%val(%'`,
  );
  return rows.map(([table, column, expression]) => ({
    table: fromHex(table!),
    column: fromHex(column!),
    expression: fromHex(expression!),
  }));
}

/**
 * Returns SQL that corrects the column defaults of moved tables. These defaults still name the former
 * database. One statement changes all columns of a table, because a table that still has a wrong default
 * cannot be opened.
 */
export function moveDefaults(to: string, from: string, defaults: readonly SequenceDefault[]): string {
  const changes = new Map<string, string[]>();
  for (const { table, column, expression } of defaults) {
    const moved = renameCalls(expression, { from, to });
    if (moved === expression) continue;
    const change = `alter column ${quote(column)} set default (${moved})`;
    changes.set(table, [...changes.get(table) ?? [], change]);
  }
  return statements([...changes].map(([table, list]) => `alter table ${at(to, table)} ${list.join(", ")}`));
}

export interface Move {
  from: string;
  to: string;
  tables: string[];
}

/**
 * Returns one statement that moves tables between databases, with their foreign keys. The statement moves all
 * of the tables or none.
 */
export function moveTables(moves: readonly Move[]): string {
  const renames = moves.flatMap(({ from, to, tables }) =>
    tables.map((table) => `${at(from, table)} to ${at(to, table)}`)
  );
  return renames.length === 0 ? "" : `rename table ${renames.join(", ")};\n`;
}

function at(schema: string, name: string): string {
  return `${quote(schema)}.${quote(name)}`;
}

function statements(list: string[]): string {
  return list.map((statement) => `${statement};\n`).join("");
}
