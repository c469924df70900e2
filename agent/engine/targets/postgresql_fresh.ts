/** Databases that are made on a PostgreSQL server for a dump, and what is left of those that nobody needs any more. */
import * as z from "zod";
import type { DatabaseTarget, SourceDescription, StoredObject } from "../../../src/protocol/job.ts";
import type { Command } from "../children.ts";
import { RunFailedError } from "../ports.ts";
import type { ProgramContext } from "../run_context.ts";
import { PostgresqlConnection } from "../sources/postgresql_connection.ts";
import {
  type Installation,
  installations,
  installationToRestore,
  programPath,
} from "../sources/postgresql_programs.ts";
import { dropDatabase, endConnections, identifier, literal } from "./postgresql_sql.ts";

export const Properties = z.object({
  encoding: z.string(),
  collation: z.string(),
  ctype: z.string(),
  owner: z.string().optional(),
  locale_provider: z.string().default("libc"),
  locale: z.string().nullable().default(null),
});
export type Properties = z.infer<typeof Properties>;

const Description = z.looseObject({
  server_version: z.string().optional(),
  databases: z.array(z.looseObject({ name: z.string() })),
});
type Description = z.infer<typeof Description>;

/** A comment that tells which databases are Rearguard's own: only such ones are dropped unasked. */
export const MARK = "Rearguard: ";
const MAX_NAME_BYTES = 63;

export class PostgresqlFresh {
  /** To be dropped at the end, whatever happens. */
  readonly unfinished = new Set<string>();
  readonly psql: string;
  /** A database to be connected to that is none of those in question. */
  #door = "postgres";
  #major = 0;

  private constructor(
    private readonly target: DatabaseTarget,
    private readonly programs: ProgramContext,
    readonly connection: PostgresqlConnection,
    private readonly found: Installation[],
    private readonly description: Description,
  ) {
    this.psql = programPath(found[0]!, "psql");
  }

  static async open(
    target: DatabaseTarget,
    programs: ProgramContext,
    source: SourceDescription | null,
  ): Promise<PostgresqlFresh> {
    const connection = await PostgresqlConnection.open(target, programs);
    programs.ports.output.line(`Connecting to PostgreSQL at ${connection.description}`);
    const found = await installations(programs.children);
    const description = Description.safeParse(source).data ?? { databases: [] };
    return new PostgresqlFresh(target, programs, connection, found, description);
  }

  /** @param names Of the databases in question. */
  async meet(names: readonly string[]): Promise<void> {
    this.#door = names.includes("postgres") ? "template1" : "postgres";
    for (const name of names) checkName(name);
    const [{ major }] = await this.query<{ major: number }>(
      "select current_setting('server_version_num')::int / 10000 as major",
    ) as [{ major: number }];
    this.#major = major;
  }

  /**
   * Makes a database for what the backup calls `original`.
   *
   * @param existing The one that is in its place: an empty one was made by somebody who knew how it should be.
   * @param isOwned False: it belongs to the user, whosever the original was.
   */
  async make(
    name: string,
    original: string,
    comment: string,
    existing?: Properties & { isOccupied: boolean },
    isOwned = true,
  ): Promise<void> {
    const entry = this.description.databases.find((database) => database.name === original);
    const told = Properties.safeParse(entry).data;
    const as = existing !== undefined && !existing.isOccupied ? existing : told ?? existing;
    const clauses = await this.#clauses(original, as, isOwned ? existing?.owner ?? told?.owner : undefined);
    this.unfinished.add(name);
    try {
      await this.execute(`create database ${identifier(name)} template template0${clauses}`);
    } catch (error) {
      // Another run was faster: it is that one's.
      if (/already exists/.test((error as Error).message)) this.unfinished.delete(name);
      throw error;
    }
    await this.execute(`comment on database ${identifier(name)} is ${literal(`${MARK}${comment}`)}`);
  }

  /** What loads an archive that it reads. */
  loader(name: string, archive: StoredObject): Command {
    const dumped = parseInt(this.description.server_version ?? "0");
    const installation = installationToRestore(Math.max(this.#major, dumped), this.found);
    if (!/\.dump\.zst(\.age)?$/.test(archive.name)) {
      const args = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"];
      return this.connection.command(programPath(installation, "psql"), args, name);
    }
    // Without it pg_restore writes a script; as a connection string, no name is read as something else.
    const place = `--dbname=dbname='${name.replace(/[\\']/g, "\\$&")}'`;
    return this.connection.command(
      programPath(installation, "pg_restore"),
      ["--exit-on-error", place],
      name,
    );
  }

  /** Whether there is such a database, and its comment. */
  async find(name: string): Promise<{ comment: string | null } | undefined> {
    const [found] = await this.query<{ comment: string | null }>(
      `select shobj_description(oid, 'pg_database') as comment from pg_catalog.pg_database
       where datname = ${literal(name)}`,
    );
    return found;
  }

  /** Of a restore whose agent was killed. A live one is connected, and keeps it. */
  async removeLeftover(name: string): Promise<void> {
    const found = await this.find(name);
    if (found === undefined) return;
    if (!found.comment?.startsWith(MARK)) {
      throw new RunFailedError(`database ${name} is in the way. Drop or rename it, then restore again.`);
    }
    await this.execute(`drop database ${identifier(name)}`);
  }

  /** Never rejects; `next` says what tries again. */
  async discard(programs: ProgramContext, next: string): Promise<void> {
    if (this.unfinished.size === 0) return;
    for (const name of [...this.unfinished]) {
      try {
        const connection = await PostgresqlConnection.open(this.target, programs);
        await this.execute(endConnections([name]), connection);
        await dropDatabase(connection, this.psql, this.#door, name);
        this.unfinished.delete(name);
      } catch (error) {
        programs.ports.output.warning(
          `Database ${name} could not be dropped: ${(error as Error).message}. ${next} tries again.`,
        );
      }
    }
  }

  /** Rejects where somebody is connected to it. */
  async drop(name: string): Promise<void> {
    await dropDatabase(this.connection, this.psql, this.#door, name);
  }

  async query<Row>(select: string): Promise<Row[]> {
    return await this.connection.query<Row>(this.psql, this.#door, select);
  }

  /** @param connection Default: the run's own, which ends with it. */
  async execute(sql: string, connection: PostgresqlConnection = this.connection): Promise<void> {
    await connection.execute(this.psql, this.#door, sql);
  }

  async #clauses(original: string, as: Properties | undefined, owner: string | undefined): Promise<string> {
    const clauses = as === undefined ? [] : [
      `encoding ${literal(as.encoding)}`,
      `lc_collate ${literal(as.collation)}`,
      `lc_ctype ${literal(as.ctype)}`,
      ...this.#localeClauses(as),
    ];
    if (owner !== undefined && await this.#hasRole(owner)) clauses.push(`owner ${identifier(owner)}`);
    else if (owner !== undefined) {
      this.programs.ports.output.warning(`The owner of ${original} was ${owner}, a role that is not there`);
    }
    return clauses.map((clause) => ` ${clause}`).join("");
  }

  #localeClauses({ locale_provider: provider, locale }: Properties): string[] {
    if (this.#major < 15 || locale === null || !["icu", "builtin"].includes(provider)) return [];
    return [`locale_provider ${provider}`, `${provider}_locale ${literal(locale)}`];
  }

  async #hasRole(name: string): Promise<boolean> {
    return (await this.query(`select from pg_catalog.pg_roles where rolname = ${literal(name)}`)).length > 0;
  }
}

function checkName(name: string): void {
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    throw new RunFailedError(
      `PostgreSQL takes no name over ${MAX_NAME_BYTES} bytes. Choose another database_name.`,
    );
  }
  if (/^template[01]$/.test(name)) {
    throw new RunFailedError(`${name} is PostgreSQL's own. Choose another database_name.`);
  }
}
