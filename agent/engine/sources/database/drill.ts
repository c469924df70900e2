/**
 * Performs drills of databases. Each database is loaded into a scratch database on the same server, and
 * compared with the contents that the backup recorded. The scratch database is dropped before the next
 * database is loaded. The originals stay unchanged. The server needs free space for the largest database.
 */
import type { DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import { MAX_PROVEN_DATABASES, type ProvenDatabase } from "../../../../src/protocol/job.ts";
import { Children } from "../../programs/children.ts";
import { compareContents, uncompared } from "./compare_contents.ts";
import type { DrillContext, Drilled } from "../../drill_context.ts";
import { type ArchiveContents, storedContents } from "../../manifest/manifest_contents.ts";
import { BackupDamagedError, type Output, RunFailedError } from "../../ports.ts";
import { formatSeconds } from "../../jobs/progress.ts";
import type { ProgramContext } from "../../run_context.ts";
import { type DatabaseContents, describeContents } from "./row_counts.ts";
import { userToRunAs } from "../../programs/find_user.ts";
import { isOwnName } from "./scratch_names.ts";
import { load, verifyArchives } from "./databases.ts";
import type { DatabaseToRestore } from "./database_host.ts";
import { checkDatabaseRoom, type ScratchHost } from "./scratch.ts";
import { requireTools } from "../../programs/tools.ts";

export async function drillDatabases(
  { run_as }: Pick<DatabaseTarget, "run_as">,
  open: (programs: ProgramContext) => ScratchHost | Promise<ScratchHost>,
  context: DrillContext,
): Promise<Drilled> {
  const { children, job, ports } = context;
  await requireTools(children, ["zstd"]);
  const user = await userToRunAs(children, run_as);
  const programs = { job: { run_as }, ports, children, user };
  const host = await open(programs);
  const stored = await storedContents(job.backup, context.objects, children);
  const wanted = chooseDatabases(host, context, stored.contents);
  await using last = new Children(ports.clock, new AbortController().signal);
  const unbroken = { ...programs, children: last };
  const databases: ProvenDatabase[] = [];
  let restore_ms = 0;
  try {
    await host.prepare(wanted);
    restore_ms += await timed(context, () => verifyArchives(wanted, context));
    for (const each of wanted) {
      await checkDatabaseRoom(host, each, stored.sizes.get(each.archive.name) ?? 0, programs);
      const { took, proven } = await drillOne(each, host, context);
      restore_ms += took;
      databases.push(proven);
      await dropScratch(host, unbroken);
    }
  } finally {
    await host.discard(unbroken);
  }
  ports.output.line(`Restored in ${formatSeconds(Math.ceil(restore_ms / 1000))}, and dropped again`);
  return { files_count: null, databases: databases.slice(0, MAX_PROVEN_DATABASES), restore_ms };
}

/**
 * Restores and compares one database. Resolves with the restore's duration in milliseconds, and with what
 * was compared. Rejects if the contents differ.
 */
async function drillOne(
  wanted: DatabaseToRestore,
  host: ScratchHost,
  context: DrillContext,
): Promise<{ took: number; proven: ProvenDatabase }> {
  const { output } = context.ports;
  const expected = wanted.contents;
  output.line(`Loading database ${wanted.original} into ${wanted.name}`);
  const took = await timed(context, async () => load(wanted, await host.create(wanted), context));
  const found = await host.contents(wanted, expected);
  const difference = expected === null ? null : compareContents(expected, found);
  if (difference !== null) {
    const damage = `database ${wanted.original} differs from the original: ${difference}`;
    throw new BackupDamagedError(damage, damage);
  }
  printComparison(wanted.original, expected, found, output);
  return { took, proven: provenDatabase(wanted.original, expected, found) };
}

/** Returns the numbers of tables and rows that were compared in a database. */
function provenDatabase(
  name: string,
  expected: DatabaseContents | null,
  found: DatabaseContents,
): ProvenDatabase {
  const tables = expected?.tables;
  const isCounted = tables !== undefined && (tables.length === 0 || tables.some(({ rows }) => rows !== null));
  return {
    name,
    tables_count: (tables ?? found.tables ?? []).length,
    rows_count: isCounted ? tables.reduce((sum, { rows }) => sum + (rows ?? 0), 0) : null,
  };
}

function printComparison(
  database: string,
  expected: DatabaseContents | null,
  found: DatabaseContents,
  output: Output,
): void {
  if (expected?.tables === undefined) {
    const proven = expected?.objects === undefined
      ? "all of it loads, no more"
      : "all of it loads, and what it names is there";
    output.line(
      `Database ${database} came back with ${
        found.tables?.length ?? 0
      } tables. Its backup does not record how many rows ` +
        `they had, so it is proven that ${proven}`,
    );
  } else output.line(`Database ${database} came back as it was: ${describeContents(expected)}`);
  if (expected === null) return;
  const notCompared = uncompared(expected, found);
  if (notCompared.length > 0) output.line(`Not compared: ${notCompared.join(", ")}`);
  const uncounted = (expected.tables ?? []).filter(({ rows }) => rows === null).length;
  if (uncounted > 0) output.line(`Of ${uncounted} of these tables the rows were not counted in the backup`);
}

/**
 * Drops the scratch database. Rejects if it can't be dropped, because the next scratch database needs the
 * space.
 */
async function dropScratch(host: ScratchHost, programs: ProgramContext): Promise<void> {
  if (await host.discard(programs)) return;
  throw new RunFailedError("its scratch database could not be dropped. See the warning above");
}

function chooseDatabases(
  host: ScratchHost,
  { objects, ports }: DrillContext,
  contents: ArchiveContents,
): DatabaseToRestore[] {
  const all = objects.archives().filter(({ database }) => database !== null);
  const made = all.filter(({ database }) => isOwnName(database!)).map(({ database }) => database!);
  if (made.length > 0) {
    ports.output.line(`Left out, as Rearguard made it for a restore or a drill: ${made.join(", ")}`);
  }
  const held = all.filter(({ database }) => !made.includes(database!));
  const own = held.filter(({ database }) => host.isSystemDatabase(database!)).map(({ database }) =>
    database!
  );
  if (own.length > 0) ports.output.line(`Left out, as a restore refuses the server's own: ${own.join(", ")}`);
  const wanted = held.filter(({ database }) => !own.includes(database!));
  if (wanted.length === 0) throw new RunFailedError("it holds no database that can be restored");
  return wanted.map((archive) => ({
    archive,
    original: archive.database!,
    name: host.scratchName(archive.database!),
    contents: contents.get(archive.name) ?? null,
  }));
}

async function timed({ ports }: DrillContext, work: () => Promise<void>): Promise<number> {
  const started = ports.clock.monotonic();
  await work();
  return Math.round(ports.clock.monotonic() - started);
}
