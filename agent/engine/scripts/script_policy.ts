/**
 * Decides which scripts this agent runs. Only the agent's own configuration sets the policy; control planes
 * cannot change it.
 */
import { type JobScript } from "../../../src/protocol/job.ts";
import { RunFailedError } from "../ports.ts";
import { digestOf } from "./script_files.ts";

/** Environment variable of the agent that sets the policy. */
export const POLICY_VARIABLE = "REARGUARD_SCRIPTS";

export type ScriptPolicy =
  | { readonly type: "all" }
  | { readonly type: "none" }
  /**
   * Allows only scripts whose SHA-256 is listed in a file. The file has the format of `sha256sum`, and is
   * read for each run.
   */
  | { readonly type: "listed"; readonly path: string };

/**
 * Returns the policy that a text sets; null if the text is not valid. An empty or undefined text allows all
 * scripts.
 */
export function parsePolicy(text: string | undefined): ScriptPolicy | null {
  if (text === undefined || text === "" || text === "all") return { type: "all" };
  if (text === "none") return { type: "none" };
  return text.startsWith("/") ? { type: "listed", path: text } : null;
}

/**
 * Rejects with a `RunFailedError` if the policy forbids a script. The error names the first forbidden script.
 */
export async function refuseForbidden(policy: ScriptPolicy, scripts: readonly JobScript[]): Promise<void> {
  if (policy.type === "all") return;
  if (policy.type === "none") {
    throw new RunFailedError(
      `Cannot run the task's scripts: this server's agent runs none (${POLICY_VARIABLE}=none). ` +
        "Take them out of the task, or change the agent's configuration.",
    );
  }
  const allowed = await readAllowed(policy.path);
  const forbidden = scripts.find(({ text }) => !allowed.has(digestOf(text)));
  if (forbidden === undefined) return;
  throw new RunFailedError(
    `Cannot run script ${forbidden.id} (${forbidden.label}): this server's agent does not allow it. ` +
      `Add its SHA-256 ${digestOf(forbidden.text)} to ${policy.path} there, or take it out of the task.`,
  );
}

async function readAllowed(path: string): Promise<Set<string>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw new RunFailedError(
      `Cannot run the task's scripts: the list of allowed ones, ${path}, can't be read: ${
        (cause as Error).message
      }. Check ${POLICY_VARIABLE} in the agent's configuration.`,
      { cause },
    );
  }
  return new Set(
    [...text.matchAll(/^\s*([0-9a-fA-F]{64})(?:\s|$)/gm)].map(([, hash]) => hash!.toLowerCase()),
  );
}
