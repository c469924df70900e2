/**
 * Reads the triggers, events, routines and views of a database as SQL. The SQL does not select the database
 * in which the objects are created.
 */
import { capture } from "../../programs/capture.ts";
import type { Children } from "../../programs/children.ts";
import { oneLine } from "../../programs/line.ts";
import { RunFailedError } from "../../ports.ts";
import type { MysqlConnection } from "./connection.ts";
import { type DumpProgram, dumpProgram, oracleArguments, type ServerVersion } from "./programs.ts";

export class MysqlDefinitions {
  private constructor(
    private readonly server: ServerVersion,
    private readonly program: DumpProgram,
    private readonly connection: MysqlConnection,
    private readonly children: Children,
  ) {}

  static async open(
    server: ServerVersion,
    connection: MysqlConnection,
    children: Children,
  ): Promise<MysqlDefinitions> {
    return new MysqlDefinitions(server, await dumpProgram(server, children), connection, children);
  }

  withConnection(connection: MysqlConnection, children: Children): MysqlDefinitions {
    return new MysqlDefinitions(this.server, this.program, connection, children);
  }

  /**
   * Returns the definitions. Rejects if an object is broken, such as a view of a table that no longer exists.
   */
  read(database: string, views: readonly string[]): Promise<string> {
    return this.#read(database, views, []);
  }

  /** Returns the definitions of all objects that are not broken. */
  readValid(database: string, views: readonly string[]): Promise<string> {
    return this.#read(database, views, ["--force"]);
  }

  async #read(database: string, views: readonly string[], args: string[]): Promise<string> {
    // Views come last, because they can call functions.
    const others = ["--no-create-info", "--triggers", "--events", "--routines"];
    const first = await this.#dump([...args, ...others], [database]);
    return views.length === 0
      ? first
      : first + await this.#dump([...args, "--skip-triggers"], [database, ...views]);
  }

  async #dump(args: string[], operands: string[]): Promise<string> {
    const command = this.connection.command(this.program.tool, [
      "--no-data",
      "--skip-comments",
      "--skip-lock-tables",
      "--no-tablespaces",
      "--default-character-set=utf8mb4",
      ...oracleArguments(this.server, this.program),
      ...args,
    ], operands);
    const { exit, stdout, messages } = await capture(this.children, command);
    if (exit.code === 0 || args.includes("--force")) return stdout;
    throw new RunFailedError(
      `definitions can't be read from ${operands[0]}: ${oneLine(messages.join(" ")) || this.program.tool}`,
    );
  }
}

/**
 * Whether the definitions contain the database's name, in upper or lower case, followed by a dot:
 * `shop.stock`, "`shop` . `stock`".
 */
export function namesDatabase(database: string, definitions: string): boolean {
  const name = database.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w$])${name}["\`]?\\s*\\.`, "i").test(definitions);
}
