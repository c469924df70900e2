/**
 * Restores by the engine alone, as the user that runs this program. Arguments: a `BackupRun`'s root that
 * contains `backup.json`, an empty work directory, and the target as JSON. Prints the outcome and the run's
 * warnings.
 */
import { LocalDestination } from "../../agent/engine/destinations/local.ts";
import type { RunPorts } from "../../agent/engine/ports.ts";
import { runRestore } from "../../agent/engine/restore.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { restoreJob } from "./restore_job.ts";

const [root, workDirectory, target] = Deno.args as [string, string, string];
const backup = JSON.parse(await Deno.readTextFile(`${root}/backup.json`));
const warnings: string[] = [];
const { signal } = new AbortController();
const ports = {
  clock: systemClock,
  output: { line: () => {}, warning: (text: string) => void warnings.push(text) },
  signal,
  workDirectory,
  progress: () => {},
  scratch: () => Promise.resolve(),
} as unknown as RunPorts;
const directory = `${root}/destination`;
const destination = new LocalDestination({ type: "local", directory }, signal);
const outcome = await runRestore(
  restoreJob(directory, backup, { target: JSON.parse(target) }),
  destination,
  ports,
)
  .then(() => "restored", (error) => error.message);
await Deno.stdout.write(new TextEncoder().encode(JSON.stringify({ outcome, warnings })));
