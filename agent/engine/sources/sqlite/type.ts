import type { SqliteSource, SqliteTarget } from "../../../../src/definitions/sources/sqlite.ts";
import { previewDatabases, restoreDatabases } from "../database/databases.ts";
import { drillDatabases } from "../database/drill.ts";
import type { SourceType } from "../source_type.ts";
import { checkDatabaseFile, checkHeader } from "./header.ts";
import { findLockHolders } from "./holders.ts";
import { SqliteHost } from "./restore.ts";
import { SqliteScratch } from "./scratch.ts";
import { prepareSqlite } from "./sqlite.ts";

export const sqlite: SourceType<SqliteSource, SqliteTarget> = {
  prepare: prepareSqlite,
  formats: {
    sqlite: {
      checkHead: checkHeader,
      checkEnd: (label, { size }, head) => checkDatabaseFile(label, size, head),
    },
  },
  programs: ["sqlite3"],
  restore: (target, context) =>
    restoreDatabases(target, (programs) => new SqliteHost(target, programs), context),
  preview: (target, context, inspection) =>
    previewDatabases(target, (programs) => new SqliteHost(target, programs), context, inspection),
  drill: (target, context) => drillDatabases(target!, (programs) => new SqliteScratch(programs), context),
  async findLockWait(_spec, names) {
    const holders = await findLockHolders(names);
    return holders.length === 0 ? null : `It waits for a lock that is held by ${holders.join(", ")}.`;
  },
};
