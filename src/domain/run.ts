/**
 * The life of a run: its states, its events, and the only function that moves it from state to state. The
 * database has the same states in CHECK constraints. The store updates a run only if the run is still in the
 * state from which the transition was computed.
 */

const ACTIVE_STATES = ["queued", "leased", "running", "cancelling"] as const;
/** States that no transition leaves. */
const FINAL_STATES = ["succeeded", "failed", "cancelled"] as const;
export type ActiveState = typeof ACTIVE_STATES[number];
export type FinalState = typeof FINAL_STATES[number];
/** The state of a run. A `lost` run counts as failed, until its agent reports a verdict after all. */
export type RunState = ActiveState | FinalState | "lost";
export const RUN_STATES: readonly RunState[] = [...ACTIVE_STATES, ...FINAL_STATES, "lost"];

export const RUN_KINDS = ["backup", "restore", "verify", "drill"] as const;
export type RunKind = typeof RUN_KINDS[number];

/** Causes of a run. `webhook` is a request with the token of the task's trigger. */
export const RUN_TRIGGERS = ["manual", "schedule", "webhook"] as const;
export type RunTrigger = typeof RUN_TRIGGERS[number];

/** Phases of a backup run with scripts, in order. A run has either `after_success` or `after_failure`. */
export const RUN_PHASES = ["prescript", "backup", "after_success", "after_failure", "postscript"] as const;
export type RunPhase = typeof RUN_PHASES[number];

export type RunTransitionEvent =
  /** The run is dispatched by the replica that holds the agent's websocket. */
  | { type: "offered" }
  /** The agent has accepted the run. */
  | { type: "accepted" }
  /** The agent that works on the run has sent a message. */
  | { type: "heard" }
  /** A user cancels the run, or its run timeout has passed. */
  | { type: "cancel_requested" }
  /**
   * The agent has reported a verdict. If the run read a backup and found it damaged, `damage` describes the
   * damage.
   */
  | { type: "finished"; outcome: "succeeded" | "failed" | "cancelled"; damage?: string | null }
  /** The run's deadline has passed without a message from the agent. */
  | { type: "deadline_passed" };

export type Transition = { ok: true; state: RunState } | { ok: false; reason: string };

type EventType = RunTransitionEvent["type"];

/**
 * The permitted transitions; all others are refused. `verdict` stands for the outcome that the agent reports.
 */
const TRANSITIONS: Record<RunState, Partial<Record<EventType, RunState | "verdict">>> = {
  queued: {
    offered: "leased",
    // The agent accepted after the run had returned to the queue. The run has not been dispatched again.
    accepted: "running",
    cancel_requested: "cancelled",
    deadline_passed: "failed",
  },
  leased: {
    accepted: "running",
    cancel_requested: "cancelling",
    finished: "verdict",
    deadline_passed: "queued",
  },
  running: {
    heard: "running",
    cancel_requested: "cancelling",
    finished: "verdict",
    deadline_passed: "lost",
  },
  cancelling: {
    accepted: "cancelling",
    heard: "cancelling",
    // The run might have succeeded before the cancellation reached the agent. Its backup then exists, and
    // the run counts as succeeded.
    finished: "verdict",
    deadline_passed: "cancelled",
  },
  // The agent reports a verdict although the run was given up.
  lost: { finished: "verdict" },
  succeeded: {},
  failed: {},
  cancelled: {},
};

/**
 * Returns the state that follows `state` after `event`, or why the event is not permitted. Callers must check
 * that the event belongs to the current attempt.
 */
export function transition(state: RunState, event: RunTransitionEvent): Transition {
  const next = TRANSITIONS[state][event.type];
  if (next === undefined) return { ok: false, reason: `A ${state} run can't take ${event.type}` };
  if (next !== "verdict") return { ok: true, state: next };
  return { ok: true, state: (event as RunTransitionEvent & { type: "finished" }).outcome };
}

/** Returns whether no transition leaves `state`. */
export function isFinal(state: RunState): state is FinalState {
  return (FINAL_STATES as readonly RunState[]).includes(state);
}

/** Returns whether a run in `state` has ended for its owner: its state is final, or it is lost. */
export function hasEnded(state: RunState): state is FinalState | "lost" {
  return isFinal(state) || state === "lost";
}

/**
 * Factor for the stall timeout of restores. A database server reports no progress while it builds a large
 * index. If the stall timeout ended the restore at that time, everything restored so far would be lost.
 */
export const RESTORE_PATIENCE = 4;

/** Time limits for runs, and the times after which owners are notified. All values are in milliseconds. */
export interface RunTimes {
  /** Time from the agent's last message to the end of its lease. */
  lease: number;
  /** Time from the end of the lease until the run counts as lost. */
  grace: number;
  /** Time from the dispatch to the agent's acceptance. */
  acceptance: number;
  /**
   * Time until an agent first accepts the run. The time is measured from when the run is due, or from a
   * user's request for the run.
   */
  start: number;
  /** Time from the request to cancel to the agent's confirmation. */
  cancel: number;
  /**
   * Time from the last progress of a running run to notifying its owner. Default for tasks without a value.
   */
  stallWarning: number;
  /** Time without progress after which a running run is ended. Default for tasks without a value. */
  stallTimeout: number;
  /** How long a database dump waits for a lock. Default for tasks without a value. */
  lockWait: number;
  /**
   * Time from queueing a run to telling its owner that the run is overdue. Default for tasks without a value.
   */
  overdue: number;
  /**
   * How long an agent must be disconnected before its owner is notified. Default for servers without a value.
   */
  offline: number;
}

export const DEFAULT_RUN_TIMES: RunTimes = {
  lease: 60_000,
  grace: 15 * 60_000,
  acceptance: 30_000,
  start: 24 * 3_600_000,
  cancel: 60_000,
  stallWarning: 15 * 60_000,
  stallTimeout: 6 * 3_600_000,
  lockWait: 30 * 60_000,
  overdue: 3_600_000,
  offline: 15 * 60_000,
};

/**
 * Returns the deadline of a run that enters or stays in `state` at `now`; null for `lost` and final states.
 */
export function deadlineOf(state: RunState, now: Date, startDeadline: Date, times: RunTimes): Date | null {
  const after = (ms: number) => new Date(now.getTime() + ms);
  switch (state) {
    case "queued":
      return startDeadline;
    case "leased":
      return after(times.acceptance);
    case "running":
      return after(times.lease + times.grace);
    case "cancelling":
      return after(times.cancel);
    default:
      return null;
  }
}

/** Names of the states in the API. */
export const SHOWN_STATES = ["queued", "running", "successful", "failed", "cancelled"] as const;
export type ShownState = typeof SHOWN_STATES[number];

/** Returns the states that the API shows as `shown`. */
export function statesShownAs(shown: ShownState): RunState[] {
  return RUN_STATES.filter((state) => shownState(state) === shown);
}

/** Returns the name of a state in the API. */
export function shownState(state: RunState): ShownState {
  switch (state) {
    case "queued":
    case "leased":
      return "queued";
    case "running":
    case "cancelling":
      return "running";
    case "succeeded":
      return "successful";
    case "failed":
    case "lost":
      return "failed";
    case "cancelled":
      return "cancelled";
  }
}

/**
 * Outcomes of a run. `warnings` means that the run succeeded, but a person should look at something, such as
 * a file that could not be read.
 */
export const OUTCOMES = ["succeeded", "warnings", "failed"] as const;
export type Outcome = typeof OUTCOMES[number];

/**
 * Returns the outcome of a run. Returns null if the run has not ended, or if a person cancelled it. The
 * outcome is `failed` if the run's timeout cancelled it, or if the run is lost.
 * `src/store/tasks/task_outcome.ts` has the same rule as SQL.
 */
export function outcomeOfRun(
  { state, warnings_count, timeout_at, finished_at }: {
    readonly state: RunState;
    readonly warnings_count: number;
    readonly timeout_at: Date | null;
    readonly finished_at: Date | null;
  },
): Outcome | null {
  switch (state) {
    case "succeeded":
      return warnings_count > 0 ? "warnings" : "succeeded";
    case "failed":
    case "lost":
      return "failed";
    case "cancelled":
      return timeout_at !== null && finished_at !== null && timeout_at <= finished_at ? "failed" : null;
    default:
      return null;
  }
}

/**
 * Returns the time stamp in object names: `YYYYMMDDHHMMSS` in UTC. Normally, this is the stamp of `time`.
 * That stamp might not be later than `newest`, because two names are made within a second or the clock was
 * set back. In this case, returns the second after `newest`. So names are never reused, and sort by age.
 *
 * @param newest The task's last stamp; null for none.
 */
export function objectStamp(time: Date, newest: string | null = null): string {
  const stamp = time.toISOString().replace(/[-:T]/g, "").slice(0, 14);
  if (newest === null || stamp > newest) return stamp;
  const [, date, hours, minutes, seconds] = /^(\d{8})(\d\d)(\d\d)(\d\d)$/.exec(newest)!;
  const day = `${date!.slice(0, 4)}-${date!.slice(4, 6)}-${date!.slice(6)}`;
  const last = new Date(`${day}T${hours}:${minutes}:${seconds}Z`);
  return objectStamp(new Date(last.getTime() + 1000));
}

/** Returns the prefix of a task's object names. */
export function objectPrefix(taskId: number, appendedFileName: string | null): string {
  return `${appendedFileName ? `${appendedFileName}_` : ""}backup_${taskId}`;
}
