/** Creates the scratch databases of drills on MySQL and MariaDB. */
import { refuseNameClashes } from "./clashes.ts";
import { matchCase } from "./case.ts";
import type { DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { BackupToRead } from "../../../../src/protocol/job.ts";
import { RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import { SYSTEM_SCHEMAS } from "./server.ts";
import { fromHex } from "./connection.ts";
import { isAtLeast } from "./programs.ts";
import { CHECK, listObjects, listsChecks } from "./objects.ts";
import type { DatabaseContents, TableRows } from "../database/row_counts.ts";
import { DRILL_SUFFIX, temporaryNames } from "../database/scratch_names.ts";
import type { DatabaseToRestore, Loader } from "../database/database_host.ts";
import { DumpRewriter } from "./dump_filter.ts";
import { charsetClause, MysqlFresh } from "./fresh.ts";
import { findContents, findSchema, hasTable, isInUse, isSchema, MARK, quote, text } from "./sql.ts";
import { ADVICE, isLocal, type ScratchHost } from "../database/scratch.ts";

const DRILL = "restore drill";
const NO_LOG = "sql_log_bin = 0";

export async function openMysqlScratch(
  target: DatabaseTarget,
  programs: ProgramContext,
  backup: BackupToRead,
): Promise<ScratchHost> {
  return new MysqlScratch(await MysqlFresh.open(target, programs, backup.source), programs, target);
}

class MysqlScratch implements ScratchHost {
  /**
   * Text that identifies this drill. The drill creates a marker table in each of its databases. The comment
   * of this table contains the text. If another drill creates a database of the same name, its marker table
   * has a different text.
   */
  readonly #note = `${DRILL} ${crypto.randomUUID()}`;

  constructor(
    private readonly server: MysqlFresh,
    private readonly programs: ProgramContext,
    private readonly target: DatabaseTarget,
  ) {}

  scratchName(database: string): string {
    return this.server.stored(temporaryNames(database).drill);
  }

  isSystemDatabase(name: string): boolean {
    return SYSTEM_SCHEMAS.includes(name.toLowerCase());
  }

  async prepare(wanted: readonly DatabaseToRestore[]): Promise<void> {
    await this.#leaveLogOut();
    await this.#dropLeftovers();
    for (const { name } of wanted) await this.#refuseOthers(name);
    // The grants might not allow the login to create scratch databases. Only an attempt to create one shows
    // this.
    const { name } = wanted[0]!;
    await this.#make(name, "");
    await this.server.execute(`drop database ${quote(name)}`);
    this.server.unfinished.delete(name);
  }

  async sizeOf(name: string): Promise<number | null> {
    const rows = await this.#query(
      `select coalesce(sum(data_length + index_length), 0) from information_schema.tables
       where ${isSchema("table_schema", name)}`,
    );
    return Number(rows[0]![0]);
  }

  async dataDirectory(): Promise<string | null> {
    if (!isLocal(this.target.host)) return null;
    return fromHex((await this.#query("select hex(@@datadir)"))[0]![0]!) || null;
  }

  async create(wanted: DatabaseToRestore): Promise<Loader> {
    const { name, original } = wanted;
    refuseNameClashes(this.server, [wanted]);
    await this.#make(name, charsetClause(this.server.charsetOf(original)));
    const { isMariadb, version } = this.server.version;
    const rewriter = new DumpRewriter({
      original,
      into: name,
      // All objects get the login as their definer. To keep the original definers, the login would need an
      // administrator's privilege. A drill does not need the original ones, because it does not compare
      // definers.
      isDefiner: true,
      lacksOldModes: !isMariadb && isAtLeast(version, 8),
    });
    return { command: this.server.loader(name), rewrite: rewriter.rewrite };
  }

  async contents(
    { name: database }: DatabaseToRestore,
    expected: DatabaseContents | null,
  ): Promise<DatabaseContents> {
    const { tables } = await findContents(this.server.connection, this.server.client, database);
    const counted = new Set(
      expected?.tables?.flatMap(({ name, rows }) => rows === null ? [] : [this.server.stored(name)]),
    );
    const found: TableRows[] = [];
    const toCount = tables.filter((name) => counted.has(name));
    const versioned = await this.#versioned(database);
    const rowsOf = (name: string) =>
      `${quote(database)}.${quote(name)}${versioned.has(name) ? " for system_time all" : ""}`;
    const counts = await this.#query(
      toCount.map((name) => `select count(*) from ${rowsOf(name)};\n`).join(""),
    );
    for (const [index, name] of toCount.entries()) found.push({ name, rows: Number(counts[index]![0]) });
    for (const name of tables) if (!counted.has(name)) found.push({ name, rows: null });
    const { connection, client } = this.server;
    const { table: _, ...objects } = await listObjects(connection, client, database, this.server.version);
    if ((await this.#noteOf(database))?.startsWith(this.#note)) {
      const contents = {
        tables: found,
        objects,
        ...listsChecks(this.server.version) ? {} : { not_compared: [CHECK] },
      };
      return this.server.ignoresCase && expected !== null ? inCaseOf(expected, contents) : contents;
    }
    throw new RunFailedError(`its scratch database ${database} was dropped or replaced meanwhile`);
  }

  async discard(programs: ProgramContext): Promise<boolean> {
    await this.server.discard(programs, "The next drill");
    return this.server.unfinished.size === 0;
  }

  /**
   * Keeps the drill's statements out of the server's binary log, so that replicas do not load the scratch
   * database too.
   */
  async #leaveLogOut(): Promise<void> {
    if ((await this.#query("select @@log_bin"))[0]![0] === "0") return;
    if (await this.server.trySetting(NO_LOG)) return;
    this.programs.ports.output.line(
      "The drill's statements are in the server's binary log too: the user may not disable it",
    );
  }

  async #make(name: string, charset: string): Promise<void> {
    try {
      await this.server.make(name, charset, this.#note);
    } catch (error) {
      if (!/Access denied/.test((error as Error).message)) throw error;
      const pattern = name.replace(/[_%]/g, "\\$&");
      throw new RunFailedError(
        `${this.server.connection.username} may not create the scratch database that a drill needs. ` +
          `Let it, with: grant all on ${quote(pattern)}.* to the user, ${ADVICE}.`,
        { cause: error },
      );
    }
  }

  /**
   * Drops the leftovers of all drills, including databases that are not in this backup. Keeps databases that
   * a running drill uses.
   */
  async #dropLeftovers(): Promise<void> {
    const marked = await this.#query(
      `select hex(table_schema) from information_schema.tables
       where table_name = ${text(MARK)} and left(table_comment, ${DRILL.length}) = ${text(DRILL)}`,
    );
    for (const [schema] of marked) {
      const name = fromHex(schema!);
      if (!name.endsWith(DRILL_SUFFIX)) continue;
      if (await isInUse(this.server.connection, this.server.client, name)) continue;
      await this.server.execute(`drop database ${quote(name)}`);
    }
  }

  async #refuseOthers(name: string): Promise<void> {
    const { connection, client } = this.server;
    if (await findSchema(connection, client, name) === null) return;
    if (await hasTable(connection, client, name, MARK)) {
      throw new RunFailedError(`another drill is running in database ${name}. Wait for it, then try again.`);
    }
    const contents = await findContents(connection, client, name);
    if (Object.values(contents).some((names) => names.length > 0)) {
      throw new RunFailedError(`database ${name} is in the way of the drill. Drop or rename it, ${ADVICE}.`);
    }
    // A drill creates its database first, then the table that marks the database. This database is empty and
    // has no such table. So an earlier drill created it, and that drill's agent was killed in between.
    await this.server.execute(`drop database ${quote(name)}`);
  }

  /**
   * Returns the names of system-versioned tables. These tables contain historical rows in addition to current
   * ones.
   */
  async #versioned(database: string): Promise<ReadonlySet<string>> {
    const rows = await this.#query(
      `select hex(table_name) from information_schema.tables
       where ${isSchema("table_schema", database)} and table_type = 'SYSTEM VERSIONED'`,
    );
    return new Set(rows.map(([name]) => fromHex(name!)));
  }

  async #noteOf(name: string): Promise<string | null> {
    const rows = await this.#query(
      `select hex(table_comment) from information_schema.tables
       where ${isSchema("table_schema", name)} and table_name = ${text(MARK)}`,
    );
    return rows.length === 0 ? null : fromHex(rows[0]![0]!);
  }

  async #query(sql: string): Promise<string[][]> {
    return sql === "" ? [] : await this.server.connection.query(this.server.client, sql);
  }
}

/**
 * Returns the found contents. A name that differs only in case from a name in the backup gets the backup's
 * spelling.
 */
function inCaseOf(expected: DatabaseContents, found: DatabaseContents): DatabaseContents {
  const { tables = [], objects = {} } = found;
  const names = matchCase(tables.map(({ name }) => name), (expected.tables ?? []).map(({ name }) => name));
  return {
    ...found,
    tables: tables.map((table, index) => ({ ...table, name: names[index]! })),
    objects: Object.fromEntries(
      Object.entries(objects).map(([kind, names]) => [
        kind,
        matchCase(names, expected.objects?.[kind] ?? []),
      ]),
    ),
  };
}
