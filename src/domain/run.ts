/**
 * The life of a run: its states, its events, and the only function that moves it from state to state. The
 * database repeats the states as CHECK constraints. The store updates a run only from the state that it has
 * read, so no other transition can be written.
 */

const ACTIVE_STATES = ["queued", "leased", "running", "cancelling"] as const;
/** The states that no transition leaves. */
const FINAL_STATES = ["succeeded", "failed", "cancelled"] as const;
export type ActiveState = typeof ACTIVE_STATES[number];
export type FinalState = typeof FINAL_STATES[number];
/** A `lost` run counts as failed until its agent reports a verdict after all. */
export type RunState = ActiveState | FinalState | "lost";
export const RUN_STATES: readonly RunState[] = [...ACTIVE_STATES, ...FINAL_STATES, "lost"];

export const RUN_KINDS = ["backup", "restore", "verify", "drill"] as const;
export type RunKind = typeof RUN_KINDS[number];

export type RunTransitionEvent =
  /** A replica hands the run to the agent whose socket it holds. */
  | { type: "offered" }
  /** The agent has accepted it. */
  | { type: "accepted" }
  /** The agent that has the run sent something. */
  | { type: "heard" }
  /** A user, or the run timeout, stops the run. */
  | { type: "cancel_requested" }
  /** The agent's verdict. */
  /** `damage`: what is wrong with the backup that the run read. */
  | { type: "finished"; outcome: "succeeded" | "failed" | "cancelled"; damage?: string | null }
  /** `deadline_at` has passed without a message from the agent. */
  | { type: "deadline_passed" };

export type Transition = { ok: true; state: RunState } | { ok: false; reason: string };

type EventType = RunTransitionEvent["type"];

/**
 * The allowed transitions; all others are refused. `verdict`: the next state is the outcome that the agent
 * reports.
 */
const TRANSITIONS: Record<RunState, Partial<Record<EventType, RunState | "verdict">>> = {
  queued: {
    offered: "leased",
    // The agent accepted late: the run was back in the queue, and not yet offered again.
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
    // The run may have succeeded before the cancel reached it: then the backup exists and counts.
    finished: "verdict",
    deadline_passed: "cancelled",
  },
  // The agent reports a verdict after the run was given up.
  lost: { finished: "verdict" },
  succeeded: {},
  failed: {},
  cancelled: {},
};

/**
 * Returns the state that follows `state` on `event`, or the reason why there is none. Callers check the
 * attempt.
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

/** Returns whether a run in `state` has ended for its owner: in a final state, or lost. */
export function hasEnded(state: RunState): state is FinalState | "lost" {
  return isFinal(state) || state === "lost";
}

/**
 * Factor by which a restore's stall timeout is longer: a server that builds a large index reports no
 * progress, and ending the restore would lose what was restored so far.
 */
export const RESTORE_PATIENCE = 4;

/** Time limits for a run that shows no change, and when its owner is notified, in milliseconds. */
export interface RunTimes {
  /** From the agent's last message to the end of its lease. */
  lease: number;
  /** From the end of the lease until the run is given up as lost. */
  grace: number;
  /** From the offer to the agent's acceptance. */
  acceptance: number;
  /** From the due time, or the request, to the first accepted offer. */
  start: number;
  /** From the request to cancel to the agent's confirmation. */
  cancel: number;
  /** From the last progress of a running run to notifying its owner. Default for tasks without a value. */
  stallWarning: number;
  /** From the last progress of a running run to ending it. Default for tasks without a value. */
  stallTimeout: number;
  /** How long a dump waits for a lock. Default for tasks without a value. */
  lockWait: number;
  /** From queueing a run to notifying its owner that it is overdue. Default for tasks without a value. */
  overdue: number;
  /** From the end of an agent's connection to notifying its owner. Default for servers without a value. */
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
 * Returns when a run that enters or stays in `state` at `now` ends by itself; null for `lost` and final
 * states.
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

/** The states as the API names them. */
export const SHOWN_STATES = ["queued", "running", "successful", "failed", "cancelled"] as const;
export type ShownState = typeof SHOWN_STATES[number];

/** Returns the states that the API shows as `shown`. */
export function statesShownAs(shown: ShownState): RunState[] {
  return RUN_STATES.filter((state) => shownState(state) === shown);
}

/** Returns the API's name of a state. */
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
 * Returns the time stamp in object names: `YYYYMMDDHHMMSS` in UTC. `newest` is the task's last stamp. If the
 * time is not after it (same second, or a clock that went back), the next second after `newest` is taken, so
 * that names are never reused and sort by age.
 */
export function objectStamp(time: Date, newest: string | null = null): string {
  const stamp = time.toISOString().replace(/[-:T]/g, "").slice(0, 14);
  if (newest === null || stamp > newest) return stamp;
  const [, date, hours, minutes, seconds] = /^(\d{8})(\d\d)(\d\d)(\d\d)$/.exec(newest)!;
  const day = `${date!.slice(0, 4)}-${date!.slice(4, 6)}-${date!.slice(6)}`;
  const last = new Date(`${day}T${hours}:${minutes}:${seconds}Z`);
  return objectStamp(new Date(last.getTime() + 1000));
}

/** Returns the beginning of a task's object names. */
export function objectPrefix(taskId: number, appendedFileName: string | null): string {
  return `${appendedFileName ? `${appendedFileName}_` : ""}backup_${taskId}`;
}
