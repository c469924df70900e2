/**
 * Defines the plan of a run's scripts. The agent keeps the plan on disk until the run ends. The text of the
 * scripts is in other files.
 */
import * as z from "zod";
import { SCRIPT_FAILURES, SCRIPT_TYPES } from "../../../src/definitions/script_fields.ts";
import type { Verdict } from "../../../src/protocol/wire_messages.ts";

export const PlannedScript = z.object({
  id: z.number().int(),
  label: z.string(),
  type: z.enum(SCRIPT_TYPES),
  sha256: z.string(),
  /** Program that runs the script, and its arguments. */
  interpreter: z.array(z.string()).min(1),
  timeout_ms: z.number().positive(),
  /** User that runs the script; null for the agent's own user. */
  user: z.object({ name: z.string(), uid: z.number(), gid: z.number(), home: z.string() }).nullable(),
  on_failure: z.enum(SCRIPT_FAILURES),
});
export type PlannedScript = z.infer<typeof PlannedScript>;

export const ScriptPlan = z.object({
  /**
   * Id of this plan. Every process that the scripts start has an environment variable that contains the id.
   */
  invocation: z.string(),
  directory: z.string(),
  task_id: z.number().int(),
  /** Environment variables of all scripts. */
  variables: z.record(z.string(), z.string()),
  /**
   * The known secrets that occur in the scripts' own text. The plan contains no other secrets, because the
   * plan is kept on disk.
   */
  secrets: z.array(z.string()),
  scripts: z.array(PlannedScript),
});
export type ScriptPlan = z.infer<typeof ScriptPlan>;

/**
 * Records the plan of a run's scripts and what happens to them. If this agent is killed, the next agent
 * process reads these entries. Each call resolves once its entry is on disk.
 */
export interface ScriptJournal {
  planned(plan: ScriptPlan): Promise<void>;
  /**
   * Records the run's verdict before the agent runs the scripts that follow the backup. These scripts might
   * still change the verdict.
   */
  decided(verdict: Verdict): Promise<void>;
  /**
   * Records that a script has ended.
   *
   * @param index Position of the script in the plan.
   * @param problem Why the script failed; null if the script succeeded.
   */
  ended(index: number, problem: string | null): Promise<void>;
}
