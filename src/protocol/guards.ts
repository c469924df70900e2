/**
 * Guards in messages. The agent gets the actions of a task's guards, and the task's history. The control
 * plane gets the agent's findings.
 */
import * as z from "zod";
import type { Finding } from "../domain/guards/finding.ts";
import { FORMER_NAMES } from "../domain/guards/former_names.ts";
import { GUARD_ACTIONS, type GuardAction, type GuardHistory, SEVERITIES } from "../domain/guards/guard.ts";

const Action = z.enum(GUARD_ACTIONS);

/**
 * The actions of a task's guards, and the task's history. The agent compares a new backup with the history
 * before the backup counts as stored.
 */
export const JobGuards = z.object({
  /**
   * The actions of two guards, under the former names of these guards. Only agents that do not read `actions`
   * use these two fields.
   */
  on_shrink: Action,
  on_incompressible: Action,
  /**
   * The action for each guard, by the guard's name. An agent might not support all of these guards. Absent
   * from older control planes.
   */
  actions: z.record(z.string(), Action).optional(),
  /** Medians of the task's last backups; null while there are too few backups to compare with. */
  usual: z.object({
    backups_count: z.number().int().positive(),
    size: z.number(),
    bytes_read: z.number(),
    files_count: z.number().nullable(),
    incompressible_share: z.number().nullable(),
    /** Median of `size / bytes_read`. */
    compression: z.number(),
  }).nullable(),
  /**
   * How long the task's last successful backup runs took. `duration_ms` is the median of their durations, in
   * milliseconds. `runs_count` is their number. The field is null until a run has succeeded. It is absent
   * from older control planes.
   */
  runs: z.object({ runs_count: z.number().int().positive(), duration_ms: z.number() }).nullable().optional(),
});
export type JobGuards = z.infer<typeof JobGuards>;

/** Returns the guards of a job in a form that agents of every version understand. */
export function jobGuards(actions: Readonly<Record<string, GuardAction>>, history: GuardHistory): JobGuards {
  const former = FORMER_NAMES.map(({ name, field }) => [field, actions[name]]);
  return { ...Object.fromEntries(former), actions, ...history } as JobGuards;
}

/** Returns the action of each guard in the job, by the guard's name. */
export function jobActions(guards: JobGuards): Record<string, GuardAction> {
  return guards.actions ?? Object.fromEntries(FORMER_NAMES.map(({ name, field }) => [name, guards[field]]));
}

/** The fields for findings in an agent's report of a backup. */
export const REPORTED_FINDINGS = {
  /**
   * One line that says why somebody might have encrypted files in the backup. Null or absent if there is no
   * reason to think so. The field is for control planes that do not read `findings`.
   */
  suspicion: z.string().max(4096).nullable().optional(),
  /**
   * One line that says how the backup shrank; null or absent if it did not. The field is for control planes
   * that do not read `findings`.
   */
  shrinking: z.string().max(4096).nullable().optional(),
  /**
   * Findings of the guards. Findings of guards that the task ignores are left out. The field is absent if the
   * agent reports only the two fields above.
   */
  findings: z.array(z.object({
    name: z.string().min(1).max(64),
    message: z.string().max(4096),
    severity: z.enum(SEVERITIES),
  })).max(64).optional(),
  /**
   * Names of the guards that the agent applied; the control plane applies the others. Absent if `findings` is
   * absent.
   */
  guards_checked: z.array(z.string().max(64)).max(64).optional(),
};

/** Returns an agent's findings in a form that control planes of every version understand. */
export function reportedFindings(findings: Finding[], checked: string[]) {
  const former = FORMER_NAMES.map(({ name, report }) => [
    report,
    findings.find((finding) => finding.name === name)?.message ?? null,
  ]);
  return {
    ...Object.fromEntries(former) as Record<typeof FORMER_NAMES[number]["report"], string | null>,
    findings,
    guards_checked: checked,
  };
}
