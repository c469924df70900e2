/** Prepares the scripts of a run. All errors of the scripts are found before the first script starts. */
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
  readonly directory: string;
  readonly policy: ScriptPolicy;
  /** Secrets that the agent has in addition to the secrets in the job. */
  readonly secrets: readonly string[];
}

/**
 * Writes the scripts' files. Once the files are on disk, resolves with the plan, and with the secrets that
 * the scripts' output might contain. Rejects with a `RunFailedError` if the policy forbids a script, or if a
 * script's user does not exist.
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
