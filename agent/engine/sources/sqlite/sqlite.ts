/**
 * Backs up SQLite databases, even while programs write to them. First, SQLite's command `.backup` copies all
 * pages into a private file. It copies in a read transaction, so all pages are from the same moment. Then the
 * backup reads the private file. Writers might have to wait for the local copy, but never for the
 * destination. A copy of pages keeps what SQL text would lose. See docs/develop/adr/0005-sqlite-copy.md.
 */
import { statfs } from "node:fs/promises";
import type { SqliteSource } from "../../../../src/definitions/sources/sqlite.ts";
import { formatBytes } from "../../../../src/domain/byte_size.ts";
import type { Missing } from "../../../../src/protocol/job.ts";
import { RunFailedError, SourceFailedError } from "../../ports.ts";
import { requireTools } from "../../programs/tools.ts";
import { removeTree } from "../../remove_tree.ts";
import type { RunContext } from "../../run_context.ts";
import { DumpMessages } from "../database/dump_messages.ts";
import type { PreparedSource, SourcePart } from "../source.ts";
import { faultsOf, readContents } from "./contents.ts";
import { damaged, explain } from "./explain.ts";
import { findDatabases } from "./find.ts";
import { checkDatabaseFile, checkHeader } from "./header.ts";
import { infixes, scratchDirectory, scratchRoot } from "./names.ts";
import { argument, type Opening, query, requireSqlite, run, SqliteError } from "./program.ts";

/** Longest time that SQLite can wait for locks, in milliseconds: 24 days, longer than any run. */
const NO_LIMIT = 2_147_483_647;

interface Database {
  readonly path: string;
  readonly pageSize: number;
  readonly size: number;
}

export async function prepareSqlite(source: SqliteSource, context: RunContext): Promise<PreparedSource> {
  const { children, ports } = context;
  const sqlite3 = await requireSqlite(children);
  const tools = await requireTools(children, ["pzstd", "zstd"]);
  const { paths, missing, notes } = await findDatabases(source.names);
  for (const note of notes) ports.output.line(note);
  const databases: Database[] = [];
  for (const path of paths) {
    try {
      databases.push(await inspect(path, context));
    } catch (error) {
      ports.signal.throwIfAborted();
      if (!(error instanceof RunFailedError)) throw error;
      missing.push({ name: path, reason: error.message });
    }
  }
  if (databases.length === 0) throw new RunFailedError(missing.map(({ reason }) => reason).join("; "));
  const names = infixes(databases.map(({ path }) => path));
  return {
    engine: "sqlite3",
    tools: { sqlite3, ...tools },
    description: {
      type: "sqlite",
      databases: databases.map(({ path, pageSize }) => ({ name: path, page_size: pageSize })),
    },
    parts: databases.map((database, index) => databasePart(database, names[index]!, source, context)),
    missing: missing satisfies Missing[],
  };
}

async function inspect(path: string, context: RunContext): Promise<Database> {
  const { output } = context.ports;
  const lines = await reading(
    path,
    context,
    "pragma page_size;\npragma page_count;\nselect count(*) from sqlite_master;",
  );
  const [pageSize = 0, pages = 0] = lines.map(Number);
  const size = pageSize * pages;
  output.line(`SQLite: database ${path}, ${formatBytes(size)}`);
  return { path, pageSize, size };
}

/**
 * Runs a script on the live database and returns the lines that it prints. If the script fails, rejects with
 * a `SourceFailedError` that explains the reason.
 */
async function reading(path: string, context: RunContext, script: string): Promise<string[]> {
  const limit = Math.min(context.job.lock_wait_ms ?? NO_LIMIT, NO_LIMIT);
  const whole = `.timeout ${limit}\n${script}`;
  const opening = await openingOf(path);
  try {
    return await query(context, opening, whole).catch((error) => {
      // A program died during a write, and its transaction must be rolled back. Opening the database for
      // writing rolls the transaction back.
      if (!(error instanceof SqliteError) || !/readonly|unable to open/.test(error.message)) throw error;
      return query(context, { path, as: "write" }, whole);
    });
  } catch (error) {
    context.ports.signal.throwIfAborted();
    if (!(error instanceof SqliteError)) throw error;
    const reason = await explain(error.message, path, limit);
    throw new SourceFailedError(`Cannot back up database ${path}: ${reason}.`);
  }
}

/**
 * Returns how to open a live database. Normally it is opened for reading. A database is opened for writing if
 * it uses a write-ahead log and no program has it open. Opening such a database creates files next to it.
 * Only a connection that is allowed to write removes these files.
 */
async function openingOf(path: string): Promise<Opening> {
  const real = await Deno.realPath(path).catch(() => path);
  const isOpen = await Deno.lstat(`${real}-wal`).then(() => true, () => false);
  return { path, as: !isOpen && await hasWriteAheadLog(real) ? "write" : "read" };
}

/**
 * Whether the database uses a write-ahead log, by the write version in its header:
 * https://www.sqlite.org/fileformat.html
 */
async function hasWriteAheadLog(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const header = new Uint8Array(20);
  return await file.read(header) === header.length && header[18] === 2;
}

function databasePart(
  { path, size }: Database,
  infix: string,
  { names }: SqliteSource,
  context: RunContext,
): SourcePart {
  const label = `database ${path}`;
  const messages = new DumpMessages("cat", context.ports.output);
  const directory = scratchDirectory();
  const copy = `${directory}/copy`;
  let copied = 0;
  let head = new Uint8Array();
  return {
    label,
    database: path,
    infix,
    extension: ".sqlite",
    async begin() {
      const removal = { [Symbol.asyncDispose]: () => removeTree(directory, context.ports.clock) };
      try {
        copied = await copyDatabase(path, size, directory, context);
        return removal;
      } catch (error) {
        await removal[Symbol.asyncDispose]();
        throw error;
      }
    },
    command: { program: "cat", args: ["--", copy], user: context.user },
    streamDescriptor: 1,
    index: null,
    async count() {
      const contents = await readContents(context, copy);
      return { args: [], end: () => Promise.resolve(contents) };
    },
    isGone: async () => !names.includes(path) && await Deno.lstat(path).then(() => false, () => true),
    restore: "cat > DATABASE",
    message: (line) => messages.read(line),
    checkExit: (exit) => messages.check(exit, label),
    checkHead: (bytes) => {
      checkHeader(label, bytes);
      head = bytes.slice(0, 100);
    },
    checkEnd: (end) => {
      checkDatabaseFile(label, end.size, head);
      if (end.size !== copied) {
        throw new RunFailedError(`Cannot trust the copy of ${label}: it changed meanwhile`);
      }
    },
  };
}

/**
 * Copies a database into a private directory and checks the copy. Resolves with the copy's size in bytes.
 * Rejects if the free space is smaller than the database.
 *
 * @param size Size of the database in bytes.
 */
async function copyDatabase(
  path: string,
  size: number,
  directory: string,
  context: RunContext,
): Promise<number> {
  const { ports } = context;
  await checkRoom(path, size);
  await ports.scratch(directory);
  await run(context, "mkdir", ["-m", "0700", "--", directory]);
  const copy = `${directory}/copy`;
  const started = ports.clock.monotonic();
  // In a read transaction, the copy shows one moment. Without the transaction, each write by another program
  // would restart the copy.
  await reading(
    path,
    context,
    `begin;\nselect count(*) from sqlite_master;\n.backup ${argument(copy)}\ncommit;`,
  );
  const seconds = ((ports.clock.monotonic() - started) / 1000).toFixed(1);
  const copied = (await Deno.stat(copy)).size;
  ports.output.line(`Copied ${path}: ${formatBytes(copied)} in ${seconds} s`);
  const { faults, notes } = await faultsOf(context, copy, "quick_check");
  if (faults.length > 0) {
    throw new SourceFailedError(`Cannot back up database ${path}: ${damaged(faults.join("; "))}.`);
  }
  for (const note of notes) ports.output.line(`In ${path}: ${note}`);
  return copied;
}

async function checkRoom(path: string, size: number): Promise<void> {
  const root = scratchRoot();
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  if (free >= size) return;
  throw new SourceFailedError(
    `Cannot copy database ${path}: ${root} has no room for it, as it takes ${formatBytes(size)} and ${
      formatBytes(free)
    } are free. Free some, or set TMPDIR of the agent's service to a directory that has room.`,
  );
}
