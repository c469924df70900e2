/**
 * A guard compares a new backup with the task's earlier ones. The agent applies guards before a backup
 * counts. The control plane applies those that the agent does not know. A guard's name is its key in the
 * registry.
 */

/** The actions that a task can set for a finding of a guard. */
export const GUARD_ACTIONS = ["warn", "fail", "ignore"] as const;
export type GuardAction = typeof GUARD_ACTIONS[number];

/**
 * A critical finding makes a backup suspicious: it counts for no median, and older backups stay until a
 * person clears it. A warning is only recorded.
 */
export const SEVERITIES = ["critical", "warning"] as const;
export type Severity = typeof SEVERITIES[number];

/** How many of a task's last backups, or runs, define the usual values. */
export const HISTORY_LENGTH = 7;
/** The minimum number of earlier backups. With fewer, there are no medians. */
export const HISTORY_MINIMUM = 3;

/** The contents of a backup in numbers, or the medians of several. */
export interface StoredStats {
  /** Stored bytes of all archives. */
  size: number;
  /** Uncompressed bytes of all archives. */
  bytes_read: number;
  /** Null if the source counts no files, such as a database. */
  files_count: number | null;
  /** From 0 to 1: the part of `bytes_read` in frames that did not compress. Null if it was not measured. */
  incompressible_share: number | null;
}

/** The stats of a new backup. Agents of every version report them, except for the incompressible share. */
export interface BackupStats extends StoredStats {
  duration_ms: number;
}

/** The medians of a task's last backups, each value on its own. */
export interface UsualStats extends StoredStats {
  /** The number of backups in the medians. */
  backups_count: number;
  /** `size / bytes_read`. */
  compression: number;
}

/** The median of a task's last successful backup runs. */
export interface UsualRuns {
  /** The number of runs in the median. */
  runs_count: number;
  duration_ms: number;
}

/** A task's earlier backups and runs, of the source as it is defined now. */
export interface GuardHistory {
  /** Null if there are too few. */
  usual: UsualStats | null;
  /** Null if there are none. */
  runs: UsualRuns | null;
}

/** Words for messages about a finding. */
export interface GuardWords {
  readonly task: string;
  readonly server: string;
  /** The request that clears the backup. */
  readonly clear: string;
}

/** Notifies streams with `on_failure` of a stored backup with a finding. */
export interface GuardNotification<E extends string> {
  readonly event: E;
  title(words: GuardWords): string;
  next(words: GuardWords): string;
}

export interface Guard<E extends string = string> {
  /** One sentence for the manual: when a backup has this finding. */
  readonly summary: string;
  readonly severity: Severity;
  /** The action of a task that sets none. */
  readonly defaultAction: GuardAction;
  /** Returns why the history is not enough, as `Not compared …`; null if it is. */
  missingHistory(history: GuardHistory): string | null;
  /** Returns one line without a capital letter and a full stop; null if nothing is wrong. Pure. */
  judge(backup: BackupStats, history: GuardHistory): string | null;
  /** Advice for a person, in the output of the run or the reason of its failure. */
  readonly advice: Readonly<Record<Exclude<GuardAction, "ignore">, string>>;
  /** Null: a finding is only recorded. */
  readonly notification: GuardNotification<E> | null;
}
