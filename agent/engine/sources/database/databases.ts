/**
 * Restores databases from dumps. Each dump is verified and loaded into a temporary database. The originals
 * stay unchanged until all dumps are loaded. Then the temporary databases replace them.
 */
import type { DatabaseTarget } from "../../../../src/definitions/sources/database_server.ts";
import type { PreviewedTarget } from "../../../../src/protocol/restore_preview.ts";
import { Children } from "../../programs/children.ts";
import { oneLine } from "../../programs/line.ts";
import { type ArchiveContents, storedContents } from "../../manifest/manifest_contents.ts";
import { RunFailedError } from "../../ports.ts";
import {
  type CollectedObstacles,
  type PreviewedRestore,
  refusing,
  UNKNOWN_AMOUNTS,
} from "../../obstacles.ts";
import type { PreviewContext, RestoreContext, RestoreResult } from "../../restore_context.ts";
import type { ProgramContext } from "../../run_context.ts";
import { userToRunAs } from "../../programs/find_user.ts";
import { requireTools } from "../../programs/tools.ts";
import { isOwnName } from "./scratch_names.ts";
import { feedUnpacked } from "../../archive/feed.ts";
import { LoadMessages } from "./load_messages.ts";
import { type DatabaseHost, type DatabaseToRestore, type LoadContext, type Loader } from "./database_host.ts";

/** Databases that a restore loads, and the system user that loads them. */
export type DatabaseSelection = Pick<DatabaseTarget, "names" | "database_name" | "run_as">;

/** Objects outside of any database, such as accounts. A restore does not change them. */
interface Globals {
  readonly what: string;
  /** Command with which a user can restore the objects outside of databases. */
  readonly command: string;
}

/**
 * Restores the selected databases.
 *
 * @param globals Undefined if this type of server has no objects outside of databases.
 */
export async function restoreDatabases(
  target: DatabaseSelection,
  open: OpenHost,
  context: RestoreContext,
  globals?: Globals,
): Promise<RestoreResult> {
  const { ports } = context;
  const { wanted, host, programs } = await planDatabases(target, open, context, await contentsOf(context));
  await host.inspect(wanted, refusing);
  if (globals !== undefined) reportGlobals(globals, context);
  await using last = new Children(ports.clock, new AbortController().signal);
  const uncancelled = { ...programs, children: last };
  try {
    await verifyArchives(wanted, context);
    for (const each of wanted) {
      const as = each.name === each.original ? "" : ` as ${each.name}`;
      ports.output.line(`Loading database ${each.original}${as}`);
      await load(each, await host.create(each), context);
    }
    ports.signal.throwIfAborted();
    ports.output.line("Everything is loaded and verified. Putting it into place");
    await host.publish(wanted, uncancelled);
    for (const { name } of wanted) ports.output.line(`Database ${name} is restored`);
  } finally {
    await host.discard(uncancelled);
  }
  const requested = { ...UNKNOWN_AMOUNTS, ...amountsOf(wanted) };
  return {
    filesCount: null,
    requested,
    written: { ...UNKNOWN_AMOUNTS, databases_count: wanted.length },
    skippedCount: 0,
    targets: wanted.map(({ name }) => name),
  };
}

/** Makes the checks of {@link restoreDatabases}, and returns which databases would be restored. */
export async function previewDatabases(
  target: DatabaseSelection,
  open: OpenHost,
  context: PreviewContext,
  inspection: CollectedObstacles,
): Promise<PreviewedRestore> {
  let plan: DatabasePlan | null = null;
  let states: (PreviewedTarget["state"])[] = [];
  try {
    const contents: ArchiveContents = context.isElsewhere ? new Map() : await contentsOf(context);
    plan = await planDatabases(target, open, context, contents);
    states = await plan.host.inspect(plan.wanted, inspection);
  } catch (error) {
    context.ports.signal.throwIfAborted();
    inspection.end(error);
  }
  const wanted = plan?.wanted ?? [];
  return {
    targets: wanted.map(({ name, original }, index) => ({
      source: original,
      path: name.startsWith("/") ? name : null,
      database_name: name,
      state: states[index] ?? null,
    })),
    server: plan?.host.description ?? null,
    requested: { ...UNKNOWN_AMOUNTS, ...(plan === null ? {} : amountsOf(wanted)) },
    freeBytes: null,
  };
}

type OpenHost = (programs: ProgramContext) => DatabaseHost | Promise<DatabaseHost>;

interface DatabasePlan {
  readonly wanted: readonly DatabaseToRestore[];
  readonly host: DatabaseHost;
  readonly programs: ProgramContext;
}

async function planDatabases(
  target: DatabaseSelection,
  open: OpenHost,
  context: RestoreContext,
  contents: ArchiveContents,
): Promise<DatabasePlan> {
  const { children, ports } = context;
  const wanted = chooseDatabases(target, context, contents);
  await requireTools(children, ["zstd"]);
  const user = await userToRunAs(children, target.run_as);
  const programs = { job: { run_as: target.run_as }, ports, children, user };
  return { wanted, host: await open(programs), programs };
}

/**
 * Returns the number of databases and the number of their rows. If not all rows were counted, the number of
 * rows is null.
 */
function amountsOf(wanted: readonly DatabaseToRestore[]) {
  const rows = wanted.map(({ contents }) =>
    contents?.tables?.reduce<number | null>(
      (sum, table) => sum === null || table.rows === null ? null : sum + table.rows,
      0,
    ) ?? null
  );
  return {
    databases_count: wanted.length,
    rows_count: rows.includes(null) ? null : rows.reduce<number>((sum, count) => sum + count!, 0),
  };
}

function chooseDatabases(
  { names, database_name }: DatabaseSelection,
  context: RestoreContext,
  contents: ArchiveContents,
): DatabaseToRestore[] {
  const all = context.objects.archives().filter(({ database }) => database !== null);
  const isMeant = (database: string) => names === null ? !isOwnName(database) : names.includes(database);
  const chosen = all.filter(({ database }) => isMeant(database!));
  const made = names !== null ? [] : all.filter(({ database }) => isOwnName(database!));
  if (made.length > 0) {
    context.ports.output.line(
      `Left out, as Rearguard made it for a restore or a drill: ${
        made.map(({ database }) => database).join(", ")
      }. ` +
        "To restore it all the same, name it in databases",
    );
  }
  const missing = (names ?? []).filter((name) => !all.some(({ database }) => database === name));
  if (missing.length > 0) throw new RunFailedError(`it holds no database ${missing.join(", ")}`);
  if (chosen.length === 0) throw new RunFailedError("it holds no database");
  if (database_name !== null && chosen.length > 1) {
    throw new RunFailedError(`it holds ${chosen.length} databases, which can't all become ${database_name}`);
  }
  return chosen.map((archive) => ({
    archive,
    original: archive.database!,
    name: database_name ?? archive.database!,
    contents: contents.get(archive.name) ?? null,
  }));
}

/**
 * Reads the databases' contents from the manifest. If the manifest is unreadable, warns and returns no
 * contents. The databases are then restored without their properties.
 */
async function contentsOf({ job, objects, children, ports }: RestoreContext): Promise<ArchiveContents> {
  try {
    return (await storedContents(job.backup, objects, children)).contents;
  } catch (error) {
    ports.signal.throwIfAborted();
    ports.output.warning(
      `The manifest can't be read, so properties of the databases are not restored: ${
        oneLine((error as Error).message)
      }`,
    );
    return new Map();
  }
}

/**
 * Writes to the output how to restore roles and accounts. The restore itself does not change them, because
 * they belong to the whole server.
 */
function reportGlobals({ what, command }: Globals, { objects, ports }: RestoreContext): void {
  const globals = objects.archives().find(({ database }) => database === null);
  if (globals === undefined) return;
  const opening = objects.isSealed(globals)
    ? `age -d ${globals.name} | zstd -dc`
    : `zstd -dc ${globals.name}`;
  ports.output.line(
    `${what} are left as they are on the server. To restore them: ${opening} | ${command}`,
  );
}

/**
 * Verifies the archives that are not encrypted. A server executes the statements of a dump, so a dump must be
 * verified before it is loaded. Encrypted archives are not verified here: only someone with the key can
 * create one.
 */
export async function verifyArchives(
  wanted: readonly DatabaseToRestore[],
  { objects, ports, progress }: LoadContext,
): Promise<void> {
  const open = wanted.filter(({ archive }) => !objects.isSealed(archive));
  progress.total = [...open, ...wanted].reduce((sum, { archive }) => sum + archive.size, 0);
  for (const { archive } of open) {
    ports.output.line(`Checking ${archive.name}`);
    await objects.verify(archive);
  }
}

export async function load(
  wanted: DatabaseToRestore,
  loader: Loader,
  context: LoadContext,
): Promise<void> {
  const { command, rewrite } = loader;
  const messages = new LoadMessages(command.program, context.ports.output, loader.rules);
  const exit = await feedUnpacked(wanted.archive, command, messages.read, context, rewrite);
  messages.check(exit, `database ${wanted.original}`);
  await loader.finish?.();
}
