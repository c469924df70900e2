/**
 * Reads the contents of a database's copy: objects, numbers of rows, and damage. No other program has the
 * copy open.
 */
import type { DatabaseContents, TableRows } from "../database/row_counts.ts";
import { fromHex, identifier, query, type Runner, SqliteError } from "./program.ts";

/** Maximum number of faults in the error message. */
const MAX_FAULTS = 3;

/**
 * Messages about rows that break a constraint. Such rows are no damage: SQLite stored the rows as the
 * application wrote them.
 */
const BROKEN_CONSTRAINT = /^(?:NULL value in |CHECK constraint failed in |non-unique entry |\w+ value in )/;

/**
 * Matches the error for a database that needs a feature of the application's own SQLite, such as an
 * extension.
 */
const UNKNOWN =
  /no such (?:collation sequence|module|function|tokenizer)|unknown (?:tokenizer|function)|fts5/i;

const PROPERTIES = ["page_size", "encoding", "auto_vacuum", "user_version", "application_id"];

/**
 * Checks the structure of a copy. Returns damage as faults, and everything else as notes for the output.
 *
 * @param check `quick_check` is faster than `integrity_check`, but does not compare indexes with their
 *   tables.
 */
export async function faultsOf(
  runner: Runner,
  path: string,
  check: "quick_check" | "integrity_check",
): Promise<{ faults: string[]; notes: string[] }> {
  try {
    const lines = await query(runner, { path, as: "copy" }, `pragma ${check}(100);`);
    const found = lines.filter((line) =>
      line !== "ok" && line !== "" && !/^\*\*\* in database main \*\*\*$/.test(line)
    );
    const faults = found.filter((line) => !BROKEN_CONSTRAINT.test(line));
    const broken = found.length - faults.length;
    const notes = broken === 0
      ? []
      : [`${broken} rows break a constraint, such as: ${found.find((line) => BROKEN_CONSTRAINT.test(line))}`];
    return { faults: faults.slice(0, MAX_FAULTS), notes };
  } catch (error) {
    if (!(error instanceof SqliteError)) throw error;
    if (UNKNOWN.test(error.message)) {
      return { faults: [], notes: [`its structure can't be checked: ${error.message}`] };
    }
    return { faults: [error.message], notes: [] };
  }
}

/** Returns each table with its number of rows, and the names of all other objects, grouped by type. */
export async function readContents(runner: Runner, path: string): Promise<DatabaseContents> {
  const copy = { path, as: "copy" } as const;
  const rows = (await query(
    runner,
    copy,
    "select type, hex(name), hex(tbl_name), sql like 'create virtual table%' from sqlite_master order by 1, 2;",
  )).map((line) => line.split("|"));
  const objects: Record<string, string[]> = { "database property": await readProperties(runner, path) };
  const tables: string[] = [];
  for (const [type, name = "", table = "", isVirtual] of rows) {
    if (type === "table" && isVirtual !== "1") tables.push(fromHex(name));
    else {
      const kind = type === "table" ? "virtual table" : type!;
      const owner = type === "index" || type === "trigger" ? ` on ${fromHex(table)}` : "";
      (objects[kind] ??= []).push(`${fromHex(name)}${owner}`);
    }
  }
  return { tables: await countRows(runner, path, tables), objects };
}

async function readProperties(runner: Runner, path: string): Promise<string[]> {
  const script = PROPERTIES.map((name) => `pragma ${name};`).join("\n");
  const values = await query(runner, { path, as: "copy" }, script);
  return PROPERTIES.map((name, index) => `${name} ${values[index]}`);
}

async function countRows(runner: Runner, path: string, names: readonly string[]): Promise<TableRows[]> {
  if (names.length === 0) return [];
  // With NOT INDEXED, no index is read: an index may need a collation that only the application has.
  const script = names.map((name) => `select count(*) from ${identifier(name)} not indexed;`);
  const count = (statements: string[]) => query(runner, { path, as: "copy" }, statements.join("\n"));
  try {
    const counts = await count(script);
    return names.map((name, index) => ({ name, rows: Number(counts[index]) }));
  } catch (error) {
    if (!(error instanceof SqliteError)) throw error;
  }
  const tables: TableRows[] = [];
  for (const [index, name] of names.entries()) {
    const [rows] = await count([script[index]!]).catch((error) => {
      if (error instanceof SqliteError) return [null];
      throw error;
    });
    tables.push({ name, rows: rows === null ? null : Number(rows) });
  }
  return tables;
}

/**
 * Returns a line about rows that violate foreign keys. Returns null if there are none, or if they cannot be
 * checked.
 */
export async function brokenForeignKeys(runner: Runner, path: string): Promise<string | null> {
  const counts = 'select count(*), hex(min("table")), hex(min(parent)) from pragma_foreign_key_check;';
  const [line = "0"] = await query(runner, { path, as: "copy" }, counts).catch((error) => {
    if (error instanceof SqliteError) return ["0"];
    throw error;
  });
  const [count, table = "", parent = ""] = line.split("|");
  return count === "0"
    ? null
    : `${count} rows violate foreign keys, such as of ${fromHex(table)} to ${fromHex(parent)}`;
}
