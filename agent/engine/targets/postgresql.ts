/**
 * PostgreSQL databases: a fresh one is made from `template0` with the encoding, the collation, the owner and the properties that the
 * backup tells, or, where one is there already, with that one's. The swap is one transaction of renames.
 */
import type { DatabaseTarget } from "../../../src/protocol/job.ts";
import { RunFailedError } from "../ports.ts";
import type { RestoreContext } from "../restore.ts";
import type { ProgramContext } from "../run_context.ts";
import type { PostgresqlConnection } from "../sources/postgresql_connection.ts";
import { DATABASE_PROPERTIES } from "../sources/postgresql_databases.ts";
import { DatabaseProperties } from "../sources/postgresql_properties.ts";
import { identifier, literal } from "../sources/postgresql_text.ts";
import { besideNames, MARK } from "./beside.ts";
import { type DatabaseHost, type Loader, occupied, type WantedDatabase } from "./databases.ts";
import { PostgresqlFresh, type Properties } from "./postgresql_fresh.ts";
import { loaderFor } from "./postgresql_load.ts";
import { mergeProperties, type PropertyStatement } from "./postgresql_properties.ts";
import { endConnections, IS_OCCUPIED } from "./postgresql_sql.ts";

interface Existing extends Properties {
  name: string;
  properties: DatabaseProperties;
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
  /** By the database's final name. */
  readonly #properties = new Map<string, DatabaseProperties>();

  constructor(private readonly target: DatabaseTarget, private readonly server: PostgresqlFresh) {}

  async inspect(wanted: readonly WantedDatabase[]): Promise<void> {
    const names = wanted.map(({ name }) => name);
    await this.server.meet(names);
    for (const name of names) {
      await this.#inspectExisting(name);
      const { fresh, replaced } = besideNames(name);
      for (const beside of [fresh, replaced]) await this.server.refuseTaken(beside);
    }
  }

  async create(wanted: WantedDatabase): Promise<Loader> {
    const { name, original } = wanted;
    const { fresh } = besideNames(name);
    const existing = this.#existing.get(name);
    const isOwned = this.target.owners ?? true;
    const properties = this.#propertiesFor(wanted);
    const tablespace = properties?.tablespace ?? null;
    await this.server.make({
      name: fresh,
      original,
      comment: "unfinished restore",
      existing,
      isOwned,
      tablespace,
    });
    const choices = { isOwned, continuesOnErrors: this.target.continue_on_errors ?? false, leftOut: [] };
    let later: PropertyStatement[] = [];
    if (properties !== undefined) {
      this.#properties.set(name, properties);
      later = await this.server.applyProperties(fresh, properties, isOwned);
    }
    const loader = await loaderFor(this.server, fresh, wanted, choices);
    const finish = async () => {
      await loader.finish?.();
      await this.server.carryOut(later);
    };
    return { ...loader, finish };
  }

  async publish(wanted: readonly WantedDatabase[], programs: ProgramContext): Promise<void> {
    const connection = await this.server.connect(programs);
    const names = wanted.map(({ name }) => name);
    // Loading takes a while: an empty database may have been put to use.
    for (const name of names) if (this.#existing.has(name)) await this.#refuseOccupied(name, connection);
    for (const name of names) await this.server.release(besideNames(name).fresh);
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
    const [found] = await this.server.query<Properties & { name: string }>(
      `select datname as name, ${DATABASE_PROPERTIES}
       from pg_catalog.pg_database d where datname = ${literal(name)}`,
    );
    if (found === undefined) return;
    const properties = await this.server.propertiesOf(name);
    if (properties === undefined) return;
    const isOccupied = await this.#refuseOccupied(name, this.server.connection);
    this.#existing.set(name, { ...found, properties, isOccupied });
  }

  async #refuseOccupied(name: string, connection: PostgresqlConnection): Promise<boolean> {
    const rows = await connection.query<{ is_occupied: boolean }>(this.server.psql, name, IS_OCCUPIED);
    const isOccupied = rows[0]!.is_occupied;
    if (isOccupied && !this.target.overwrite) throw occupied(name);
    return isOccupied;
  }

  /** Undefined where neither the server nor the backup tells any. */
  #propertiesFor({ name, contents }: WantedDatabase): DatabaseProperties | undefined {
    const told = DatabaseProperties.safeParse(contents?.properties).data;
    const existing = this.#existing.get(name);
    if (existing === undefined) return told;
    if (existing.isOccupied || told === undefined) return existing.properties;
    return mergeProperties(existing.properties, told);
  }

  #swapStatements(names: readonly string[]): string {
    const statements = [endConnections(names.flatMap((name) => [name, besideNames(name).fresh]))];
    for (const name of names) {
      const { fresh, replaced } = besideNames(name);
      const properties = this.#properties.get(name);
      if (this.#existing.has(name)) {
        statements.push(
          `comment on database ${identifier(name)} is ${literal(`${MARK}replaced by a restore`)}`,
          `alter database ${identifier(name)} rename to ${identifier(replaced)}`,
        );
      }
      const comment = properties?.comment ?? null;
      statements.push(
        `alter database ${identifier(fresh)} rename to ${identifier(name)}`,
        `comment on database ${identifier(name)} is ${comment === null ? "null" : literal(comment)}`,
      );
      if (properties?.is_template) statements.push(`alter database ${identifier(name)} is_template true`);
    }
    return statements.join(";\n");
  }
}
