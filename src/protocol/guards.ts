/** Guards on the wire: a task's actions and history to the agent, an agent's findings back. */
import * as z from "zod";
import type { Finding } from "../domain/guards/finding.ts";
import { FORMER_NAMES } from "../domain/guards/former_names.ts";
import { GUARD_ACTIONS, type GuardAction, type GuardHistory, SEVERITIES } from "../domain/guards/guard.ts";

const Action = z.enum(GUARD_ACTIONS);

/** A task's actions and the history that a new backup is compared with before it counts. */
export const JobGuards = z.object({
  /** Actions by the names that agents know which have no `actions`. */
  on_shrink: Action,
  on_incompressible: Action,
  /** Actions by guard, also of guards that the agent does not know. Left out by older control planes. */
  actions: z.record(z.string(), Action).optional(),
  /** Null while there are too few backups to compare with. */
  usual: z.object({
    backups_count: z.number().int().positive(),
    size: z.number(),
    bytes_read: z.number(),
    files_count: z.number().nullable(),
    incompressible_share: z.number().nullable(),
    /** `size / bytes_read`. */
    compression: z.number(),
  }).nullable(),
  /** Null while no run has succeeded. Left out by older control planes. */
  runs: z.object({ runs_count: z.number().int().positive(), duration_ms: z.number() }).nullable().optional(),
});
export type JobGuards = z.infer<typeof JobGuards>;

/** Returns the guards of a job, for agents of every version. */
export function jobGuards(actions: Readonly<Record<string, GuardAction>>, history: GuardHistory): JobGuards {
  const former = FORMER_NAMES.map(({ name, field }) => [field, actions[name]]);
  return { ...Object.fromEntries(former), actions, ...history } as JobGuards;
}

/** Returns the action of each guard that the control plane knows. */
export function jobActions(guards: JobGuards): Record<string, GuardAction> {
  return guards.actions ?? Object.fromEntries(FORMER_NAMES.map(({ name, field }) => [name, guards[field]]));
}

/** Fields of an agent's report of a backup. */
export const REPORTED_FINDINGS = {
  /**
   * One line that says why the backup may contain files that somebody encrypted. Null or left out: no reason
   * found. For control planes that read no `findings`.
   */
  suspicion: z.string().max(4096).nullable().optional(),
  /** One line that says how the backup shrank. As `suspicion`. */
  shrinking: z.string().max(4096).nullable().optional(),
  /**
   * Findings of the guards that the task does not ignore. Left out by agents that report only the two fields
   * above.
   */
  findings: z.array(z.object({
    name: z.string().min(1).max(64),
    message: z.string().max(4096),
    severity: z.enum(SEVERITIES),
  })).max(64).optional(),
  /** The guards that the agent applied. The control plane applies the others. Left out with `findings`. */
  guards_checked: z.array(z.string().max(64)).max(64).optional(),
};

/** Returns the report about findings, for control planes of every version. */
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
