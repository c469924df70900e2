/** Creates the scratch databases of drills on PostgreSQL. */
import { findPrivileged, type Privileged, withPrivileged } from "./privileged.ts";
import type { DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { BackupToRead } from "../../../../src/protocol/job.ts";
import { RunFailedError } from "../../ports.ts";
import type { ProgramContext } from "../../run_context.ts";
import { contentsNow } from "./counts.ts";
import { KINDS_OF_OWNERS } from "./objects.ts";
import { DatabaseProperties, DEFAULT_GRANTS } from "./properties.ts";
import type { DatabaseContents } from "../database/row_counts.ts";
import { MARK, temporaryNames } from "../database/scratch_names.ts";
import type { DatabaseToRestore, Loader } from "../database/database_host.ts";
import { boundExtensions, describeBound } from "./bound.ts";
import { PostgresqlFresh } from "./fresh.ts";
import { loaderFor } from "./load.ts";
import { identifier, IS_OCCUPIED, literal } from "./sql.ts";
import { ADVICE, isLocal, type ScratchHost } from "../database/scratch.ts";

const DRILL = "restore drill";

export async function openPostgresqlScratch(
  target: DatabaseTarget,
  programs: ProgramContext,
  backup: BackupToRead,
): Promise<ScratchHost> {
  return new PostgresqlScratch(await PostgresqlFresh.open(target, programs, backup.source), target);
}

class PostgresqlScratch implements ScratchHost {
  /**
   * Comment on this drill's databases. The comment distinguishes these databases from databases that another
   * drill creates under the same name.
   */
  readonly #comment = `${MARK}${DRILL} ${crypto.randomUUID()}`;

  /**
   * Objects that the scratch database lacks, because the login is not allowed to create them. Null if it
   * lacks none.
   */
  #privileged: Privileged | null = null;

  constructor(private readonly server: PostgresqlFresh, private readonly target: DatabaseTarget) {}

  scratchName(database: string): string {
    return temporaryNames(database).drill;
  }

  isSystemDatabase(name: string): boolean {
    return /^template[01]$/.test(name);
  }

  async prepare(wanted: readonly DatabaseToRestore[]): Promise<void> {
    await this.server.initialize(wanted.map(({ name }) => name));
    const { role } = this.server;
    if (!role.may_create) {
      throw new RunFailedError(
        `role ${role.name} may not create the scratch database that a drill needs. ` +
          `Let it, with: alter role ${identifier(role.name)} createdb, ${ADVICE}.`,
      );
    }
    for (const { name } of wanted) await this.#refuseOthers(name);
  }

  async sizeOf(name: string): Promise<number | null> {
    const [found] = await this.server.query<{ size: number }>(
      `select case when has_database_privilege(oid, 'connect') then pg_database_size(oid) end as size
       from pg_catalog.pg_database where datname = ${literal(name)}`,
    );
    return found?.size ?? null;
  }

  async dataDirectory(): Promise<string | null> {
    if (!isLocal(this.target.host)) return null;
    const [found] = await this.server.query<{ setting: string }>(
      "select setting from pg_catalog.pg_settings where name = 'data_directory'",
    );
    return found?.setting ?? null;
  }

  /**
   * Creates the scratch database. A drill restores owners and grants only if its login is a superuser. Any
   * other login cannot make another role the owner of an object, and cannot let another role connect.
   */
  async create(wanted: DatabaseToRestore): Promise<Loader> {
    const { name, original, contents } = wanted;
    const isOwned = this.server.role.is_superuser;
    const properties = DatabaseProperties.safeParse(contents?.properties).data;
    const tablespace = properties?.tablespace ?? null;
    await this.server.make({ name, original, comment: this.#comment, isOwned: false, tablespace });
    await this.server.execute(`revoke all on database ${identifier(name)} from public`);
    const leftOut = boundExtensions(contents);
    this.#privileged = isOwned ? null : await findPrivileged(this.server, contents);
    const choices = { isOwned, continuesOnErrors: false, leftOut, privileged: this.#privileged };
    const loader = await loaderFor(this.server, name, wanted, choices);
    const finish = async () => {
      await loader.finish?.();
      if (properties === undefined || !isOwned) return;
      // Grants are restored after the load, so that no other role can connect before the load has ended.
      const grants = properties.grants ?? [...DEFAULT_GRANTS];
      const later = await this.server.applyProperties(name, { ...properties, grants }, isOwned);
      await this.server.executeProperties(later);
    };
    return { ...loader, finish };
  }

  async contents({ name, contents: expected }: DatabaseToRestore): Promise<DatabaseContents> {
    const contents = await contentsNow(this.server, this.server.maintenanceDatabase, name);
    const found = await this.server.find(name);
    if (found?.comment !== this.#comment) {
      throw new RunFailedError(`its scratch database ${name} was dropped or replaced meanwhile`);
    }
    const comparable = this.#comparable(contents, expected);
    return this.#privileged === null ? comparable : withPrivileged(comparable, expected, this.#privileged);
  }

  /** Returns the contents without the differences that the drill itself causes. */
  #comparable(found: DatabaseContents, expected: DatabaseContents | null): DatabaseContents {
    const bound = boundExtensions(expected);
    const keys = (expected?.unchecked_foreign_keys ?? []).map(({ table, name }) => ({ table, name }));
    const constraints =
      expected?.objects?.["table constraint"]?.filter((identity) =>
        keys.some(({ table, name }) =>
          [name, identifier(name)].some((each) => identity === `${each} on ${table}`)
        )
      ) ?? [];
    const properties = (found.objects?.["database property"] ?? []).filter((line) =>
      !line.startsWith(`comment "${MARK}`)
    );
    const comment = (expected?.objects?.["database property"] ?? []).filter((line) =>
      line.startsWith("comment ")
    );
    return {
      ...found,
      objects: {
        ...found.objects,
        "database property": [...properties, ...comment],
        "table constraint": [...found.objects?.["table constraint"] ?? [], ...constraints],
        extension: [...found.objects?.extension ?? [], ...bound],
        comment: [...found.objects?.comment ?? [], ...bound.map((extension) => `on extension ${extension}`)],
      },
      not_compared: [
        ...found.not_compared ?? [],
        ...this.server.role.is_superuser ? [] : [...KINDS_OF_OWNERS, "database property"],
        ...bound.length === 0 ? [] : [describeBound(bound)],
        ...constraints.length === 0 ? [] : ["foreign keys to rows that are left out"],
      ],
    };
  }

  async discard(programs: ProgramContext): Promise<boolean> {
    await this.server.discard(programs, "The next drill");
    return this.server.unfinished.size === 0;
  }

  async #refuseOthers(name: string): Promise<void> {
    const found = await this.server.find(name);
    if (found === undefined) return;
    if (found.comment?.startsWith(MARK + DRILL)) {
      throw new RunFailedError(`another drill is running in database ${name}. Wait for it, then try again.`);
    }
    const [{ is_occupied }] = await this.server.connection.query<{ is_occupied: boolean }>(
      this.server.psql,
      name,
      IS_OCCUPIED,
    ) as [{ is_occupied: boolean }];
    if (is_occupied || found.comment !== null) {
      throw new RunFailedError(`database ${name} is in the way of the drill. Drop or rename it, ${ADVICE}.`);
    }
    // This database is empty and has no comment: a drill was killed before it could set the comment.
    await this.server.drop(name);
  }
}
