import type { DatabaseSource, DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import { previewDatabases, restoreDatabases } from "../database/databases.ts";
import { drillDatabases } from "../database/drill.ts";
import { checkClosing } from "../database/dump_messages.ts";
import type { ServerDetection, SourceType } from "../source_type.ts";
import { mysqlSocket } from "./connection.ts";
import { listMysql } from "./server.ts";
import { findLockWait } from "./lock_waits.ts";
import { CLOSING, prepareMysql } from "./mysql.ts";
import { openMysql } from "./restore.ts";
import { openMysqlScratch } from "./scratch.ts";

/** Paths of the server's socket in Linux distributions. */
const SOCKETS = ["/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock"];
/**
 * Possible first bytes of a server's greeting: 10 is the protocol's version, 255 an error such as too many
 * connections.
 */
const GREETINGS = [10, 255];

export const mysql: SourceType<DatabaseSource, DatabaseTarget> & { detection: ServerDetection } = {
  prepare: prepareMysql,
  formats: { sql: { checkEnd: (label, { tail }) => checkClosing(label, tail, CLOSING) } },
  programs: ["mariadb-dump", "mysqldump"],
  restore: (target, context) =>
    restoreDatabases(
      target,
      (programs) => openMysql(target, programs, context),
      context,
      { what: "Accounts and grants", command: "mariadb --force mysql" },
    ),
  preview: (target, context, inspection) =>
    previewDatabases(target, (programs) => openMysql(target, programs, context), context, inspection),
  drill: (target, context) =>
    drillDatabases(target!, (programs) => openMysqlScratch(target!, programs, context.job.backup), context),
  findLockWait,
  listDatabases: listMysql,
  detection: {
    defaultPort: 3306,
    sockets: async (host) => host === null ? SOCKETS : [await mysqlSocket(host)],
    // A packet begins with three bytes for its length and one byte for its sequence number. The sequence
    // number of a greeting is 0.
    isAnswer: (bytes) => bytes[3] === 0 && GREETINGS.includes(bytes[4]!),
    isProgram: (name) => /^(mysql|mariadb)/.test(name),
  },
};
