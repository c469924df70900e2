/** The plan of a run's scripts, which the agent keeps on disk until the run ends. Their text is in files. */
import * as z from "zod";
import { SCRIPT_FAILURES, SCRIPT_TYPES } from "../../../src/definitions/script_fields.ts";
import type { Verdict } from "../../../src/protocol/wire_messages.ts";

export const PlannedScript = z.object({
  id: z.number().int(),
  label: z.string(),
  type: z.enum(SCRIPT_TYPES),
  sha256: z.string(),
  /** The program that reads the script, and its arguments. */
  interpreter: z.array(z.string()).min(1),
  timeout_ms: z.number().positive(),
  /** The user to switch to; null: the agent's own. */
  user: z.object({ name: z.string(), uid: z.number(), gid: z.number(), home: z.string() }).nullable(),
  on_failure: z.enum(SCRIPT_FAILURES),
});
export type PlannedScript = z.infer<typeof PlannedScript>;

export const ScriptPlan = z.object({
  /** Unique to this plan. The environment of every process that the scripts start holds it. */
  invocation: z.string(),
  /** Holds the scripts' files. */
  directory: z.string(),
  task_id: z.number().int(),
  /** Environment variables that all scripts get. */
  variables: z.record(z.string(), z.string()),
  /** Known secrets that the scripts' own text contains. Others are not kept on disk. */
  secrets: z.array(z.string()),
  scripts: z.array(PlannedScript),
});
export type ScriptPlan = z.infer<typeof ScriptPlan>;

/** Keeps what a successor of this agent needs to know. Each call resolves when the entry is on disk. */
export interface ScriptJournal {
  planned(plan: ScriptPlan): Promise<void>;
  /** Records the run's verdict as it is before the scripts that follow it. */
  decided(verdict: Verdict): Promise<void>;
  /** @param problem Null if the script succeeded. */
  ended(index: number, problem: string | null): Promise<void>;
}
