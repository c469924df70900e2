/**
 * Handles databases that are loaded under their final name, because their contents work only under that name.
 * The original is renamed before the load. If the restore fails, the original gets its name back. If the
 * agent was killed, the next restore gives the original its name back.
 */
import { RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { PostgresqlConnection } from "./connection.ts";
import { MARK, MOVED_ASIDE, temporaryNames, UNFINISHED } from "../database/scratch_names.ts";
import type { PostgresqlFresh } from "./fresh.ts";
import { endConnections, identifier, literal, retryWhileInUse } from "./sql.ts";

export class MovedDatabases {
  /** Final names of the databases whose original is renamed. */
  readonly #renamed = new Set<string>();

  constructor(private readonly server: PostgresqlFresh) {}

  /** Gives an original its name back if the restore that renamed it was killed. */
  async recoverOriginal(name: string): Promise<void> {
    const { replaced } = temporaryNames(name);
    const original = await this.server.find(replaced);
    if (!original?.comment?.startsWith(MOVED_ASIDE)) return;
    const current = await this.server.find(name);
    if (current !== undefined && current.comment !== UNFINISHED) {
      throw new RunFailedError(
        `database ${name} was renamed to ${replaced} by an interrupted restore, and another database has its name now. ` +
          "Drop or rename one of them, then restore again.",
      );
    }
    if (current !== undefined) await this.server.drop(name);
    await this.#renameBack(name, original.comment, this.server.connection);
    this.server.output.line(`Database ${name}, which an interrupted restore had renamed, has its name back`);
  }

  async renameOriginal(name: string, comment: string | null): Promise<void> {
    const { replaced } = temporaryNames(name);
    await retryWhileInUse(() =>
      this.server.execute(
        `${endConnections([name])};
         comment on database ${identifier(name)} is ${literal(MOVED_ASIDE + (comment ?? ""))};
         alter database ${identifier(name)} rename to ${identifier(replaced)}`,
      )
    );
    this.#renamed.add(name);
  }

  /**
   * Returns statements that mark the renamed original as a leftover. A later run is then allowed to drop it.
   * Returns no statements if no original was renamed.
   */
  forget(name: string): string[] {
    if (!this.#renamed.has(name)) return [];
    const { replaced } = temporaryNames(name);
    return [`comment on database ${identifier(replaced)} is ${literal(`${MARK}replaced by a restore`)}`];
  }

  /** Records that the new database is in use. Returns whether there is a renamed original to drop. */
  markPublished(name: string): boolean {
    return this.#renamed.delete(name);
  }

  /**
   * Gives all renamed originals their names back. Warns of failures, and never rejects. The caller must first
   * drop the unfinished databases, because they have the names of the originals.
   */
  async restoreOriginals(programs: ProgramContext): Promise<void> {
    for (const name of [...this.#renamed]) {
      const { replaced } = temporaryNames(name);
      try {
        const original = await this.server.find(replaced, await this.server.connect(programs));
        await this.#renameBack(name, original?.comment ?? MOVED_ASIDE, await this.server.connect(programs));
        this.#renamed.delete(name);
      } catch (error) {
        programs.ports.output.warning(
          `Database ${name} is still renamed to ${replaced}: ${
            (error as Error).message
          }. The next restore puts it back.`,
        );
      }
    }
  }

  async #renameBack(name: string, comment: string, connection: PostgresqlConnection): Promise<void> {
    const { replaced } = temporaryNames(name);
    const originalComment = comment.slice(MOVED_ASIDE.length);
    await retryWhileInUse(() =>
      this.server.execute(
        `${endConnections([replaced])};
         alter database ${identifier(replaced)} rename to ${identifier(name)};
         comment on database ${identifier(name)} is ${
          originalComment === "" ? "null" : literal(originalComment)
        }`,
        connection,
      )
    );
  }
}
