/**
 * Runs one backup in a process of its own, with an environment of its own: the test files of a run share one
 * process, and so one `PATH`. The job comes as JSON on stdin; the stored backup goes as JSON to stdout.
 */
import type { BackupJob, JobSource, StoredBackup } from "../../src/protocol/job.ts";
import { runBackup } from "../../agent/engine/backup.ts";
import { LocalDestination } from "../../agent/engine/destinations/local.ts";
import { BackupRun } from "./backup_run.ts";

/** Backs up as `run` would, in a process that finds the programs of `directory` first. */
export async function backUpWithPrograms(
  run: BackupRun,
  source: JobSource,
  directory: string,
): Promise<StoredBackup> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", import.meta.filename!],
    env: { PATH: `${directory}:${Deno.env.get("PATH")}` },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await new Blob([JSON.stringify(run.job(source))]).stream().pipeTo(child.stdin);
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`Cannot back up: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

if (import.meta.main) {
  const job: BackupJob = await new Response(Deno.stdin.readable).json();
  if (job.destination.type !== "local") throw new Error("Cannot run: give a local destination");
  await using run = await BackupRun.open();
  const destination = new LocalDestination(job.destination, run.abort.signal);
  const { backup } = await runBackup(job, destination, run.ports);
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(backup)));
}
