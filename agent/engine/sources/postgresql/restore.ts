/**
 * Restores PostgreSQL databases. Creates a temporary database from `template0` and loads the backup into it.
 * If a database with the final name exists, the temporary database gets its encoding, collation, owner and
 * properties. If none exists, it gets those that the backup contains. At the end, one transaction swaps the
 * two databases by renaming them.
 */
import type { DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { TARGET_STATES } from "../../../../src/protocol/restore_preview.ts";
import { type Inspection, refusing } from "../../obstacles.ts";
import type { RestoreContext } from "../../restore_context.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { PostgresqlConnection } from "./connection.ts";
import { DATABASE_PROPERTIES } from "./databases.ts";
import { DatabaseProperties, DEFAULT_GRANTS } from "./properties.ts";
import { MARK, temporaryNames, UNFINISHED } from "../database/scratch_names.ts";
import {
  type DatabaseHost,
  type DatabaseToRestore,
  type Loader,
  occupied,
} from "../database/database_host.ts";
import { PostgresqlFresh, type Properties } from "./fresh.ts";
import { boundExtensions, describeBound } from "./bound.ts";
import { loaderFor } from "./load.ts";
import { MovedDatabases } from "./moved.ts";
import { mergeProperties, type PropertyStatement } from "./restore_properties.ts";
import { endConnections, identifier, IS_OCCUPIED, literal, retryWhileInUse } from "./sql.ts";

interface Existing extends Properties {
  name: string;
  properties: DatabaseProperties;
  /** Whether the database contains any objects. */
  isOccupied: boolean;
}

export async function openPostgresql(
  target: DatabaseTarget,
  programs: ProgramContext,
  { job }: RestoreContext,
): Promise<DatabaseHost> {
  return new PostgresqlHost(target, await PostgresqlFresh.open(target, programs, job.backup.source));
}

class PostgresqlHost implements DatabaseHost {
  readonly #existing = new Map<string, Existing>();
  /** Properties to restore, by the database's final name. */
  readonly #properties = new Map<string, DatabaseProperties>();
  /** Final names of the databases that are loaded directly under their final name; see moved.ts. */
  readonly #underFinalName = new Set<string>();
  readonly #moved: MovedDatabases;

  constructor(private readonly target: DatabaseTarget, private readonly server: PostgresqlFresh) {
    this.#moved = new MovedDatabases(server);
  }

  get description(): string {
    return `PostgreSQL at ${this.server.connection.description}`;
  }

  async inspect(
    wanted: readonly DatabaseToRestore[],
    inspection: Inspection,
  ): Promise<(typeof TARGET_STATES[number])[]> {
    const names = wanted.map(({ name }) => name);
    await this.server.initialize(names, inspection.isPreview ? "keep leftovers" : "drop leftovers");
    for (const name of names) {
      if (!inspection.isPreview) await this.#moved.recoverOriginal(name);
      await this.#inspectExisting(name, inspection);
      const { fresh, replaced } = temporaryNames(name);
      for (const temporary of [fresh, replaced]) {
        inspection.report(await this.server.taken(temporary, inspection.isPreview));
      }
    }
    return names.map((name) => {
      const existing = this.#existing.get(name);
      return existing === undefined ? "missing" : existing.isOccupied ? "occupied" : "empty";
    });
  }

  async create(wanted: DatabaseToRestore): Promise<Loader> {
    const { name, original } = wanted;
    const bound = boundExtensions(wanted.contents);
    const leftOut = bound.length > 0 && !await this.server.allowsBoundExtensions(name) ? bound : [];
    if (leftOut.length > 0) this.server.output.warning(`Left out of ${name}: ${describeBound(leftOut)}`);
    const existing = this.#existing.get(name);
    if (bound.length > leftOut.length) {
      this.#underFinalName.add(name);
      if (existing !== undefined) await this.#moved.renameOriginal(name, existing.properties.comment);
    }
    const loadedName = this.#loadedName(name);
    const isOwned = this.target.owners ?? true;
    const properties = this.#propertiesFor(wanted);
    const tablespace = properties?.tablespace ?? null;
    await this.server.make({
      name: loadedName,
      original,
      comment: UNFINISHED,
      existing,
      isOwned,
      tablespace,
    });
    const choices = { isOwned, continuesOnErrors: this.target.continue_on_errors ?? false, leftOut };
    const later = properties === undefined ? [] : await this.#applyProperties(name, properties, isOwned);
    const loader = await loaderFor(this.server, loadedName, wanted, choices);
    const finish = async () => {
      await loader.finish?.();
      await this.server.executeProperties(later);
    };
    return { ...loader, finish };
  }

  async publish(wanted: readonly DatabaseToRestore[], programs: ProgramContext): Promise<void> {
    const connection = await this.server.connect(programs);
    const names = wanted.map(({ name }) => name);
    // Loading takes time, so a database that was empty at the start may have contents by now.
    for (const name of names) {
      if (this.#existing.has(name) && !this.#underFinalName.has(name)) {
        await this.#refuseOccupied(name, connection, refusing);
      }
    }
    for (const name of names) await this.server.release(this.#loadedName(name));
    const swap = this.#swapStatements(names);
    await retryWhileInUse(() => this.server.execute(swap, connection));
    for (const name of names) {
      this.server.unfinished.delete(this.#loadedName(name));
      const isReplaced = this.#underFinalName.has(name)
        ? this.#moved.markPublished(name)
        : this.#existing.has(name);
      if (isReplaced) this.server.unfinished.add(temporaryNames(name).replaced);
    }
  }

  async discard(programs: ProgramContext): Promise<void> {
    await this.server.discard(programs, "The next restore");
    await this.#moved.restoreOriginals(programs);
  }

  async #inspectExisting(name: string, inspection: Inspection): Promise<void> {
    const [found] = await this.server.query<Properties & { name: string }>(
      `select datname as name, ${DATABASE_PROPERTIES}
       from pg_catalog.pg_database d where datname = ${literal(name)}`,
    );
    if (found === undefined) return;
    const properties = await this.server.propertiesOf(name);
    if (properties === undefined) return;
    const isOccupied = await this.#refuseOccupied(name, this.server.connection, inspection);
    this.#existing.set(name, { ...found, properties, isOccupied });
  }

  async #refuseOccupied(
    name: string,
    connection: PostgresqlConnection,
    inspection: Inspection,
  ): Promise<boolean> {
    const rows = await connection.query<{ is_occupied: boolean }>(this.server.psql, name, IS_OCCUPIED);
    const isOccupied = rows[0]!.is_occupied;
    if (isOccupied && !this.target.overwrite) inspection.report([occupied(name)]);
    return isOccupied;
  }

  /**
   * Returns the properties that the new database gets.
   * - There is no existing database: the properties in the backup; undefined if the backup contains none.
   * - There is an existing database, and it is not empty: its properties.
   * - There is an existing database, and it is empty: its properties, merged with those in the backup.
   */
  #propertiesFor({ name, contents }: DatabaseToRestore): DatabaseProperties | undefined {
    const backedUp = DatabaseProperties.safeParse(contents?.properties).data;
    const existing = this.#existing.get(name);
    if (existing === undefined) return backedUp;
    if (existing.isOccupied || backedUp === undefined) return existing.properties;
    return mergeProperties(existing.properties, backedUp);
  }

  #loadedName(name: string): string {
    return this.#underFinalName.has(name) ? name : temporaryNames(name).fresh;
  }

  /**
   * Applies a database's properties. Resolves with the SQL statements that must be executed later, once the
   * database is loaded. If the database is loaded under a temporary name, these are only some of the
   * statements. If it is loaded under its final name, these are all statements, and other roles are not
   * allowed to connect until the load has ended.
   */
  async #applyProperties(
    name: string,
    properties: DatabaseProperties,
    isOwned: boolean,
  ): Promise<PropertyStatement[]> {
    this.#properties.set(name, properties);
    const loadedName = this.#loadedName(name);
    if (!this.#underFinalName.has(name)) {
      return await this.server.applyProperties(loadedName, properties, isOwned);
    }
    await this.server.execute(`revoke all on database ${identifier(loadedName)} from public`);
    const grants = properties.grants ?? [...DEFAULT_GRANTS];
    return await this.server.applyProperties(loadedName, { ...properties, grants }, isOwned, "later");
  }

  #swapStatements(names: readonly string[]): string {
    const statements = [endConnections(names.flatMap((name) => [name, temporaryNames(name).fresh]))];
    for (const name of names) {
      const { fresh, replaced } = temporaryNames(name);
      const properties = this.#properties.get(name);
      if (this.#underFinalName.has(name)) statements.push(...this.#moved.forget(name));
      else {
        if (this.#existing.has(name)) {
          statements.push(
            `comment on database ${identifier(name)} is ${literal(`${MARK}replaced by a restore`)}`,
            `alter database ${identifier(name)} rename to ${identifier(replaced)}`,
          );
        }
        statements.push(`alter database ${identifier(fresh)} rename to ${identifier(name)}`);
      }
      const comment = properties?.comment ?? null;
      statements.push(
        `comment on database ${identifier(name)} is ${comment === null ? "null" : literal(comment)}`,
      );
      if (properties?.is_template) statements.push(`alter database ${identifier(name)} is_template true`);
    }
    return statements.join(";\n");
  }
}
