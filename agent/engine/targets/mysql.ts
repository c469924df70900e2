/**
 * MySQL and MariaDB databases. A database can't be renamed there: the tables of the fresh one move into the place, those that were
 * there move out in the same statement, and views, triggers, routines and events are made anew from the fresh one's definitions.
 */
import * as z from "zod";
import type { DatabaseTarget } from "../../../src/protocol/job.ts";
import type { Command } from "../children.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore.ts";
import type { ProgramContext } from "../run_context.ts";
import { SYSTEM_SCHEMAS } from "../sources/mysql.ts";
import { fromHex, MysqlConnection } from "../sources/mysql_connection.ts";
import { firstTool, missingTools, type Tool } from "../tools.ts";
import { besideNames } from "./beside.ts";
import { type DatabaseHost, occupied, type WantedDatabase } from "./databases.ts";
import { MysqlDefinitions } from "./mysql_definitions.ts";
import {
  type Contents,
  dropEvents,
  dropRest,
  dropTriggers,
  findContents,
  findReferrers,
  findSchema,
  hasMark,
  isInUse,
  MARK,
  type Move,
  moveTables,
  quote,
} from "./mysql_sql.ts";

const Description = z.looseObject({
  databases: z.array(z.looseObject({ name: z.string(), character_set: z.string(), collation: z.string() })),
});
type Description = z.infer<typeof Description>;

interface Existing {
  characterSet: string;
  collation: string;
  contents: Contents;
}

/** Of what was there out of its place, of what is new into it. */
type Moves = [Move, Move];

/** A client may be in the midst of a transaction; its locks are waited for no longer than this. */
const PATIENCE = "set session lock_wait_timeout = 60;\n";

export async function openMysql(
  target: DatabaseTarget,
  programs: ProgramContext,
  { job }: RestoreContext,
): Promise<DatabaseHost> {
  const connection = await MysqlConnection.open(target, programs);
  programs.ports.output.line(`Connecting to MySQL at ${connection.description}`);
  const client = await firstTool(programs.children, ["mariadb", "mysql"]);
  if (client === null) throw new RunFailedError(missingTools(["mariadb"]));
  const [[version]] = await connection.query(client.tool, "select hex(version())") as [[string]];
  const definitions = await MysqlDefinitions.open(fromHex(version), connection, programs.children);
  const description = Description.safeParse(job.backup.source).data ?? { databases: [] };
  return new MysqlHost(target, connection, client.tool, definitions, description);
}

class MysqlHost implements DatabaseHost {
  readonly #existing = new Map<string, Existing>();
  readonly #unfinished = new Set<string>();

  constructor(
    private readonly target: DatabaseTarget,
    private connection: MysqlConnection,
    private readonly client: Tool,
    private definitions: MysqlDefinitions,
    private readonly description: Description,
  ) {}

  async inspect(wanted: readonly WantedDatabase[]): Promise<void> {
    for (const { name } of wanted) {
      if (SYSTEM_SCHEMAS.includes(name.toLowerCase())) {
        throw new RunFailedError(`${name} is the server's own. Choose another database_name, or databases.`);
      }
      await this.#inspectExisting(name);
      for (const beside of Object.values(besideNames(name))) await this.#removeLeftover(beside);
    }
  }

  async create({ name, original }: WantedDatabase): Promise<Command> {
    const { fresh } = besideNames(name);
    await this.#make(fresh, this.#charset(name, original));
    return this.connection.command(this.client, ["--binary-mode", "--default-character-set=utf8mb4"], [
      fresh,
    ]);
  }

  async publish(wanted: readonly WantedDatabase[], programs: ProgramContext): Promise<void> {
    this.connection = await MysqlConnection.open(this.target, programs);
    this.definitions = this.definitions.over(this.connection, programs.children);
    const done: string[] = [];
    for (const { name, original } of wanted) {
      try {
        await this.#swap(name, this.#charset(name, original));
      } catch (error) {
        if (done.length === 0) throw error;
        const restored = `Restored before that: ${done.join(", ")}.`;
        throw new RunFailedError(`${(error as Error).message} ${restored}`, { cause: error });
      }
      done.push(name);
    }
  }

  async discard(programs: ProgramContext): Promise<void> {
    if (this.#unfinished.size === 0) return;
    const connection = await MysqlConnection.open(this.target, programs);
    for (const name of this.#unfinished) {
      try {
        await connection.execute(this.client, `${PATIENCE}drop database if exists ${quote(name)}`);
      } catch (error) {
        programs.ports.output.warning(
          `Database ${name} could not be dropped: ${(error as Error).message}. The next restore tries again.`,
        );
      }
    }
  }

  async #inspectExisting(name: string): Promise<void> {
    const schema = await findSchema(this.connection, this.client, name);
    if (schema === null) return;
    const contents = await findContents(this.connection, this.client, name);
    this.#existing.set(name, { ...schema, contents });
    if (!isOccupied(contents)) return;
    if (!this.target.overwrite) throw occupied(name);
    const referrers = await findReferrers(this.connection, this.client, name);
    if (referrers.length > 0) {
      throw new RunFailedError(
        `foreign keys of other databases lead into ${name}, which can't be replaced under them: ${
          referrers.join(", ")
        }. Drop those keys, or choose another database_name.`,
      );
    }
  }

  /** Of a restore whose agent was killed. A live one is at work in it. */
  async #removeLeftover(name: string): Promise<void> {
    if (await findSchema(this.connection, this.client, name) === null) return;
    if (!await hasMark(this.connection, this.client, name)) {
      throw new RunFailedError(`database ${name} is in the way. Drop or rename it, then restore again.`);
    }
    if (await isInUse(this.connection, this.client, name)) {
      throw new RunFailedError(`another restore is at work in ${name}. Wait for it, then restore again.`);
    }
    await this.#execute(`drop database ${quote(name)}`);
  }

  /** An empty database was made by somebody who knew how it should be. */
  #charset(name: string, original: string): string {
    const existing = this.#existing.get(name);
    const told = this.description.databases.find((each) => each.name === original);
    const as = existing !== undefined && !isOccupied(existing.contents)
      ? existing
      : told === undefined
      ? existing
      : { characterSet: told.character_set, collation: told.collation };
    return as === undefined ? "" : ` character set ${word(as.characterSet)} collate ${word(as.collation)}`;
  }

  async #make(name: string, charset: string): Promise<void> {
    this.#unfinished.add(name);
    try {
      await this.#execute(`create database ${quote(name)}${charset}`);
    } catch (error) {
      // Another restore was faster: it is that one's.
      if (/database exists/.test((error as Error).message)) this.#unfinished.delete(name);
      throw error;
    }
    await this.#execute(`create table ${quote(name)}.${quote(MARK)} (a int)`);
  }

  async #swap(name: string, charset: string): Promise<void> {
    const { fresh, replaced } = besideNames(name);
    const existing = this.#existing.get(name);
    const made = await findContents(this.connection, this.client, fresh);
    const definitions = await this.definitions.read(fresh, made.views);
    // The one statement that names the database: around a routine made under another collation.
    const news = definitions.replaceAll(`ALTER DATABASE ${quote(fresh)}`, `ALTER DATABASE ${quote(name)}`);
    // Its events must not run twice, and a table with triggers does not move.
    await this.#execute(dropEvents(fresh, made) + dropTriggers(fresh, made));
    const before = existing && await findContents(this.connection, this.client, name);
    // Loading takes a while: an empty database may have been put to use.
    if (before !== undefined && isOccupied(before) && !this.target.overwrite) throw occupied(name);
    const olds = before === undefined ? "" : await this.definitions.readWhatIsSound(name, before.views);
    if (existing === undefined) await this.#execute(`create database ${quote(name)}${charset}`);
    else {
      await this.#make(replaced, ` character set ${word(existing.characterSet)}`);
    }
    const moves: Moves = [
      { from: name, to: replaced, tables: before?.tables ?? [] },
      { from: fresh, to: name, tables: made.tables },
    ];
    try {
      if (before !== undefined) await this.#execute(dropTriggers(name, before));
      await this.#execute(PATIENCE + moveTables(moves));
      if (before !== undefined) await this.#execute(dropRest(name, before));
      // Before the definitions: each keeps the collation that the database has when it is made.
      if (charset !== "") await this.#execute(`alter database ${quote(name)}${charset}`);
      await this.#execute(`use ${quote(name)};\n${news}`);
    } catch (error) {
      await this.#undo(name, moves, before === undefined ? null : olds, error);
      throw error;
    }
  }

  /** @param olds Definitions of what was there; null where there was no such database. */
  async #undo(
    name: string,
    moves: Moves,
    olds: string | null,
    reason: unknown,
  ): Promise<void> {
    try {
      const now = await findContents(this.connection, this.client, name);
      await this.#execute(dropTriggers(name, now) + dropRest(name, now));
      // A connection that broke does not tell whether the tables have moved.
      if (await this.#haveMoved(moves)) {
        const back = moves.map(({ from, to, tables }) => ({ from: to, to: from, tables })).reverse();
        await this.#execute(PATIENCE + moveTables(back));
      }
      if (olds === null) await this.#execute(`drop database ${quote(name)}`);
      else {
        const { characterSet, collation } = this.#existing.get(name)!;
        const charset = ` character set ${word(characterSet)} collate ${word(collation)}`;
        await this.#execute(`alter database ${quote(name)}${charset};\nuse ${quote(name)};\n${olds}`);
      }
    } catch (error) {
      const { fresh, replaced } = besideNames(name);
      // What could be saved is in there; without its mark the next restore leaves it alone.
      for (const kept of [fresh, replaced]) this.#unfinished.delete(kept);
      await this.#execute(`drop table if exists ${quote(replaced)}.${quote(MARK)}`).catch(() => {});
      throw new RunFailedError(
        `${(reason as Error).message} Database ${name} could not be put back as it was: ${
          (error as Error).message
        } Its tables may be in ${replaced}.`,
        { cause: reason },
      );
    }
  }

  /** All move at once: from where the last ones were, nothing is left. */
  async #haveMoved([old, fresh]: Moves): Promise<boolean> {
    const { to, tables } = old;
    if (tables.length > 0) {
      return (await findContents(this.connection, this.client, to)).tables.length > 0;
    }
    const left = await findContents(this.connection, this.client, fresh.from);
    return fresh.tables.length > 0 && left.tables.length === 0;
  }

  async #execute(sql: string): Promise<void> {
    if (sql !== "") await this.connection.execute(this.client, sql);
  }
}

function isOccupied({ tables, views, events, routines }: Contents): boolean {
  return tables.length + views.length + events.length + routines.length > 0;
}

/** The name of a character set or a collation, which comes from a backup. */
function word(name: string): string {
  if (/^\w+$/.test(name)) return name;
  throw new RunFailedError(`${name} is no name of a character set or collation`);
}
