/**
 * Finds the database sessions that block a run with their locks. Each source type has its own query for these
 * sessions.
 */
import type { Job, JobSource, RestoreTarget } from "../../../src/protocol/job.ts";
import type { RunPorts } from "../ports.ts";
import { Children } from "../programs/children.ts";
import { userToRunAs } from "../programs/find_user.ts";
import type { RunningProgram } from "../programs/program_activity.ts";
import { sourceTypeOf, typesByName } from "../sources/registry.ts";
import type { SourceType } from "../sources/source_type.ts";

/** Time limit of the queries, in milliseconds. A database server might hang. */
const QUERY_TIMEOUT = 15_000;

/** The source or the restore target that a run works with. */
interface Work {
  readonly spec: JobSource | RestoreTarget;
  readonly runAs: string | null;
  readonly names: readonly string[];
}

/** Returns the run's source or target; null if the job only reads a backup. */
function workOf(job: Job): Work | null {
  if (job.kind === "backup") {
    return { spec: job.source, runAs: job.run_as, names: "names" in job.source ? job.source.names : [] };
  }
  const target = job.kind === "verify" ? undefined : job.target;
  if (target === undefined) return null;
  const names = job.backup.objects.flatMap(({ database }) => database ?? []);
  return { spec: target, runAs: "run_as" in target ? target.run_as : null, names };
}

/**
 * Returns the source type of `spec`. If `spec` does not name a source type, returns the source type to which
 * one of the running programs belongs.
 */
function typeOf(spec: Work["spec"], programs: readonly RunningProgram[]): SourceType | undefined {
  return sourceTypeOf(spec) ??
    typesByName.values().find(({ detection }) => programs.some(({ name }) => detection?.isProgram(name)));
}

/**
 * Returns one line about the sessions that block the run; null if the run waits for no lock. Rejects if the
 * sessions cannot be queried.
 */
export async function findLockWait(
  job: Job,
  ports: RunPorts,
  programs: readonly RunningProgram[],
): Promise<string | null> {
  const work = workOf(job);
  const type = work === null ? undefined : typeOf(work.spec, programs);
  if (work === null || type?.findLockWait === undefined) return null;
  const { runAs } = work;
  const workDirectory = await Deno.makeTempDir({ dir: ports.workDirectory });
  // Use a separate signal and separate programs, so that the queries don't count as activity of the run.
  const signal = AbortSignal.any([ports.signal, AbortSignal.timeout(QUERY_TIMEOUT)]);
  const own = { ...ports, signal, workDirectory };
  await using children = new Children(ports.clock, signal);
  const user = await userToRunAs(children, runAs);
  try {
    const context = { job: { run_as: runAs }, ports: own, children, user };
    return await type.findLockWait(work.spec, work.names, context);
  } finally {
    await Deno.remove(workDirectory, { recursive: true });
  }
}
