/**
 * Counts the rows of a PostgreSQL database while pg_dump runs. The count has its own connection and reads the
 * same snapshot.
 */
import { allowsTwoConnections } from "./limits.ts";
import * as z from "zod";
import { oneLine } from "../../programs/line.ts";
import { LineReader } from "../../programs/line_reader.ts";
import { RunFailedError, type RunPorts } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { PostgresqlClient, PostgresqlConnection } from "./connection.ts";
import { NOT_LISTED, objectStatements } from "./objects.ts";
import { type DatabaseProperties, propertyLines, readProperties } from "./properties.ts";
import type { ExcludedTable } from "./tables.ts";
import { literal } from "./sql.ts";
import {
  type DatabaseContents,
  describeContents,
  type RowCounting,
  type TableRows,
  type UncheckedForeignKey,
} from "../database/row_counts.ts";

/**
 * Time limit for the count after the dump has ended: `GRACE_MS` milliseconds, or the dump's duration times
 * `GRACE_SHARE` if that is longer.
 */
const GRACE_MS = 5000;
const GRACE_SHARE = 0.1;

/** Contents of the database that are known before it is dumped. */
export interface KnownContents {
  readonly properties: DatabaseProperties;
  readonly excluded: readonly ExcludedTable[];
  readonly unchecked_foreign_keys: readonly UncheckedForeignKey[];
}

const OutputLine = z.union([
  z.object({ snapshot: z.string(), pid: z.number().int() }),
  z.object({ schema: z.string(), name: z.string(), rows: z.number().int() }),
  z.object({ listed_schema: z.string(), listed: z.string() }),
  z.object({ large_objects: z.number().int() }),
  z.object({ kind: z.string(), names: z.array(z.string()) }),
  z.object({ is_listed: z.literal(true) }),
  z.object({ is_counted: z.literal(true) }),
]);
type OutputLine = z.infer<typeof OutputLine>;

/**
 * Starts to count the rows of a database. Returns the argument with which pg_dump uses the same snapshot.
 * Some servers, such as a standby, cannot export a snapshot. Then pg_dump gets no argument, and no rows are
 * counted.
 */
export async function countInSnapshot(
  client: PostgresqlClient,
  database: string,
  known: KnownContents,
  { children, ports }: ProgramContext,
): Promise<RowCounting> {
  if (!await allowsCount(client, database)) {
    ports.output.line(
      `Rows are not counted in ${database}: its connection limit, or the login's, does not allow a second connection`,
    );
    await client.connection.settle();
    const uncounted = withKnown({}, known);
    return { args: [], end: () => Promise.resolve(uncounted) };
  }
  const { connection, psql } = client;
  const session = new CountSession(connection, psql, database, ports);
  const snapshot = await session.start(children, countScript(known.excluded, true));
  return {
    args: snapshot === null ? [] : [`--snapshot=${snapshot}`],
    end: async () => {
      const contents = await session.end();
      if (contents === null) ports.output.line(`Rows are not counted in ${database}: ${session.reason}`);
      else reportCounts(database, contents, session.reason, ports);
      return withKnown(contents ?? {}, known);
    },
  };
}

/**
 * Returns whether the connection limits of the database and the login allow a second connection. If the query
 * for the limits fails, for example because the database was dropped in the meantime, returns true. The dump
 * that follows reports the error.
 */
async function allowsCount(client: PostgresqlClient, database: string): Promise<boolean> {
  try {
    return await allowsTwoConnections(client, database, database);
  } catch (error) {
    if (error instanceof RunFailedError) return true;
    throw error;
  }
}

function withKnown(contents: DatabaseContents, known: KnownContents): DatabaseContents {
  const { properties, excluded, unchecked_foreign_keys } = known;
  const empty = excluded.filter(({ kind }) => kind === "r").map(({ schema, name }) => ({
    schema,
    name,
    rows: 0,
  }));
  return {
    ...contents,
    ...contents.tables === undefined ? {} : { tables: [...contents.tables, ...empty] },
    ...withProperties(contents, properties),
    ...unchecked_foreign_keys.length === 0 ? {} : { unchecked_foreign_keys: [...unchecked_foreign_keys] },
  };
}

function withProperties({ objects }: DatabaseContents, properties: DatabaseProperties): DatabaseContents {
  return { properties, objects: { ...objects, "database property": propertyLines(properties) } };
}

/**
 * Returns the current contents of `database`. Rejects with a `RunFailedError` if they can't be read.
 *
 * @param maintenanceDatabase Another database to connect to. The properties of `database` are read over this
 *   connection.
 */
export async function contentsNow(
  { connection, psql }: PostgresqlClient,
  maintenanceDatabase: string,
  database: string,
): Promise<DatabaseContents> {
  const collected = new CollectedContents();
  const reader = new LineReader((line) => collected.take(line));
  reader.push(new TextEncoder().encode(await connection.script(psql, database, countScript([], false))));
  reader.end();
  const contents = collected.contents()!;
  const properties = await readProperties(connection, psql, maintenanceDatabase, database);
  return properties === undefined ? contents : { ...contents, ...withProperties(contents, properties) };
}

function reportCounts(
  database: string,
  contents: DatabaseContents,
  reason: string | null,
  { output }: RunPorts,
): void {
  const missing = (contents.tables ?? []).filter(({ rows }) => rows === null).length;
  output.line(`Counted in ${database}, in the dump's snapshot: ${describeContents(contents)}`);
  if (missing > 0) output.line(`Rows of ${missing} tables are not counted: ${reason}`);
}

class CollectedContents {
  snapshot: { snapshot: string; pid: number } | null = null;
  isListed = false;
  isCounted = false;
  #largeObjects: number | null = null;
  readonly #objects = new Map<string, string[]>();
  readonly #tables = new Map<string, TableRows>();

  take(line: string): void {
    if (!line.startsWith("{")) return;
    const output: OutputLine = OutputLine.parse(JSON.parse(line));
    if ("snapshot" in output) this.snapshot = output;
    else if ("is_listed" in output) this.isListed = true;
    else if ("is_counted" in output) this.isCounted = true;
    else if ("large_objects" in output) this.#largeObjects = output.large_objects;
    else if ("kind" in output) this.#add(output.kind, output.names);
    else if ("listed" in output) this.#put({ schema: output.listed_schema, name: output.listed, rows: null });
    else this.#put(output);
  }

  /** Returns the contents; null if the list of tables is not complete yet. */
  contents(): DatabaseContents | null {
    if (!this.isListed) return null;
    return {
      tables: [...this.#tables.values()],
      large_objects: this.#largeObjects,
      ...this.#objects.size === 0
        ? {}
        : { objects: Object.fromEntries(this.#objects), not_compared: NOT_LISTED },
    };
  }

  #add(kind: string, names: readonly string[]): void {
    this.#objects.set(kind, [...new Set([...this.#objects.get(kind) ?? [], ...names])].sort());
  }

  #put(table: TableRows): void {
    this.#tables.set(JSON.stringify([table.schema, table.name]), table);
  }
}

class CountSession {
  /** Why rows of some or all tables are not counted; null if there is no reason yet. */
  reason: string | null = null;
  readonly #collected = new CollectedContents();
  readonly #released = Promise.withResolvers<void>();
  readonly #counted = Promise.withResolvers<void>();
  readonly #startedAt: number;
  #over: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(
    private readonly connection: PostgresqlConnection,
    private readonly psql: string,
    private readonly database: string,
    private readonly ports: RunPorts,
  ) {
    this.#startedAt = ports.clock.monotonic();
  }

  /**
   * Starts the count. Resolves with the snapshot's id; null if the server exported no snapshot. The id is
   * valid until {@link CountSession.end}.
   */
  async start(children: ProgramContext["children"], script: string): Promise<string | null> {
    const known = Promise.withResolvers<void>();
    const child = children.spawn(this.connection.scriptCommand(this.psql, this.database), {
      stdin: "piped",
      stdout: "piped",
      onMessage: (line) => void (this.reason ??= oneLine(line.replace(/^psql:<stdin>:\d+: /, ""))),
    });
    const reader = new LineReader((line) => {
      this.#collected.take(line);
      if (this.#collected.snapshot !== null) known.resolve();
      if (this.#collected.isCounted) this.#counted.resolve();
    });
    const released = this.#released.promise;
    const fed = child.feed(async function* () {
      yield new TextEncoder().encode(script);
      await released;
    }());
    const read = (async () => {
      for await (const chunk of child.stdout!) reader.push(chunk);
    })();
    // Stop psql if its output cannot be read. Otherwise, psql would go on counting, and might wait for a lock
    // that is never released.
    read.catch(() => child.stop());
    this.#over = Promise.allSettled([read, child.exited]).then(async ([{ status }]) => {
      this.#isOver = true;
      if (status === "rejected") this.reason ??= "psql's output is invalid";
      if (!this.#collected.isCounted) this.reason ??= "psql was ended";
      known.resolve();
      this.#counted.resolve();
      this.#released.resolve();
      await fed.catch(() => {});
    });
    await known.promise;
    return this.#collected.snapshot?.snapshot ?? null;
  }

  async end(): Promise<DatabaseContents | null> {
    const { clock } = this.ports;
    const timeout = new AbortController();
    const grace = Math.max(GRACE_MS, (clock.monotonic() - this.#startedAt) * GRACE_SHARE);
    await Promise.race([this.#counted.promise, clock.sleep(grace, timeout.signal).catch(() => {})]);
    timeout.abort();
    const { snapshot, isCounted } = this.#collected;
    // A session continues after a table that it could not count. So `reason` might be set although the
    // session is still running.
    if (!isCounted && !this.#isOver) {
      this.reason ??= "the dump had ended already";
      // Without this statement, the server would go on counting although nobody reads the result.
      await this.connection.execute(
        this.psql,
        this.database,
        `select pg_catalog.pg_terminate_backend(${snapshot!.pid})`,
      ).catch(() => {});
    }
    this.#released.resolve();
    await this.#over;
    return this.#collected.contents();
  }
}

/**
 * Returns a psql script that counts the rows and objects of a database. The script prints each result as one
 * line of JSON. The smallest tables are counted first, so that few tables are missing if time runs out. The
 * server does not use parallel workers for the script.
 *
 * If the script exports the snapshot for the dump, it continues after errors such as missing rights. If it
 * stopped at an error, its transaction would end. The snapshot that the dump uses would end with the
 * transaction.
 */
function countScript(excluded: readonly ExcludedTable[], isExported: boolean): string {
  const settings = {
    search_path: "pg_catalog",
    row_security: "off",
    max_parallel_workers_per_gather: "0",
    statement_timeout: "0",
    idle_in_transaction_session_timeout: "0",
    transaction_timeout: "0",
  };
  const pairs = Object.entries(settings).map(([name, value]) => `('${name}', '${value}')`);
  const left = excluded.map(({ schema, name }) => `(${literal(schema)}, ${literal(name)})`);
  const tables = `from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'r' and c.relpersistence <> 't'
      and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (
        select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'
      )
      ${left.length === 0 ? "" : `and (n.nspname::text, c.relname::text) not in (${left.join(", ")})`}`;
  return `
set statement_timeout = 0;
set search_path = pg_catalog;
select pg_catalog.count(pg_catalog.set_config(s.name, w.value, false))
from pg_catalog.pg_settings s join (values ${pairs.join(", ")}) as w(name, value) on w.name = s.name;
begin transaction isolation level repeatable read, read only;
${
    isExported
      ? "select json_build_object('snapshot', pg_catalog.pg_export_snapshot(), 'pid', pg_catalog.pg_backend_pid());\n" +
        "\\set ON_ERROR_STOP off\n\\set ON_ERROR_ROLLBACK on"
      : ""
  }
select json_build_object('listed_schema', n.nspname, 'listed', c.relname) ${tables};
select json_build_object('is_listed', true);
${objectStatements().join("\n")}
select json_build_object('large_objects', count(*)) from pg_catalog.pg_largeobject_metadata;
select format(
  'select json_build_object(''schema'', %L::text, ''name'', %L::text, ''rows'', (select count(*) from only %I.%I))',
  n.nspname, c.relname, n.nspname, c.relname
) ${tables} order by c.relpages, c.oid \\gexec
select json_build_object('is_counted', true);
`;
}
