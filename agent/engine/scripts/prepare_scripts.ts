/** Prepares the scripts of a run: everything that can be wrong with them is found before the first begins. */
import type { BackupJob, JobScript } from "../../../src/protocol/job.ts";
import { Children } from "../programs/children.ts";
import { userToRunAs } from "../programs/find_user.ts";
import type { RunPorts } from "../ports.ts";
import { secretsIn, secretsOf } from "./known_secrets.ts";
import { runVariables } from "./script_environment.ts";
import {
  digestOf,
  interpreterOf,
  makeScriptDirectory,
  readyPath,
  settleScripts,
  writeScript,
} from "./script_files.ts";
import type { PlannedScript, ScriptPlan } from "./script_plan.ts";
import { refuseForbidden, type ScriptPolicy } from "./script_policy.ts";

export interface ScriptOrder {
  readonly job: BackupJob;
  readonly scripts: readonly JobScript[];
  readonly runId: number;
  /** The directory for the scripts' files. */
  readonly directory: string;
  readonly policy: ScriptPolicy;
  /** Secrets of the agent itself. */
  readonly secrets: readonly string[];
}

/**
 * Writes the scripts' files. Resolves with the plan when they are on disk, and with the secrets that their
 * output may hold. Rejects with a `RunFailedError` for a script that is not allowed, and for an unknown user.
 */
export async function prepareScripts(
  { job, scripts, runId, directory, policy, secrets }: ScriptOrder,
  { clock, signal }: Pick<RunPorts, "clock" | "signal">,
): Promise<{ plan: ScriptPlan; secrets: string[] }> {
  await refuseForbidden(policy, scripts);
  const planned: PlannedScript[] = [];
  await using children = new Children(clock, signal);
  await makeScriptDirectory(directory, clock);
  for (const [index, { id, label, type, text, timeout_ms, run_as, on_failure }] of scripts.entries()) {
    const user = await userToRunAs(children, run_as, `run_as of script ${id} (${label})`);
    await writeScript(readyPath(directory, index), text, user);
    const file = { sha256: digestOf(text), interpreter: interpreterOf(text) };
    planned.push({ id, label, type, ...file, timeout_ms, user, on_failure });
  }
  await settleScripts(directory);
  const known = [...secretsOf(job), ...secrets];
  const plan = {
    invocation: crypto.randomUUID(),
    directory,
    task_id: job.task.id,
    variables: runVariables(job, runId),
    secrets: secretsIn(scripts.map(({ text }) => text).join("\n"), known),
    scripts: planned,
  };
  return { plan, secrets: known };
}
