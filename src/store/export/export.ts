/**
 * Exports the whole state of a control plane as SQL text. `psql` loads the text into an empty database. The
 * text contains the applied migrations, then each table's rows. All rows show the state of one moment,
 * although they are read a few hundred at a time.
 */
import { abilitiesOf, ROLES } from "../../domain/access/roles.ts";
import { control_plane } from "../../definitions/sources/control_plane.ts";
import type { Database, Sql } from "../database/sql.ts";
import { type ExportRule, exportRule, type Reference } from "./export_plan.ts";
import { holdTransaction } from "../database/lost_transactions.ts";
import { type Migration, MigrationError } from "../database/migrate.ts";

/**
 * Last line of an export, after the `commit`. Loading a text that was cut off before the `commit` changes
 * nothing.
 */
export const EXPORT_END = "-- Rearguard export complete";
/** Beginning of the first line of an export. */
export const EXPORT_START = "-- Rearguard control plane export";

/**
 * Gap between the highest exported id and the first new id of an imported database. Ids in this gap might
 * have been assigned after the export. Agents might know such ids, and names of objects might contain them.
 */
export const ID_GAP = 1000;

const ROWS_AT_ONCE = 500;

/** The roles whose members can read the contents of backups, because they can restore them. */
const READERS = ROLES.filter((role) => abilitiesOf(role, false).has("restore-backups"));

/**
 * Returns whether the run is allowed to export the control plane. Two conditions must hold:
 * - The run backs up the control plane.
 * - Only administrators can read the run's backup: the task's user is an administrator, and so is every
 *   member of the task's workspace whose role permits reading backups.
 */
export async function mayExport(sql: Sql, runId: number): Promise<boolean> {
  const rows = await sql`
    select from runs r join backup_tasks t on t.id = r.backup_task_id join users u on u.id = t.user_id
    where r.id = ${runId} and r.kind = 'backup' and t.type = ${control_plane.taskType} and u.is_admin
      and not exists (
        select from workspace_members m join users o on o.id = m.user_id
        where m.workspace_id = t.workspace_id and m.role = any(${READERS}) and not o.is_admin)`;
  return rows.length > 0;
}

interface Table {
  name: string;
  columns: string[];
  /** The table's identity column and its sequence; null if the table has no identity column. */
  identity: { column: string; sequence: string } | null;
  rule: ExportRule;
}

/**
 * Yields the text of the export in pieces of at most a few hundred rows. Reads all rows in one transaction.
 * The transaction ends at the end of the export, or when the caller stops reading.
 *
 * Throws a {@link MigrationError} if the database has a migration that is not among `migrations`.
 */
export async function* exportText(
  database: Database,
  migrations: readonly Migration[],
  madeAt: Date,
): AsyncGenerator<string> {
  await using held = await holdTransaction(database);
  const { sql } = held;
  await sql`set transaction isolation level repeatable read read only`;
  await sql.unsafe(
    "set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local extra_float_digits = 1",
  );
  const applied = await appliedMigrations(sql, migrations);
  const tables = await exportedTables(sql);
  yield head(applied, madeAt);
  yield* schemaText(applied);
  const foreignKeys = await foreignKeysOf(sql);
  yield foreignKeys.map((key) => `${key} deferrable initially deferred;\n`).join("");
  // Removes rows that migrations insert, because the export contains them, too.
  yield `truncate ${tables.map(({ name }) => name).join(", ")} cascade;\n\n`;
  for (const table of tables) yield* tableText(sql, table);
  yield "set constraints all immediate;\n" + foreignKeys.map((key) => `${key} not deferrable;\n`).join("");
  yield `commit;\n${EXPORT_END}\n`;
}

function head(applied: readonly Migration[], madeAt: Date): string {
  return [
    `${EXPORT_START}, ${madeAt.toISOString()}, at ${applied.at(-1)!.name}`,
    "-- To be loaded into an empty database: psql --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=DATABASE",
    "-- Its secrets are sealed: they open only with the control plane's secret key.",
    "begin;",
    "set local client_encoding = 'UTF8';",
    "set local standard_conforming_strings = on;",
    "set local timezone = 'UTC';",
    "set local datestyle = 'ISO, YMD';",
    "",
    "",
  ].join("\n");
}

function* schemaText(applied: readonly Migration[]): Generator<string> {
  for (const { name, text } of applied) yield `-- migrations/${name}.sql\n${text.trimEnd()}\n\n`;
  yield "create table schema_migrations (\n  version integer primary key,\n  name text not null,\n" +
    "  checksum text not null,\n  applied_at timestamptz not null\n);\n\n";
}

async function appliedMigrations(sql: Sql, migrations: readonly Migration[]): Promise<Migration[]> {
  const rows = await sql<{ version: number; checksum: string; name: string }[]>`
    select version, checksum, name from schema_migrations order by version`;
  return rows.map(({ version, checksum, name }) => {
    const known = migrations[version - 1];
    if (known?.checksum === checksum) return known;
    throw new MigrationError(
      `Cannot export the control plane: migration ${name} is not this version's own; update this replica`,
    );
  });
}

/** Returns the tables to export, the oldest table first. Names are quoted if necessary. */
async function exportedTables(sql: Sql): Promise<Table[]> {
  const references = await referencesOf(sql);
  const tables = await sql<Omit<Table, "rule">[]>`
    select quote_ident(c.relname) as name,
      (select array_agg(quote_ident(a.attname) order by a.attnum) from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
      (select json_build_object('column', quote_ident(a.attname),
          'sequence', pg_get_serial_sequence(quote_ident(c.relname), a.attname))
        from pg_attribute a where a.attrelid = c.oid and a.attidentity <> '') as identity
    from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' order by c.oid`;
  return tables.flatMap((table) => {
    const rule = exportRule(table.name, references);
    return rule === null ? [] : [{ ...table, rule }];
  });
}

function referencesOf(sql: Sql): Promise<Reference[]> {
  return sql<Reference[]>`
    select quote_ident(c.relname) as table, quote_ident(a.attname) as column, quote_ident(t.relname) as target,
      not a.attnotnull as nullable
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class t on t.oid = k.confrelid
    join pg_attribute a on a.attrelid = c.oid and a.attnum = any(k.conkey)
    where k.contype = 'f' and c.relnamespace = current_schema()::regnamespace`;
}

/**
 * Returns the beginning of an `alter` statement for each foreign key. The caller completes it in two ways.
 * One statement defers the key's checks, so that rows can be loaded in any order. The other one undoes this.
 */
async function foreignKeysOf(sql: Sql): Promise<string[]> {
  const rows = await sql<{ statement: string }[]>`
    select format('alter table %I alter constraint %I', c.relname, k.conname) as statement
    from pg_constraint k join pg_class c on c.oid = k.conrelid
    where k.contype = 'f' and c.relnamespace = current_schema()::regnamespace order by c.oid, k.oid`;
  return rows.map(({ statement }) => statement);
}

async function* tableText(sql: Sql, { name, columns, identity, rule }: Table): AsyncGenerator<string> {
  const { where, columns: changed, isWrittenByTriggers } = rule;
  const values = columns.map((column) => copyValue(changed[column] ?? `${name}.${column}`));
  await sql.unsafe(
    `declare exported no scroll cursor for select array_to_string(array[${
      values.join(", ")
    }], E'\\t') as line ` +
      `from ${name}${where === null ? "" : ` where ${where}`}`,
  );
  if (isWrittenByTriggers) yield `delete from ${name};\n`;
  yield `copy ${name} (${columns.join(", ")}) from stdin;\n`;
  for (;;) {
    const rows = await sql.unsafe<{ line: string }[]>(`fetch ${ROWS_AT_ONCE} from exported`);
    if (rows.length === 0) break;
    yield rows.map(({ line }) => `${line}\n`).join("");
  }
  await sql.unsafe("close exported");
  yield "\\.\n";
  yield identity === null ? "\n" : `select setval('${identity.sequence.replaceAll("'", "''")}', ` +
    `(select coalesce(max(${identity.column}), 0) + ${ID_GAP} from ${name}));\n\n`;
}

/** Returns SQL that formats a value for COPY. See PostgreSQL's manual, COPY, "Text Format". */
function copyValue(value: string): string {
  const escapes = [["\\\\", "\\\\\\\\"], ["\\n", "\\\\n"], ["\\r", "\\\\r"], ["\\t", "\\\\t"]];
  const escaped = escapes.reduce(
    (text, [from, to]) => `replace(${text}, E'${from}', E'${to}')`,
    `(${value})::text`,
  );
  return `coalesce(${escaped}, E'\\\\N')`;
}
