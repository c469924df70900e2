/**
 * Restores MySQL and MariaDB databases. MySQL cannot rename a database. So one statement replaces the tables
 * of the final database: it moves the original tables out, and moves the temporary database's tables in.
 * Views, triggers, routines and events are created again from the temporary database's definitions.
 */
import { refuseNameClashes } from "./clashes.ts";
import type { DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { TARGET_STATES } from "../../../../src/protocol/restore_preview.ts";
import { type Inspection, ObstacleError } from "../../obstacles.ts";
import { RunFailedError, type RunPorts } from "../../ports.ts";
import type { RestoreContext } from "../../restore_context.ts";
import type { ProgramContext } from "../../run_context.ts";
import { SYSTEM_SCHEMAS } from "./server.ts";
import { MysqlConnection } from "./connection.ts";
import { isAtLeast } from "./programs.ts";
import { MysqlRights } from "./rights.ts";
import { temporaryNames } from "../database/scratch_names.ts";
import {
  type DatabaseHost,
  type DatabaseToRestore,
  type Loader,
  occupied,
} from "../database/database_host.ts";
import { MysqlDefinitions, namesDatabase } from "./definitions.ts";
import { DumpRewriter, withEnabled } from "./dump_filter.ts";
import { charsetClause, MysqlFresh } from "./fresh.ts";
import {
  type Charset,
  type Contents,
  dropEvents,
  dropTriggers,
  findContents,
  findReferrers,
  findSequenceDefaults,
  moveDefaults,
  quote,
} from "./sql.ts";
import { MysqlSwap } from "./swap.ts";
import { renameDatabase } from "./tokens.ts";

interface Existing extends Charset {
  contents: Contents;
}

export async function openMysql(
  target: DatabaseTarget,
  programs: ProgramContext,
  { job }: RestoreContext,
): Promise<DatabaseHost> {
  const server = await MysqlFresh.open(target, programs, job.backup.source);
  const definitions = await MysqlDefinitions.open(server.version, server.connection, programs.children);
  return new MysqlHost(target, server, definitions, programs.ports);
}

class MysqlHost implements DatabaseHost {
  readonly #existing = new Map<string, Existing>();
  /**
   * For each database, by its final name: the properties that its temporary database had when it was created.
   * Loading a dump might change the collation. So the restore sets these properties again after loading.
   */
  readonly #made = new Map<string, Charset>();
  /** The databases to restore, by the names that they have in the backup. */
  #originals: string[] = [];
  readonly #rewriters = new Map<string, DumpRewriter>();

  constructor(
    private readonly target: DatabaseTarget,
    private readonly server: MysqlFresh,
    private definitions: MysqlDefinitions,
    private readonly ports: RunPorts,
  ) {}

  get description(): string {
    return `MySQL at ${this.server.connection.description}`;
  }

  async inspect(
    databases: readonly DatabaseToRestore[],
    inspection: Inspection,
  ): Promise<(typeof TARGET_STATES[number])[]> {
    const wanted = databases.map((each) => this.#asStored(each));
    refuseNameClashes(this.server, databases);
    this.#originals = wanted.map(({ original }) => original);
    for (const { name } of wanted) {
      if (SYSTEM_SCHEMAS.includes(name.toLowerCase())) {
        throw new RunFailedError(`${name} is the server's own. Choose another database_name, or databases.`);
      }
      const { fresh, replaced } = temporaryNames(name);
      const temporary = [fresh, replaced];
      if (inspection.isPreview) {
        for (const each of temporary) inspection.report(await this.server.taken(each));
      } else {
        await (await MysqlSwap.interrupted(this.server, name))?.resume((line) =>
          this.ports.output.line(line)
        );
        for (const each of temporary) await this.server.removeLeftover(each);
      }
      await this.#inspectExisting(name, inspection);
    }
    return wanted.map(({ name }) => {
      const existing = this.#existing.get(name);
      return existing === undefined ? "missing" : isOccupied(existing.contents) ? "occupied" : "empty";
    });
  }

  async create(wanted: DatabaseToRestore): Promise<Loader> {
    const { name, original } = this.#asStored(wanted);
    const { fresh } = temporaryNames(name);
    await this.server.make(fresh, charsetClause(this.#charset(name, original)));
    this.#made.set(name, (await this.server.find(fresh))!);
    const { isMariadb, version } = this.server.version;
    const rewriter = new DumpRewriter({
      original,
      into: fresh,
      isDefiner: this.target.definers === "login",
      lacksOldModes: !isMariadb && isAtLeast(version, 8),
      others: this.#originals.filter((other) => other !== original),
    });
    this.#rewriters.set(name, rewriter);
    const continuesOnErrors = this.target.continue_on_errors === true;
    return {
      command: this.server.loader(fresh, continuesOnErrors ? ["--force"] : []),
      rewrite: rewriter.rewrite,
      rules: { continuesOnErrors },
    };
  }

  async publish(databases: readonly DatabaseToRestore[], programs: ProgramContext): Promise<void> {
    const wanted = databases.map((each) => this.#asStored(each));
    this.server.connection = await MysqlConnection.open(this.target, programs);
    this.definitions = this.definitions.withConnection(this.server.connection, programs.children);
    const done: string[] = [];
    for (const { name, original } of wanted) {
      try {
        await this.#swap(name, original, this.#charset(name, original));
      } catch (error) {
        if (done.length === 0) throw error;
        const restored = `Restored before that: ${done.join(", ")}.`;
        throw new RunFailedError(`${(error as Error).message} ${restored}`, { cause: error });
      }
      done.push(name);
    }
    await this.#makePostponed(done);
  }

  /** Returns the database with its name spelled as the server stores names. */
  #asStored(wanted: DatabaseToRestore): DatabaseToRestore {
    return { ...wanted, name: this.server.stored(wanted.name) };
  }

  /** Whether a database is restored under the name that it had in the backup. */
  #keepsName(name: string, original: string): boolean {
    return name === this.server.stored(original);
  }

  /**
   * Creates the postponed views, which read other databases of this restore. A postponed view might need
   * another one that does not exist yet, so failed views are tried again. Rejects once all remaining views
   * fail.
   */
  async #makePostponed(names: readonly string[]): Promise<void> {
    let left = names.flatMap((name) =>
      this.#rewriters.get(name)!.postponedViews.map((sql) => ({ name, sql }))
    );
    while (left.length > 0) {
      const failed: (typeof left[0] & { error: string })[] = [];
      for (const { name, sql } of left) {
        const [error] = await this.server.executeEach(`use ${quote(name)};\n${sql}`);
        if (error !== undefined) failed.push({ name, sql, error });
      }
      if (failed.length === left.length) {
        throw new RunFailedError(
          `Every database is restored, but ${failed.length} views that name another one can't be made: ${
            failed[0]!.error
          }`,
        );
      }
      left = failed;
    }
  }

  async discard(programs: ProgramContext): Promise<void> {
    await this.server.discard(programs, "The next restore");
  }

  async #inspectExisting(name: string, inspection: Inspection): Promise<void> {
    const schema = await this.server.find(name);
    if (schema === null) return;
    const contents = await findContents(this.server.connection, this.server.client, name);
    this.#existing.set(name, { ...schema, contents });
    if (!isOccupied(contents)) return;
    if (!this.target.overwrite) return inspection.report([occupied(name)]);
    const referrers = await findReferrers(this.server.connection, this.server.client, name);
    if (referrers.length > 0) {
      throw new RunFailedError(
        `foreign keys of other databases lead into ${name}, which can't be replaced under them: ${
          referrers.join(", ")
        }. Drop those keys, or choose another database_name.`,
      );
    }
  }

  /**
   * Returns the character set, collation and comment for the new database. Normally they come from the
   * backup. But if an empty database with this name exists, they come from that database, because the person
   * who created it chose them.
   */
  #charset(name: string, original: string): Charset | undefined {
    const existing = this.#existing.get(name);
    return existing !== undefined && !isOccupied(existing.contents)
      ? existing
      : this.server.charsetOf(original) ?? existing;
  }

  async #swap(name: string, original: string, charset: Charset | undefined): Promise<void> {
    const { fresh } = temporaryNames(name);
    const existing = this.#existing.get(name);
    await this.server.execute(`alter database ${quote(fresh)}${charsetClause(this.#made.get(name))}`);
    const made = await findContents(this.server.connection, this.server.client, fresh);
    const definitions = await this.definitions.read(fresh, made.views);
    const renamed = this.#forFinalName(name, original, definitions);
    const news = withEnabled(renamed, this.#eventsToEnable(name, original, made, renamed));
    const defaults = await findSequenceDefaults(this.server.connection, this.server.client, fresh);
    // Drop the temporary database's events. Otherwise they would run in addition to the events of the final
    // database. Drop its triggers, because a table with triggers cannot be moved.
    await this.server.execute(dropEvents(fresh, made) + dropTriggers(fresh, made));
    const before = existing && await findContents(this.server.connection, this.server.client, name);
    // Loading takes time, so a database that was empty at the start may have contents by now.
    if (before !== undefined && isOccupied(before) && !this.target.overwrite) {
      throw new ObstacleError(occupied(name));
    }
    const definitionsBefore = before && await this.definitions.readValid(name, before.views);
    if (before !== undefined) await this.#refuseUndroppable(name, before, definitionsBefore!);
    const old = before && {
      characterSet: existing!.characterSet,
      collation: existing!.collation,
      comment: existing!.comment,
      tables: before.tables,
      triggers: before.triggers,
      definitions: definitionsBefore!,
    };
    await new MysqlSwap(this.server, {
      name,
      old: old ?? null,
      tables: made.tables,
      definitions: moveDefaults(name, fresh, defaults) + news,
      charset,
    }).execute();
  }

  /**
   * Rejects if the login is allowed to drop the existing objects but not to create them again. They must be
   * created again if the swap fails.
   */
  async #refuseUndroppable(name: string, before: Contents, definitions: string): Promise<void> {
    const { connection, client, version } = this.server;
    const rights = await MysqlRights.read(connection, client, version);
    if (rights === null) return;
    const grants = [rights.grantFor(privilegesFor(before), name), rights.definersGrant(definitions)];
    const lacking = grants.filter((grant) => grant !== null);
    if (lacking.length === 0) return;
    throw new RunFailedError(
      `${connection.username} could not put back what is in ${name}, should this fail. Let it: ${
        lacking.join("; ")
      }.`,
    );
  }

  /**
   * Returns the temporary database's definitions, changed for use in the final database. If a qualified name
   * contains the temporary or the original database's name, this name is replaced by the final name.
   */
  #forFinalName(name: string, original: string, definitions: string): string {
    const { fresh } = temporaryNames(name);
    const renamedFresh = renameDatabase(definitions, {
      from: fresh,
      to: name,
      isPlain: this.#keepsName(name, original),
    })
      // The dump adds ALTER DATABASE around routines whose collation differs from the database's.
      .replaceAll(`ALTER DATABASE ${quote(fresh)}`, `ALTER DATABASE ${quote(name)}`);
    if (this.#keepsName(name, original)) return renamedFresh;
    const renamed = renameDatabase(renamedFresh, { from: original, to: name });
    if (namesDatabase(original, renamed)) {
      this.ports.output.warning(
        `Definitions in ${name} name ${original} in a way that can't be distinguished from other names: they may still read ` +
          `or change ${original}. Look at them, or restore under the old name on another server.`,
      );
    }
    return renamed;
  }

  /**
   * Returns the events to enable. Normally these are the events that were enabled when the backup was made.
   * Returns none if the restored database has another name and its definitions still name the original
   * database. Its events might then change the original database.
   */
  #eventsToEnable(name: string, original: string, { events }: Contents, definitions: string): string[] {
    const enabled = new Set(this.#rewriters.get(name)!.enabledEvents);
    const found = events.filter((event) => enabled.has(event));
    if (this.#keepsName(name, original) || found.length === 0 || !namesDatabase(original, definitions)) {
      return found;
    }
    this.ports.output.warning(
      `Events in ${name} are left disabled, as they might change ${original} from there. ` +
        `Look at them, then enable each: alter event ${quote(name)}.${quote(found[0]!)} enable`,
    );
    return [];
  }
}

/** Returns the privileges that a login needs to drop these objects and create them again. */
function privilegesFor({ triggers, views, events, routines }: Contents): string[] {
  return [
    ...triggers.length > 0 ? ["TRIGGER"] : [],
    ...views.length > 0 ? ["CREATE VIEW", "DROP"] : [],
    ...events.length > 0 ? ["EVENT"] : [],
    ...routines.length > 0 ? ["CREATE ROUTINE", "ALTER ROUTINE"] : [],
  ];
}

function isOccupied({ tables, views, events, routines }: Contents): boolean {
  return tables.length + views.length + events.length + routines.length > 0;
}
