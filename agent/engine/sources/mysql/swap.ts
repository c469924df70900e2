/**
 * Replaces a MySQL database with its temporary database, step by step. The agent might be killed between any
 * two steps. So a plan is stored in the temporary database before the first step. The plan contains all that
 * is needed to finish or undo the swap.
 */
import * as z from "zod";
import { RunFailedError } from "../../ports.ts";
import { fromHex } from "./connection.ts";
import { temporaryNames } from "../database/scratch_names.ts";
import { charsetClause, LOCK_WAIT_LIMIT, type MysqlFresh } from "./fresh.ts";
import { dropRest, dropTriggers, findContents, hasTable, type Move, moveTables, quote, SWAP } from "./sql.ts";

const Charset = z.object({
  characterSet: z.string(),
  collation: z.string(),
  comment: z.string().optional(),
});

/** Plan of a swap. The SQL definitions in the plan name no database other than the final one. */
const Plan = z.object({
  /** Name of the final database. */
  name: z.string(),
  /** Properties and objects of the existing database that is replaced; null if there is none. */
  old: Charset.extend({ tables: z.array(z.string()), triggers: z.array(z.string()), definitions: z.string() })
    .nullable(),
  tables: z.array(z.string()),
  definitions: z.string(),
  /** Properties for the final database; undefined to keep the existing ones. */
  charset: Charset.optional(),
});
export type SwapPlan = z.infer<typeof Plan>;

/** Maximum size of a piece of a plan, in bytes. A plan is stored in pieces, with one statement for each. */
const PIECE_BYTES = 256 * 1024;

export class MysqlSwap {
  constructor(private readonly server: MysqlFresh, private readonly plan: SwapPlan) {}

  /** Returns the swap that a killed agent began for this database; null if there is none. */
  static async interrupted(server: MysqlFresh, name: string): Promise<MysqlSwap | null> {
    const { connection, client } = server;
    const { fresh } = temporaryNames(name);
    if (!await hasTable(connection, client, fresh, SWAP)) return null;
    await server.refuseInUse(fresh);
    const pieces = await connection.query(client, `select hex(body) from ${planTable(name)} order by part`);
    // The agent was killed before the plan was stored. So the swap had not begun.
    if (pieces.length === 0) return null;
    return new MysqlSwap(server, Plan.parse(JSON.parse(fromHex(pieces.map(([piece]) => piece).join("")))));
  }

  /**
   * Executes the swap. If the swap fails, puts the original database back and rejects. If putting it back
   * fails too, the error says so.
   */
  async execute(): Promise<void> {
    const { name, old, charset } = this.plan;
    await this.#write();
    if (old !== null) await this.server.make(temporaryNames(name).replaced, charsetClause(old));
    else await this.server.execute(`create database ${quote(name)}${charsetClause(charset)}`);
    try {
      // A table with triggers cannot be moved.
      if (old !== null) await this.server.execute(dropTriggers(name, old));
      await this.server.execute(LOCK_WAIT_LIMIT + moveTables(this.#moves()));
      await this.#complete();
    } catch (error) {
      await this.#undo(error);
      throw error;
    }
    await this.#forget();
  }

  /**
   * Finishes an interrupted swap if its tables have moved. If its tables have not moved, restores the
   * original database.
   */
  async resume(report: (line: string) => void): Promise<void> {
    const { name, old } = this.plan;
    const what = `An agent was killed while it put database ${name} into its place.`;
    try {
      if (await this.#haveMoved()) {
        report(`${what} Finishing that first`);
        await this.#complete();
      } else if (old !== null) {
        report(`${what} Putting back first what was there`);
        // Objects that users created since the interruption are kept.
        await this.#restoreOld();
      }
    } catch (error) {
      const { fresh, replaced } = temporaryNames(name);
      throw new RunFailedError(
        `${what} It could neither be finished nor undone: ${
          (error as Error).message
        } Correct the reason and restore again, or drop ` +
          `${fresh} to leave ${name} as it is; its old tables may be in ${replaced}.`,
        { cause: error },
      );
    }
    await this.#forget();
  }

  /**
   * Drops the old views, events, routines and triggers, and creates the new ones. Runs after the tables have
   * moved. Can be run again after an interruption.
   */
  async #complete(): Promise<void> {
    const { name, charset, definitions } = this.plan;
    const now = await findContents(this.server.connection, this.server.client, name);
    await this.server.execute(dropTriggers(name, now) + dropRest(name, now));
    // The collation is set first, because each definition keeps the collation that the database has when the
    // definition is created.
    if (charset !== undefined) {
      await this.server.execute(`alter database ${quote(name)}${charsetClause(charset)}`);
    }
    await this.server.execute(`use ${quote(name)};\n${definitions}`);
  }

  async #undo(reason: unknown): Promise<void> {
    const { name, old } = this.plan;
    try {
      // If the connection broke, it is unknown whether the last statement was executed.
      const now = await findContents(this.server.connection, this.server.client, name);
      const haveMoved = await this.#haveMoved();
      // Drops triggers first, because a table with triggers cannot be moved. Then moves the tables back,
      // before restoring anything else.
      const kept = haveMoved ? await this.server.executeEach(dropTriggers(name, now)) : [];
      if (haveMoved) {
        const back = this.#moves().map(({ from, to, tables }) => ({ from: to, to: from, tables })).reverse();
        await this.server.execute(LOCK_WAIT_LIMIT + moveTables(back));
      }
      kept.push(
        ...await this.server.executeEach((haveMoved ? "" : dropTriggers(name, now)) + dropRest(name, now)),
      );
      if (old === null) await this.server.execute(`drop database if exists ${quote(name)}`);
      else await this.#restoreOld();
      if (old !== null && kept.length > 0) throw new RunFailedError(kept.join(" "));
      await this.#forget();
    } catch (error) {
      const { fresh, replaced } = temporaryNames(name);
      for (const kept of [fresh, replaced]) this.server.unfinished.delete(kept);
      throw new RunFailedError(
        `${(reason as Error).message} Database ${name} could not be put back as it was: ${
          (error as Error).message
        } Its tables may be in ${replaced}. The next restore into ${name} tries again.`,
        { cause: reason },
      );
    }
  }

  async #restoreOld(): Promise<void> {
    const { name, old } = this.plan;
    await this.server.execute(
      `${dropTriggers(name, old!)}alter database ${quote(name)}${charsetClause(old!)};\nuse ${
        quote(name)
      };\n${old!.definitions}`,
    );
  }

  /** Whether the tables have moved. One statement moves all of them, so either all have moved or none. */
  async #haveMoved(): Promise<boolean> {
    const { connection, client } = this.server;
    const { fresh, replaced } = temporaryNames(this.plan.name);
    const holdsTables = async (name: string) =>
      (await findContents(connection, client, name)).tables.length > 0;
    if ((this.plan.old?.tables.length ?? 0) > 0) return await holdsTables(replaced);
    return this.plan.tables.length > 0 && !await holdsTables(fresh);
  }

  /** Returns two moves: first the original tables out of the final database, then the new tables into it. */
  #moves(): Move[] {
    const { name, old, tables } = this.plan;
    const { fresh, replaced } = temporaryNames(name);
    return [{ from: name, to: replaced, tables: old?.tables ?? [] }, { from: fresh, to: name, tables }];
  }

  async #write(): Promise<void> {
    const record = planTable(this.plan.name);
    const bytes = new TextEncoder().encode(JSON.stringify(this.plan));
    const inserts = [];
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES).toHex();
      inserts.push(`insert into ${record} values (${inserts.length}, x'${piece}');\n`);
    }
    await this.server.execute(
      `create table ${record} (part int primary key, body longblob) engine=innodb;\n` +
        `start transaction;\n${inserts.join("")}commit`,
    );
  }

  async #forget(): Promise<void> {
    await this.server.execute(`drop table if exists ${planTable(this.plan.name)}`);
  }
}

function planTable(name: string): string {
  return `${quote(temporaryNames(name).fresh)}.${quote(SWAP)}`;
}
