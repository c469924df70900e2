/**
 * Creates temporary databases on a PostgreSQL server. Drops these databases at the end of the run. Also drops
 * databases that killed runs left.
 */
import { allowsTwoConnections } from "./limits.ts";
import * as z from "zod";
import type { DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { SourceDescription } from "../../../../src/protocol/job.ts";
import type { Obstacle } from "../../../../src/protocol/restore_preview.ts";
import { type Output, RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import { PostgresqlConnection } from "./connection.ts";
import { findMaintenanceDatabase } from "./databases.ts";
import { type DatabaseProperties, readProperties } from "./properties.ts";
import { type Installation, installations, programPath } from "./programs.ts";
import { MARK } from "../database/scratch_names.ts";
import { Keeper } from "./keeper.ts";
import { dropAbandoned } from "./leftovers.ts";
import { planProperties, type PropertyStatement } from "./restore_properties.ts";
import { dropDatabase, endConnections, identifier, literal } from "./sql.ts";

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

/** Role of the login, and its privileges. */
interface Role {
  name: string;
  is_superuser: boolean;
  may_create: boolean;
}

const MAX_NAME_BYTES = 63;
/** Makes sessions writable. A server or a role might be configured to make sessions read-only by default. */
const OPTIONS = "-c default_transaction_read_only=off";

export interface NewDatabase {
  readonly name: string;
  /** Name of the database in the backup. */
  readonly original: string;
  readonly comment: string;
  /**
   * Existing database with the final name; undefined if there is none. If the existing database is empty, the
   * new database gets the existing one's properties, because a user chose them for this restore.
   */
  readonly existing?: Properties & { isOccupied: boolean };
  /** Whether the new database gets the original's owner. If false, the restore's login owns it. */
  readonly isOwned: boolean;
  readonly tablespace?: string | null;
}

export class PostgresqlFresh {
  /** Names of databases that are dropped at the end of the run, whether the run succeeds or fails. */
  readonly unfinished = new Set<string>();
  readonly psql: string;
  readonly role: Role;
  major = 0;
  /**
   * Database to which the agent connects to execute statements about other databases. It is not one of the
   * databases being restored.
   */
  maintenanceDatabase = "postgres";
  #options: string | null = OPTIONS;
  readonly #keepers = new Map<string, Keeper>();
  #roles: ReadonlySet<string> | null = null;

  private constructor(
    private readonly target: DatabaseTarget,
    private readonly programs: ProgramContext,
    public connection: PostgresqlConnection,
    readonly found: Installation[],
    private readonly description: Description,
  ) {
    this.psql = programPath(found[0]!, "psql");
    this.role = { name: "", is_superuser: false, may_create: false };
  }

  static async open(
    target: DatabaseTarget,
    programs: ProgramContext,
    source: SourceDescription | null,
  ): Promise<PostgresqlFresh> {
    const connection = await PostgresqlConnection.open(target, programs, OPTIONS);
    programs.ports.output.line(`Connecting to PostgreSQL at ${connection.description}`);
    const found = await installations(programs.children);
    const description = Description.safeParse(source).data ?? { databases: [] };
    return new PostgresqlFresh(target, programs, connection, found, description);
  }

  get output(): Output {
    return this.programs.ports.output;
  }

  /** Major version of the server that was backed up, such as 16; 0 if it is not known. */
  get dumpedMajor(): number {
    return parseInt(this.description.server_version ?? "0");
  }

  /**
   * Reads the server's version and the login's privileges.
   *
   * @param names Names of the databases that are restored.
   * @param leftovers What to do with leftovers of killed runs.
   */
  async initialize(
    names: readonly string[],
    leftovers: "drop leftovers" | "keep leftovers" = "drop leftovers",
  ): Promise<void> {
    names.forEach(checkName);
    this.maintenanceDatabase = await this.#findMaintenanceDatabase(names);
    const [server] = await this.query<Role & { major: number }>(
      `select current_setting('server_version_num')::int / 10000 as major, rolname as name,
         rolsuper as is_superuser, rolcreatedb or rolsuper as may_create
       from pg_catalog.pg_roles where rolname = current_user`,
    );
    this.major = server!.major;
    Object.assign(this.role, server);
    if (leftovers === "drop leftovers") await dropAbandoned(this, this.maintenanceDatabase, this.output);
  }

  /** Opens a new connection for programs that are allowed to run even after the run was cancelled. */
  async connect(programs: ProgramContext): Promise<PostgresqlConnection> {
    return await PostgresqlConnection.open(this.target, programs, this.#options);
  }

  async make(database: NewDatabase): Promise<void> {
    const { name, original, existing, isOwned } = database;
    const entry = this.description.databases.find((each) => each.name === original);
    const backedUp = Properties.safeParse(entry).data;
    const as = existing !== undefined && !existing.isOccupied ? existing : backedUp ?? existing;
    const owner = isOwned ? existing?.owner ?? backedUp?.owner : undefined;
    const clauses = await this.#clauses(original, as, owner) + await this.#tablespaceClause(database);
    this.unfinished.add(name);
    try {
      await this.execute(`create database ${identifier(name)} template template0${clauses}`);
    } catch (error) {
      // Another run has just created the database, so the database belongs to that run.
      if (/already exists/.test((error as Error).message)) this.unfinished.delete(name);
      throw error;
    }
    if (await allowsTwoConnections(this, this.maintenanceDatabase, name)) {
      this.#keepers.set(name, await Keeper.open(this, name, this.programs));
    }
    await this.comment(name, database.comment);
  }

  /**
   * Closes the connection that keeps a database in use. Must be called before the database is renamed or
   * dropped.
   */
  async release(name: string): Promise<void> {
    await this.#keepers.get(name)?.release();
    this.#keepers.delete(name);
  }

  /** Sets a comment that marks a database as Rearguard's. */
  async comment(name: string, text: string): Promise<void> {
    await this.execute(`comment on database ${identifier(name)} is ${literal(text)}`);
  }

  /**
   * Whether a database of this name is allowed to have bound extensions. Such extensions work in only one
   * database of the server; see bound.ts.
   */
  async allowsBoundExtensions(name: string): Promise<boolean> {
    const [home] = await this.query<{ name: string | null }>(
      "select current_setting('cron.database_name', true) as name",
    );
    return home!.name === name;
  }

  async propertiesOf(name: string): Promise<DatabaseProperties | undefined> {
    return await readProperties(this.connection, this.psql, this.maintenanceDatabase, name);
  }

  /**
   * Applies the properties that must be set before the load. Resolves with the statements for the properties
   * that must be set after the load; the caller executes these statements then. Warns of properties that
   * cannot be restored.
   *
   * @param when With "later", applies nothing and resolves with the statements for all properties.
   */
  async applyProperties(
    to: string,
    properties: DatabaseProperties,
    isOwned: boolean,
    when: "now" | "later" = "now",
  ): Promise<PropertyStatement[]> {
    this.#roles ??= new Set(
      (await this.query<{ name: string }>("select rolname as name from pg_catalog.pg_roles")).map((
        { name },
      ) => name),
    );
    const { before, after, lost } = planProperties(to, properties, { roles: this.#roles, isOwned });
    for (const what of lost) {
      this.output.warning(`Not restored: ${what}, a role that does not exist`);
    }
    if (when === "later") return [...before, ...after];
    await this.executeProperties(before);
    return after;
  }

  /**
   * Executes statements. If a statement fails, warns that the statement's property is not restored, and
   * continues with the next statement.
   */
  async executeProperties(statements: readonly PropertyStatement[]): Promise<void> {
    for (const { sql, what } of statements) {
      try {
        await this.execute(sql);
      } catch (error) {
        if (!(error instanceof RunFailedError)) throw error;
        this.output.warning(`Not restored: ${what}: ${error.message}`);
      }
    }
  }

  /** Returns an object with the database's comment; undefined if the database does not exist. */
  async find(
    name: string,
    connection: PostgresqlConnection = this.connection,
  ): Promise<{ comment: string | null } | undefined> {
    const [found] = await connection.query<{ comment: string | null }>(
      this.psql,
      this.maintenanceDatabase,
      `select shobj_description(oid, 'pg_database') as comment from pg_catalog.pg_database
       where datname = ${literal(name)}`,
    );
    return found;
  }

  /**
   * Returns an obstacle if a database has this name. Either a user made the database, or Rearguard made it
   * for another restore.
   *
   * @param ignoresOwn If true, a database that Rearguard made is no obstacle, because it might be a leftover.
   */
  async taken(name: string, ignoresOwn = false): Promise<Obstacle[]> {
    const found = await this.find(name);
    if (found === undefined) return [];
    if (!found.comment?.startsWith(MARK)) {
      const solution = "Drop or rename it, then restore again.";
      return [{ path: `database ${name}`, problem: "is in the way", solution }];
    }
    return ignoresOwn ? [] : [{
      path: null,
      problem: `another restore is running in database ${name}, or its leftover can't be dropped`,
      solution: "Wait for it, then try again.",
    }];
  }

  /**
   * Drops the databases in {@link unfinished}. If one cannot be dropped, writes a warning. Never rejects.
   *
   * @param next What will try again to drop the database, in words for the warning: for example, `The next
   *   restore`.
   */
  async discard(programs: ProgramContext, next: string): Promise<void> {
    if (this.unfinished.size === 0) return;
    for (const name of [...this.unfinished]) {
      try {
        await this.release(name);
        const connection = await this.connect(programs);
        await this.execute(endConnections([name]), connection);
        await dropDatabase(connection, this.psql, this.maintenanceDatabase, name);
        this.unfinished.delete(name);
      } catch (error) {
        programs.ports.output.warning(
          `Database ${name} could not be dropped: ${(error as Error).message}. ${next} tries again.`,
        );
      }
    }
  }

  /** Drops a database. Rejects if a client is connected to the database. */
  async drop(name: string): Promise<void> {
    await dropDatabase(this.connection, this.psql, this.maintenanceDatabase, name);
  }

  async query<Row>(select: string): Promise<Row[]> {
    return await this.connection.query<Row>(this.psql, this.maintenanceDatabase, select);
  }

  /**
   * Executes SQL in the maintenance database.
   *
   * @param connection If absent, the run's own connection is used. That connection closes when the run ends.
   */
  async execute(sql: string, connection: PostgresqlConnection = this.connection): Promise<void> {
    await connection.execute(this.psql, this.maintenanceDatabase, sql);
  }

  /**
   * Finds a database to connect to. If a pooler rejects the session options, connects without them. The
   * server's default then decides whether sessions are writable.
   */
  async #findMaintenanceDatabase(names: readonly string[]): Promise<string> {
    try {
      return await findOtherMaintenanceDatabase(this.connection, this.psql, names);
    } catch (error) {
      if (!/startup parameter/.test((error as Error).message)) throw error;
      this.#options = null;
      this.connection = await this.connect(this.programs);
      return await findOtherMaintenanceDatabase(this.connection, this.psql, names);
    }
  }

  async #clauses(original: string, as: Properties | undefined, owner: string | undefined): Promise<string> {
    const clauses = as === undefined ? [] : [
      `encoding ${literal(as.encoding)}`,
      `lc_collate ${literal(as.collation)}`,
      `lc_ctype ${literal(as.ctype)}`,
      ...this.#localeClauses(as),
    ];
    if (owner !== undefined && await this.#has("pg_roles", "rolname", owner)) {
      clauses.push(`owner ${identifier(owner)}`);
    } else if (owner !== undefined) {
      this.output.warning(`The owner of ${original} was ${owner}, a role that does not exist`);
    }
    return clauses.map((clause) => ` ${clause}`).join("");
  }

  async #tablespaceClause({ tablespace, original }: NewDatabase): Promise<string> {
    if (tablespace === undefined || tablespace === null || tablespace === "pg_default") return "";
    if (await this.#has("pg_tablespace", "spcname", tablespace)) {
      return ` tablespace ${identifier(tablespace)}`;
    }
    this.output.warning(
      `Tablespace ${tablespace} of ${original} does not exist: the database is created in the default one`,
    );
    return "";
  }

  #localeClauses({ locale_provider: provider, locale }: Properties): string[] {
    if (this.major < 15 || locale === null || !["icu", "builtin"].includes(provider)) return [];
    return [`locale_provider ${provider}`, `${provider}_locale ${literal(locale)}`];
  }

  async #has(catalog: string, column: string, name: string): Promise<boolean> {
    const found = await this.query(`select from pg_catalog.${catalog} where ${column} = ${literal(name)}`);
    return found.length > 0;
  }
}

/**
 * Finds a database that is not in `names` and that the login can connect to. Tries the usual databases first.
 * If none of them accepts the login, connects to a database in `names` and looks for another database there.
 */
async function findOtherMaintenanceDatabase(
  connection: PostgresqlConnection,
  psql: string,
  names: readonly string[],
): Promise<string> {
  const maintenanceDatabase = await findMaintenanceDatabase(connection, psql, [], names);
  if (!names.includes(maintenanceDatabase)) return maintenanceDatabase;
  const [other] = await connection.query<{ name: string }>(
    psql,
    maintenanceDatabase,
    `select datname as name from pg_catalog.pg_database
     where datallowconn and has_database_privilege(oid, 'connect')
       and datname not in (${names.map(literal).join(", ")}) order by datistemplate, datname limit 1`,
  );
  if (other !== undefined) return other.name;
  throw new RunFailedError(
    `the user may connect to no database but ${maintenanceDatabase}, and it takes another one to replace that. ` +
      "Let it in, with: grant connect on database postgres to that user.",
  );
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
