/** Scratch databases on PostgreSQL. */
import type { BackupToRead, DatabaseTarget } from "../../../src/protocol/job.ts";
import type { Command } from "../children.ts";
import { RunFailedError } from "../ports.ts";
import type { ProgramContext } from "../run_context.ts";
import { contentsNow } from "../sources/postgresql_counts.ts";
import type { DatabaseContents } from "../sources/row_counts.ts";
import { besideNames, DRILL_SUFFIX } from "./beside.ts";
import type { WantedDatabase } from "./databases.ts";
import { MARK, PostgresqlFresh } from "./postgresql_fresh.ts";
import { identifier, IS_OCCUPIED, literal } from "./postgresql_sql.ts";
import { ADVICE, type ScratchHost } from "./scratch.ts";

const DRILL = "restore drill";

export async function openPostgresqlScratch(
  target: DatabaseTarget,
  programs: ProgramContext,
  backup: BackupToRead,
): Promise<ScratchHost> {
  return new PostgresqlScratch(await PostgresqlFresh.open(target, programs, backup.source));
}

class PostgresqlScratch implements ScratchHost {
  /** Tells this drill's databases from another's of the same name. */
  readonly #comment = `${DRILL} ${crypto.randomUUID()}`;

  constructor(private readonly server: PostgresqlFresh) {}

  scratchName(database: string): string {
    return besideNames(database).drill;
  }

  isServers(name: string): boolean {
    return /^template[01]$/.test(name);
  }

  async prepare(wanted: readonly WantedDatabase[]): Promise<void> {
    await this.server.meet(wanted.map(({ original }) => original));
    const [role] = await this.server.query<{ name: string; may_create: boolean }>(
      `select rolname as name, rolcreatedb or rolsuper as may_create from pg_catalog.pg_roles
       where rolname = current_user`,
    );
    if (!role!.may_create) {
      throw new RunFailedError(
        `role ${role!.name} may not create the scratch database that a drill takes. ` +
          `Let it, with: alter role ${identifier(role!.name)} createdb, ${ADVICE}.`,
      );
    }
    await this.#dropLeftovers();
    for (const { name } of wanted) await this.#refuseOthers(name);
  }

  async sizeOf(name: string): Promise<number | null> {
    const [found] = await this.server.query<{ size: number }>(
      `select case when has_database_privilege(oid, 'connect') then pg_database_size(oid) end as size
       from pg_catalog.pg_database where datname = ${literal(name)}`,
    );
    return found?.size ?? null;
  }

  async dataDirectory(): Promise<string | null> {
    const [found] = await this.server.query<{ setting: string }>(
      "select setting from pg_catalog.pg_settings where name = 'data_directory'",
    );
    return found?.setting ?? null;
  }

  async create({ name, original, archive }: WantedDatabase): Promise<{ command: Command; rewrite: null }> {
    await this.server.make(name, original, this.#comment, undefined, false);
    // Whoever the original lets in is not known here.
    await this.server.execute(`revoke all on database ${identifier(name)} from public`);
    return { command: this.server.loader(name, archive), rewrite: null };
  }

  async contents({ name }: WantedDatabase): Promise<DatabaseContents> {
    const contents = await contentsNow(this.server.connection, this.server.psql, name);
    const found = await this.server.find(name);
    if (found?.comment === `${MARK}${this.#comment}`) return contents;
    throw new RunFailedError(`its scratch database ${name} was dropped or replaced meanwhile`);
  }

  async discard(programs: ProgramContext): Promise<boolean> {
    await this.server.discard(programs, "The next drill");
    return this.server.unfinished.size === 0;
  }

  /** Also of databases that the backup does not hold. A drill that is at work is connected, and keeps its own. */
  async #dropLeftovers(): Promise<void> {
    const left = await this.server.query<{ name: string }>(
      `select datname as name from pg_catalog.pg_database d
       where right(datname, ${DRILL_SUFFIX.length}) = ${literal(DRILL_SUFFIX)}
         and starts_with(shobj_description(oid, 'pg_database'), ${literal(MARK + DRILL)})
         and not exists (select from pg_catalog.pg_stat_activity a where a.datid = d.oid)`,
    );
    for (const { name } of left) await this.server.drop(name);
  }

  async #refuseOthers(name: string): Promise<void> {
    const found = await this.server.find(name);
    if (found === undefined) return;
    if (found.comment?.startsWith(MARK + DRILL)) {
      throw new RunFailedError(`another drill is at work in database ${name}. Wait for it, then try again.`);
    }
    const [{ is_occupied }] = await this.server.connection.query<{ is_occupied: boolean }>(
      this.server.psql,
      name,
      IS_OCCUPIED,
    ) as [{ is_occupied: boolean }];
    if (is_occupied || found.comment !== null) {
      throw new RunFailedError(`database ${name} is in the way of the drill. Drop or rename it, ${ADVICE}.`);
    }
    // Killed before it could say what it is.
    await this.server.drop(name);
  }
}
