/**
 * A guard compares a new backup with the task's earlier backups. Agents apply guards before a backup counts
 * as stored. The control plane applies the guards that an agent does not support. A guard's name is its key
 * in the registry.
 */

/** The actions that a task can choose for each guard's findings. */
export const GUARD_ACTIONS = ["warn", "fail", "ignore"] as const;
export type GuardAction = typeof GUARD_ACTIONS[number];

/**
 * Severity of a finding. A critical finding makes the backup suspicious. Until a person clears the suspicious
 * backup, it does not count in medians, and all older backups are kept. A warning is only recorded.
 */
export const SEVERITIES = ["critical", "warning"] as const;
export type Severity = typeof SEVERITIES[number];

/**
 * Maximum number of a task's last backups from which usual values are computed. Also the maximum number of
 * the task's last runs from which the usual duration is computed.
 */
export const HISTORY_LENGTH = 7;
/** Minimum number of earlier backups. With fewer, there are no usual values. */
export const HISTORY_MINIMUM = 3;

/** Stats of a backup's contents, or the medians of several backups. */
export interface StoredStats {
  /** Stored bytes of all archives: compressed, and encrypted if the task encrypts. */
  size: number;
  /** Bytes read from the source: the uncompressed bytes of all archives. */
  bytes_read: number;
  /** Number of files; null for a source without files, such as a database. */
  files_count: number | null;
  /** Fraction of `bytes_read` that is in incompressible frames, from 0 to 1; null if it was not measured. */
  incompressible_share: number | null;
}

/**
 * The stats of a new backup. Agents of every version report them, except `incompressible_share`: older agents
 * do not report it.
 */
export interface BackupStats extends StoredStats {
  duration_ms: number;
}

/** Medians of a task's last backups, each computed separately. */
export interface UsualStats extends StoredStats {
  /** Number of backups from which the medians are computed. */
  backups_count: number;
  /** Median of `size / bytes_read`. */
  compression: number;
}

/** The median duration of a task's last successful backup runs. */
export interface UsualRuns {
  /** Number of runs from which the median is computed. */
  runs_count: number;
  duration_ms: number;
}

/**
 * Numbers about a task's earlier backups and runs. Backups and runs from before a change of the task's source
 * do not count.
 */
export interface GuardHistory {
  /** Medians of the earlier backups; null if there are too few. */
  usual: UsualStats | null;
  /** Median duration of the earlier runs; null if there are none. */
  runs: UsualRuns | null;
}

/** Words for messages about a finding. `task` and `server` are the labels of the task and its server. */
export interface GuardWords {
  readonly task: string;
  readonly server: string;
  /** The API request that clears the backup's mark as suspicious. */
  readonly clear: string;
}

/**
 * A notification that a guard reported a finding about a stored backup. It goes to the streams that are
 * notified of failures.
 */
export interface GuardNotification<E extends string> {
  readonly event: E;
  title(words: GuardWords): string;
  next(words: GuardWords): string;
}

export interface Guard<E extends string = string> {
  /** Says when the guard reports a finding, in one sentence for the manual. */
  readonly summary: string;
  readonly severity: Severity;
  /** The action for tasks that choose none. */
  readonly defaultAction: GuardAction;
  /** Returns why the history is too short, as `Not compared …`; null if it suffices. */
  missingHistory(history: GuardHistory): string | null;
  /**
   * Returns the finding: what is wrong with the backup, as one line without capital letter and full stop.
   * Returns null if nothing is wrong. The result depends only on the arguments.
   */
  judge(backup: BackupStats, history: GuardHistory): string | null;
  /**
   * Advice for a person. `warn` is shown in the output of a run that only warns, `fail` in the reason of a
   * run that fails.
   */
  readonly advice: Readonly<Record<Exclude<GuardAction, "ignore">, string>>;
  /** Notification of users about a finding; null if findings are only recorded. */
  readonly notification: GuardNotification<E> | null;
}
