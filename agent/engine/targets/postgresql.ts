/**
 * PostgreSQL databases: a fresh one is made from `template0` with the encoding, the collation and the owner that the backup tells,
 * or, where one is there already, with that one's owner, grants and settings. The swap is one transaction of renames.
 */
import type { DatabaseTarget } from "../../../src/protocol/job.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore.ts";
import type { ProgramContext } from "../run_context.ts";
import { DATABASE_PROPERTIES } from "../sources/postgresql.ts";
import { PostgresqlConnection } from "../sources/postgresql_connection.ts";
import { besideNames } from "./beside.ts";
import { type DatabaseHost, type Loader, occupied, type WantedDatabase } from "./databases.ts";
import { MARK, PostgresqlFresh, type Properties } from "./postgresql_fresh.ts";
import { endConnections, identifier, IS_OCCUPIED, literal, propertiesToKeep } from "./postgresql_sql.ts";

interface Existing extends Properties {
  name: string;
  comment: string | null;
  /** Whether there is something in it. */
  isOccupied: boolean;
}

/** A client may come back between the end of its connection and the rename. */
const SWAP_ATTEMPTS = 3;

export async function openPostgresql(
  target: DatabaseTarget,
  programs: ProgramContext,
  { job }: RestoreContext,
): Promise<DatabaseHost> {
  return new PostgresqlHost(target, await PostgresqlFresh.open(target, programs, job.backup.source));
}

class PostgresqlHost implements DatabaseHost {
  readonly #existing = new Map<string, Existing>();

  constructor(private readonly target: DatabaseTarget, private readonly server: PostgresqlFresh) {}

  async inspect(wanted: readonly WantedDatabase[]): Promise<void> {
    const names = wanted.map(({ name }) => name);
    await this.server.meet(names);
    for (const name of names) {
      await this.#inspectExisting(name);
      const { fresh, replaced } = besideNames(name);
      for (const beside of [fresh, replaced]) await this.server.removeLeftover(beside);
    }
  }

  async create({ name, original, archive }: WantedDatabase): Promise<Loader> {
    const { fresh } = besideNames(name);
    const existing = this.#existing.get(name);
    await this.server.make(fresh, original, "unfinished restore", existing);
    if (existing !== undefined) await this.#keepProperties(existing.name, fresh);
    return { command: this.server.loader(fresh, archive), rewrite: null };
  }

  async publish(wanted: readonly WantedDatabase[], programs: ProgramContext): Promise<void> {
    const connection = await PostgresqlConnection.open(this.target, programs);
    const names = wanted.map(({ name }) => name);
    // Loading takes a while: an empty database may have been put to use.
    for (const name of names) if (this.#existing.has(name)) await this.#refuseOccupied(name, connection);
    const swap = this.#swapStatements(names);
    for (let attempt = 1;; attempt++) {
      try {
        await this.server.execute(swap, connection);
        break;
      } catch (error) {
        const isInUse = error instanceof RunFailedError &&
          /is being accessed by other users/.test(error.message);
        if (!isInUse || attempt === SWAP_ATTEMPTS) throw error;
      }
    }
    for (const name of names) {
      const { fresh, replaced } = besideNames(name);
      this.server.unfinished.delete(fresh);
      if (this.#existing.has(name)) this.server.unfinished.add(replaced);
    }
  }

  async discard(programs: ProgramContext): Promise<void> {
    await this.server.discard(programs, "The next restore");
  }

  async #inspectExisting(name: string): Promise<void> {
    const [found] = await this.server.query<Omit<Existing, "isOccupied">>(
      `select datname as name, shobj_description(oid, 'pg_database') as comment, ${DATABASE_PROPERTIES}
       from pg_catalog.pg_database d where datname = ${literal(name)}`,
    );
    if (found === undefined) return;
    const isOccupied = await this.#refuseOccupied(name, this.server.connection);
    this.#existing.set(name, { ...found, isOccupied });
  }

  async #refuseOccupied(name: string, connection: PostgresqlConnection): Promise<boolean> {
    const rows = await connection.query<{ is_occupied: boolean }>(this.server.psql, name, IS_OCCUPIED);
    const isOccupied = rows[0]!.is_occupied;
    if (isOccupied && !this.target.overwrite) throw occupied(name);
    return isOccupied;
  }

  async #keepProperties(from: string, to: string): Promise<void> {
    const rows = await this.server.query<{ statement: string }>(propertiesToKeep(from, to));
    if (rows.length > 0) await this.server.execute(rows.map(({ statement }) => statement).join(";\n"));
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
}
