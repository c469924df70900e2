/**
 * Creates temporary databases on a MySQL or MariaDB server. Drops these databases at the end of the run. Also
 * drops databases that killed runs left.
 */
import { folded, ignoresCase } from "./case.ts";
import * as z from "zod";
import type { DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { SourceDescription } from "../../../../src/protocol/job.ts";
import type { Obstacle } from "../../../../src/protocol/restore_preview.ts";
import type { Command } from "../../programs/children.ts";
import { refusing } from "../../obstacles.ts";
import { RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import { fromHex, MAX_PACKET, MysqlConnection, SESSION } from "./connection.ts";
import { hasDatabaseComments, isAtLeast, PACKAGES, type ServerVersion } from "./programs.ts";
import { firstTool, missingTools } from "../../programs/tools.ts";
import { holdLock } from "./leftovers.ts";
import { type Charset, findSchema, hasTable, isInUse, MARK, quote } from "./sql.ts";

const Description = z.looseObject({
  databases: z.array(
    z.looseObject({
      name: z.string(),
      character_set: z.string(),
      collation: z.string(),
      comment: z.string().optional(),
    }),
  ),
});
type Description = z.infer<typeof Description>;

/**
 * SQL that limits the wait for a lock to 60 seconds. A client with an open transaction might hold the lock
 * for hours.
 */
export const LOCK_WAIT_LIMIT = "set session lock_wait_timeout = 60;\n";

interface ServerFacts {
  readonly version: ServerVersion;
  /**
   * Text that names this run's lock. The run adds a marking table to each database that it creates, and
   * stores this text in the table's comment: see leftovers.ts.
   */
  readonly lockNote: string;
  readonly ignoresCase: boolean;
}

export class MysqlFresh {
  /** Names of databases that are dropped at the end of the run, whether the run succeeds or fails. */
  readonly unfinished = new Set<string>();

  readonly version: ServerVersion;
  /** Whether the server takes `Shop` and `shop` for the same name. */
  readonly ignoresCase: boolean;
  /** Assignments to session variables, made at the start of each session. */
  private readonly settings: string[] = [];

  private constructor(
    private readonly target: DatabaseTarget,
    public connection: MysqlConnection,
    readonly client: string,
    private readonly description: Description,
    private readonly server: ServerFacts,
  ) {
    ({ version: this.version, ignoresCase: this.ignoresCase } = server);
  }

  static async open(
    target: DatabaseTarget,
    programs: ProgramContext,
    source: SourceDescription | null,
  ): Promise<MysqlFresh> {
    const connection = await MysqlConnection.open(target, programs);
    programs.ports.output.line(`Connecting to MySQL at ${connection.description}`);
    const client = await firstTool(programs.children, ["mariadb", "mysql"]);
    if (client === null) throw new RunFailedError(missingTools(["mariadb"], PACKAGES));
    const description = Description.safeParse(source).data ?? { databases: [] };
    const server = new MysqlFresh(target, connection, client.tool, description, {
      version: await versionOf(connection, client.tool),
      lockNote: await holdLock(connection, client.tool, programs.children),
      ignoresCase: await ignoresCase(connection, client.tool),
    });
    for (const setting of await neededSettings(server)) await server.trySetting(setting);
    return server;
  }

  /**
   * Makes every later session assign a session variable. If the login lacks the privilege, assigns nothing
   * and returns false.
   */
  async trySetting(assignment: string): Promise<boolean> {
    try {
      await this.execute(`set session ${assignment}`);
    } catch (error) {
      if (!(error instanceof RunFailedError)) throw error;
      return false;
    }
    this.settings.push(assignment);
    return true;
  }

  /** Returns the name of a database as the server stores it. */
  stored(name: string): string {
    return this.ignoresCase ? folded(name) : name;
  }

  get #prelude(): string {
    return this.settings.length === 0 ? "" : `set session ${this.settings.join(", session ")};\n`;
  }

  /**
   * Returns the properties that a database had in the backup; undefined if the backup does not contain them.
   */
  charsetOf(original: string): Charset | undefined {
    const backedUp = this.description.databases.find((each) => each.name === original);
    return backedUp && {
      characterSet: backedUp.character_set,
      collation: backedUp.collation,
      ...hasDatabaseComments(this.version) ? { comment: backedUp.comment ?? "" } : {},
    };
  }

  /** Returns the properties of a database on the server; null if it does not exist. */
  find(name: string): Promise<Charset | null> {
    return findSchema(this.connection, this.client, name, hasDatabaseComments(this.version));
  }

  /**
   * Creates a database, and a table in it. The table marks the database as one that Rearguard created.
   *
   * @param charset Clauses for CREATE DATABASE, from {@link charsetClause}.
   * @param note Text to store in the table's comment.
   */
  async make(name: string, charset: string, note = ""): Promise<void> {
    this.unfinished.add(name);
    try {
      await this.execute(`create database ${quote(name)}${charset}`);
    } catch (error) {
      // Another run has just created the database, so the database belongs to that run.
      if (/database exists/.test((error as Error).message)) this.unfinished.delete(name);
      throw error;
    }
    await this.execute(
      `create table ${quote(name)}.${quote(MARK)} (a int primary key) comment '${
        `${note} ${this.server.lockNote}`.trim()
      }'`,
    );
  }

  loader(name: string, args: readonly string[] = []): Command {
    const own = [
      "--binary-mode",
      "--default-character-set=utf8mb4",
      MAX_PACKET,
      `--init-command=${[SESSION, ...this.settings].join(", session ")}`,
    ];
    return this.connection.command(this.client, [...own, ...args], [name]);
  }

  /**
   * Drops the temporary database of a restore whose agent was killed. Rejects if a running restore uses the
   * database. Also rejects if the database lacks the table that shows that Rearguard created it.
   */
  async removeLeftover(name: string): Promise<void> {
    if (await findSchema(this.connection, this.client, name) === null) return;
    refusing.report(await this.taken(name));
    await this.refuseInUse(name);
    await this.execute(`drop database ${quote(name)}`);
  }

  /**
   * Returns an obstacle if a database of this name exists and Rearguard did not create it. Rearguard
   * recognizes its own databases by their marker table. In all other cases, returns an empty list.
   */
  async taken(name: string): Promise<Obstacle[]> {
    if (await findSchema(this.connection, this.client, name) === null) return [];
    if (await hasTable(this.connection, this.client, name, MARK)) return [];
    const solution = "Drop or rename it, then restore again.";
    return [{ path: `database ${name}`, problem: "is in the way", solution }];
  }

  async refuseInUse(name: string): Promise<void> {
    if (!await isInUse(this.connection, this.client, name)) return;
    throw new RunFailedError(`another restore is running in ${name}. Wait for it, then restore again.`);
  }

  /**
   * Drops the databases in {@link unfinished}. Never rejects: writes a warning for each database that cannot
   * be dropped.
   *
   * @param next Who will try again to drop the database, such as `The next restore`. The warning contains
   *   this text.
   */
  async discard(programs: ProgramContext, next: string): Promise<void> {
    if (this.unfinished.size === 0) return;
    for (const name of [...this.unfinished]) {
      try {
        const connection = await MysqlConnection.open(this.target, programs);
        const drop = `${this.#prelude}${LOCK_WAIT_LIMIT}drop database if exists ${quote(name)}`;
        await connection.execute(this.client, drop);
        this.unfinished.delete(name);
      } catch (error) {
        programs.ports.output.warning(
          `Database ${name} could not be dropped: ${(error as Error).message}. ${next} tries again.`,
        );
      }
    }
  }

  async execute(sql: string): Promise<void> {
    if (sql !== "") await this.connection.execute(this.client, this.#prelude + sql);
  }

  /** Executes all statements, even if some fail. Returns the errors. */
  async executeEach(sql: string): Promise<string[]> {
    return sql === "" ? [] : await this.connection.executeEach(this.client, this.#prelude + sql);
  }
}

async function versionOf(connection: MysqlConnection, client: string): Promise<ServerVersion> {
  const [[version]] = await connection.query(client, "select hex(version())") as [[string]];
  const name = fromHex(version);
  return { version: name, isMariadb: /mariadb/i.test(name) };
}

/**
 * Returns assignments that turn off two settings of MySQL 8. One setting makes the server refuse tables
 * without a primary key. The other makes the server add a primary key to such tables. A setting that is
 * already off gets no assignment, because not every login is allowed to make these assignments.
 */
async function neededSettings(
  { connection, client, version: { version, isMariadb } }: MysqlFresh,
): Promise<string[]> {
  const known = isMariadb ? [] : [
    ...isAtLeast(version, 8, 0, 13) ? ["sql_require_primary_key"] : [],
    ...isAtLeast(version, 8, 0, 30) ? ["sql_generate_invisible_primary_key"] : [],
  ];
  if (known.length === 0) return [];
  const [values] = await connection.query(client, `select ${known.map((name) => `@@${name}`).join(", ")}`);
  return known.filter((_, index) => values![index] === "1").map((name) => `${name} = 0`);
}

/** Returns clauses for CREATE DATABASE. The names come from a backup, so they are checked first. */
export function charsetClause(as: Charset | undefined): string {
  if (as === undefined) return "";
  const { characterSet, collation, comment } = as;
  const described = comment === undefined ? "" : ` comment '${comment.replace(/['\\]/g, "$&$&")}'`;
  return ` character set ${charsetName(characterSet)} collate ${charsetName(collation)}${described}`;
}

/**
 * Returns the name of a character set or collation. Throws if the text has other characters than letters,
 * digits and `_`.
 */
function charsetName(name: string): string {
  if (/^\w+$/.test(name)) return name;
  throw new RunFailedError(`${name} is not the name of a character set or collation`);
}
