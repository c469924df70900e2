import type { DatabaseSource, DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import { previewDatabases, restoreDatabases } from "../database/databases.ts";
import { drillDatabases } from "../database/drill.ts";
import { checkClosing } from "../database/dump_messages.ts";
import type { ServerDetection, SourceType } from "../source_type.ts";
import { listPostgresql } from "./databases.ts";
import { findLockWait } from "./lock_waits.ts";
import { checkCustom, CLOSING, preparePostgresql } from "./postgresql.ts";
import { openPostgresql } from "./restore.ts";
import { openPostgresqlScratch } from "./scratch.ts";

/** Directories of the server's socket in Linux distributions. */
const SOCKET_DIRECTORIES = ["/var/run/postgresql", "/tmp"];

export const postgresql: SourceType<DatabaseSource, DatabaseTarget> & { detection: ServerDetection } = {
  prepare: preparePostgresql,
  formats: {
    dump: { checkHead: checkCustom },
    sql: { checkEnd: (label, { tail }) => checkClosing(label, tail, CLOSING) },
  },
  programs: ["pg_dump"],
  restore: (target, context) =>
    restoreDatabases(
      target,
      (programs) => openPostgresql(target, programs, context),
      context,
      {
        what: "Roles and tablespaces",
        command: "psql --no-psqlrc --dbname=postgres",
      },
    ),
  preview: (target, context, inspection) =>
    previewDatabases(target, (programs) => openPostgresql(target, programs, context), context, inspection),
  drill: (target, context) =>
    drillDatabases(
      target!,
      (programs) => openPostgresqlScratch(target!, programs, context.job.backup),
      context,
    ),
  findLockWait,
  listDatabases: listPostgresql,
  detection: {
    defaultPort: 5432,
    sockets: (host, port) =>
      (host === null ? SOCKET_DIRECTORIES : [host]).flatMap((each) => socketsIn(each, port)),
    /**
     * The message SSLRequest. A server answers it with `S` or `N`:
     * https://www.postgresql.org/docs/current/protocol-message-formats.html
     */
    hello: new Uint8Array([0, 0, 0, 8, 4, 210, 22, 47]),
    isAnswer: ([first]) => first === "S".charCodeAt(0) || first === "N".charCodeAt(0),
    isProgram: (name) => /^(pg_|psql)/.test(name),
  },
};

function socketsIn(directory: string, port: number | null): string[] {
  const pattern = port === null ? /^\.s\.PGSQL\.\d+$/ : new RegExp(`^\\.s\\.PGSQL\\.${port}$`);
  try {
    return [...Deno.readDirSync(directory)].filter(({ name }) => pattern.test(name))
      .map(({ name }) => `${directory}/${name}`);
  } catch {
    // The path is missing, is not a directory, or cannot be read by the agent. The agent could not use
    // sockets in the directory either.
    return [];
  }
}
