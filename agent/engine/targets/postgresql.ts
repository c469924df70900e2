/**
 * PostgreSQL databases: a fresh one is made from `template0` with the encoding, the collation and the owner that the backup tells,
 * or, where one is there already, with that one's owner, grants and settings. The swap is one transaction of renames.
 */
import * as z from "zod";
import type { DatabaseTarget } from "../../../src/protocol/job.ts";
import type { Command } from "../children.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore.ts";
import type { ProgramContext } from "../run_context.ts";
import { DATABASE_PROPERTIES } from "../sources/postgresql.ts";
import { PostgresqlConnection } from "../sources/postgresql_connection.ts";
import {
  type Installation,
  installations,
  installationToRestore,
  programPath,
} from "../sources/postgresql_programs.ts";
import { besideNames } from "./beside.ts";
import { type DatabaseHost, occupied, type WantedDatabase } from "./databases.ts";
import { identifier, IS_OCCUPIED, literal, propertiesToKeep } from "./postgresql_sql.ts";

const Properties = z.object({
  encoding: z.string(),
  collation: z.string(),
  ctype: z.string(),
  owner: z.string().optional(),
  locale_provider: z.string().default("libc"),
  locale: z.string().nullable().default(null),
});
type Properties = z.infer<typeof Properties>;

const Description = z.looseObject({
  server_version: z.string().optional(),
  databases: z.array(z.looseObject({ name: z.string() })),
});
type Description = z.infer<typeof Description>;

interface Existing extends Properties {
  name: string;
  comment: string | null;
  /** Whether there is something in it. */
  isOccupied: boolean;
}

/** How a database is told that a restore left behind: only such a one is dropped unasked. */
const MARK = "Rearguard: ";
/** A client may come back between the end of its connection and the rename. */
const SWAP_ATTEMPTS = 3;
const MAX_NAME_BYTES = 63;

export async function openPostgresql(
  target: DatabaseTarget,
  programs: ProgramContext,
  { job }: RestoreContext,
): Promise<DatabaseHost> {
  const connection = await PostgresqlConnection.open(target, programs);
  programs.ports.output.line(`Connecting to PostgreSQL at ${connection.description}`);
  const found = await installations(programs.children);
  const description = Description.safeParse(job.backup.source).data ?? { databases: [] };
  return new PostgresqlHost(target, programs, connection, found, description);
}

class PostgresqlHost implements DatabaseHost {
  /** A database to be connected to that is none of those in question. */
  #door = "postgres";
  #major = 0;
  readonly #existing = new Map<string, Existing>();
  readonly #unfinished = new Set<string>();
  readonly #psql: string;

  constructor(
    private readonly target: DatabaseTarget,
    private readonly programs: ProgramContext,
    private readonly connection: PostgresqlConnection,
    private readonly found: Installation[],
    private readonly description: Description,
  ) {
    this.#psql = programPath(found[0]!, "psql");
  }

  async inspect(wanted: readonly WantedDatabase[]): Promise<void> {
    const names = wanted.map(({ name }) => name);
    this.#door = names.includes("postgres") ? "template1" : "postgres";
    for (const name of names) checkName(name);
    const [{ major }] = await this.connection.query<{ major: number }>(
      this.#psql,
      this.#door,
      "select current_setting('server_version_num')::int / 10000 as major",
    ) as [{ major: number }];
    this.#major = major;
    for (const name of names) {
      await this.#inspectExisting(name);
      for (const beside of Object.values(besideNames(name))) await this.#removeLeftover(beside);
    }
  }

  async create({ name, original, archive }: WantedDatabase): Promise<Command> {
    const { fresh } = besideNames(name);
    const existing = this.#existing.get(name);
    const clauses = await this.#clauses(original, existing);
    this.#unfinished.add(fresh);
    try {
      await this.#execute(`create database ${identifier(fresh)} template template0${clauses}`);
    } catch (error) {
      // Another restore was faster: it is that one's.
      if (/already exists/.test((error as Error).message)) this.#unfinished.delete(fresh);
      throw error;
    }
    await this.#execute(
      `comment on database ${identifier(fresh)} is ${literal(`${MARK}unfinished restore`)}`,
    );
    if (existing !== undefined) await this.#keepProperties(existing.name, fresh);
    const dumped = parseInt(this.description.server_version ?? "0");
    const installation = installationToRestore(Math.max(this.#major, dumped), this.found);
    if (!/\.dump\.zst(\.age)?$/.test(archive.name)) {
      const args = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"];
      return this.connection.command(programPath(installation, "psql"), args, fresh);
    }
    // Without it pg_restore writes a script; as a connection string, no name is read as something else.
    const place = `--dbname=dbname='${fresh.replace(/[\\']/g, "\\$&")}'`;
    return this.connection.command(
      programPath(installation, "pg_restore"),
      ["--exit-on-error", place],
      fresh,
    );
  }

  async publish(wanted: readonly WantedDatabase[], programs: ProgramContext): Promise<void> {
    const connection = await PostgresqlConnection.open(this.target, programs);
    const names = wanted.map(({ name }) => name);
    // Loading takes a while: an empty database may have been put to use.
    for (const name of names) if (this.#existing.has(name)) await this.#refuseOccupied(name, connection);
    const swap = this.#swapStatements(names);
    for (let attempt = 1;; attempt++) {
      try {
        await connection.execute(this.#psql, this.#door, swap);
        break;
      } catch (error) {
        const isInUse = error instanceof RunFailedError &&
          /is being accessed by other users/.test(error.message);
        if (!isInUse || attempt === SWAP_ATTEMPTS) throw error;
      }
    }
    for (const name of names) {
      const { fresh, replaced } = besideNames(name);
      this.#unfinished.delete(fresh);
      if (this.#existing.has(name)) this.#unfinished.add(replaced);
    }
  }

  async discard(programs: ProgramContext): Promise<void> {
    if (this.#unfinished.size === 0) return;
    const connection = await PostgresqlConnection.open(this.target, programs);
    for (const name of this.#unfinished) {
      try {
        await connection.execute(this.#psql, this.#door, endConnections([name]));
        await connection.execute(this.#psql, this.#door, `drop database if exists ${identifier(name)}`);
      } catch (error) {
        programs.ports.output.warning(
          `Database ${name} could not be dropped: ${(error as Error).message}. The next restore tries again.`,
        );
      }
    }
  }

  async #inspectExisting(name: string): Promise<void> {
    const [found] = await this.connection.query<Omit<Existing, "isOccupied">>(
      this.#psql,
      this.#door,
      `select datname as name, shobj_description(oid, 'pg_database') as comment, ${DATABASE_PROPERTIES}
       from pg_catalog.pg_database d where datname = ${literal(name)}`,
    );
    if (found === undefined) return;
    const isOccupied = await this.#refuseOccupied(name, this.connection);
    this.#existing.set(name, { ...found, isOccupied });
  }

  async #refuseOccupied(name: string, connection: PostgresqlConnection): Promise<boolean> {
    const rows = await connection.query<{ is_occupied: boolean }>(this.#psql, name, IS_OCCUPIED);
    const isOccupied = rows[0]!.is_occupied;
    if (isOccupied && !this.target.overwrite) throw occupied(name);
    return isOccupied;
  }

  /** Of a restore whose agent was killed. A live one is connected, and keeps it. */
  async #removeLeftover(name: string): Promise<void> {
    const [found] = await this.connection.query<{ comment: string | null }>(
      this.#psql,
      this.#door,
      `select shobj_description(oid, 'pg_database') as comment from pg_catalog.pg_database
       where datname = ${literal(name)}`,
    );
    if (found === undefined) return;
    if (!found.comment?.startsWith(MARK)) {
      throw new RunFailedError(`database ${name} is in the way. Drop or rename it, then restore again.`);
    }
    await this.#execute(`drop database ${identifier(name)}`);
  }

  /** An empty database was made by somebody who knew how it should be. */
  async #clauses(original: string, existing: Existing | undefined): Promise<string> {
    const entry = this.description.databases.find(({ name }) => name === original);
    const told = Properties.safeParse(entry).data;
    const as = existing !== undefined && !existing.isOccupied ? existing : told ?? existing;
    const owner = existing?.owner ?? told?.owner;
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
    const select = `select from pg_catalog.pg_roles where rolname = ${literal(name)}`;
    return (await this.connection.query(this.#psql, this.#door, select)).length > 0;
  }

  async #keepProperties(from: string, to: string): Promise<void> {
    const rows = await this.connection.query<{ statement: string }>(
      this.#psql,
      this.#door,
      propertiesToKeep(from, to),
    );
    if (rows.length > 0) await this.#execute(rows.map(({ statement }) => statement).join(";\n"));
  }

  #swapStatements(names: readonly string[]): string {
    const statements = [endConnections(names.flatMap((name) => [name, besideNames(name).fresh]))];
    for (const name of names) {
      const { fresh, replaced } = besideNames(name);
      const existing = this.#existing.get(name);
      if (existing !== undefined) {
        statements.push(
          `comment on database ${identifier(name)} is ${literal(`${MARK}replaced by a restore`)}`,
        );
        statements.push(`alter database ${identifier(name)} rename to ${identifier(replaced)}`);
      }
      const comment = existing?.comment ?? null;
      statements.push(`alter database ${identifier(fresh)} rename to ${identifier(name)}`);
      statements.push(
        `comment on database ${identifier(name)} is ${comment === null ? "null" : literal(comment)}`,
      );
    }
    return statements.join(";\n");
  }

  async #execute(sql: string): Promise<void> {
    await this.connection.execute(this.#psql, this.#door, sql);
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

function endConnections(names: readonly string[]): string {
  return `select count(pg_terminate_backend(pid)) from pg_catalog.pg_stat_activity
    where datname in (${names.map(literal).join(", ")}) and pid <> pg_backend_pid()`;
}
