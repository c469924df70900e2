/** Explains what an active run waits for, and until when. */
import { NotFoundError } from "../../domain/errors.ts";
import { hasEnded, shownState } from "../../domain/run.ts";
import type { Sql } from "../../store/database/sql.ts";
import { findRunOf, type RunRow, runsAhead, slotOf } from "../../store/runs/runs.ts";
import { findRemoteServerDetail } from "../../store/agents/remote_servers.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { duration } from "../../domain/durations.ts";
import { type ConnectedServer, withConnectivity } from "../servers/remote_servers.ts";
import { watchOf } from "./run_limits.ts";

/**
 * The things that a run can wait for. A run that is running normally or has ended waits for nothing, shown as
 * `null`.
 */
export const WAITS = ["agent", "capacity", "dispatch", "acceptance", "progress", "cancellation"] as const;

export interface RunWait {
  status: ReturnType<typeof shownState>;
  waiting_for: typeof WAITS[number] | null;
  /** Text for people: what the run waits for, and what a person can do. */
  message: string;
  /** When the wait ends by itself; null if it has no time limit, or if the run waits for nothing. */
  until: Date | null;
  /** What happens to the run at the time `until`, as a sentence; null if nothing happens to it. */
  then: string | null;
  /** Ids of the runs before this one in its server's queue. */
  runs_ahead: number[];
  /** Time of the last progress of a running run; null in other states. */
  moved_at: Date | null;
}

export async function explainRun(services: ServiceContext, caller: Caller, id: number): Promise<RunWait> {
  const sql = services.database;
  const run = await findRunOf(sql, caller.workspaceId, id);
  if (run === undefined) throw new NotFoundError("Backup task log");
  const server = run.remote_server_id === null
    ? undefined
    : await findRemoteServerDetail(sql, caller.workspaceId, run.remote_server_id);
  const shown = server === undefined ? null : withConnectivity(server, services.clock.now());
  const stall = await stallOf(services, sql, run);
  const wait = await waitOf(sql, run, shown, stall);
  return {
    status: shownState(run.state),
    runs_ahead: [],
    until: run.deadline_at,
    then: null,
    moved_at: run.state === "running" ? run.moved_at : null,
    ...wait,
  };
}

/** Returns what a queued run waits for, as text for people. */
export async function waitMessage(sql: Sql, run: RunRow, now: Date): Promise<string> {
  const server = run.remote_server_id === null
    ? undefined
    : await findRemoteServerDetail(sql, run.workspace_id, run.remote_server_id);
  return (await waitOf(sql, run, server === undefined ? null : withConnectivity(server, now), null)).message;
}

/**
 * A stall. `message` says for how long the run has made no progress, and what it waits for. `until` is when
 * the agent ends the run if there is still no progress.
 */
interface Stall {
  message: string;
  until: Date;
}

async function stallOf(services: ServiceContext, sql: Sql, run: RunRow): Promise<Stall | null> {
  if (run.state !== "running" || run.moved_at === null) return null;
  const { stall_timeout_ms, stall_warning_ms } = await watchOf(services, sql, run);
  const still = services.clock.now().getTime() - run.moved_at.getTime();
  if (still < stall_warning_ms) return null;
  const why = run.waits_for ?? "Its agent does not report what it waits for: read the end of its output.";
  return {
    message: `It has made no progress for ${duration(still)}. ${why}`,
    until: new Date(run.moved_at.getTime() + stall_timeout_ms),
  };
}

type Wait = Pick<RunWait, "waiting_for" | "message"> & Partial<RunWait>;

async function waitOf(
  sql: Sql,
  run: RunRow,
  server: ConnectedServer | null,
  stall: Stall | null,
): Promise<Wait> {
  const name = server === null ? "its server" : `server ${server.label}`;
  const isUp = server?.connectivity === "connected";
  switch (run.state) {
    case "queued":
      return {
        ...await queued(sql, run, server, name),
        then: "It fails with the reason that no agent accepted it.",
      };
    case "leased":
      return {
        waiting_for: "acceptance",
        message: `It was dispatched to the agent of ${name}, which has not accepted it yet.`,
        then: "It is queued and dispatched again.",
      };
    case "running":
      if (isUp && stall !== null) {
        return { waiting_for: "progress", ...stall, then: "It fails, because it makes no progress." };
      }
      if (isUp) {
        return {
          waiting_for: null,
          message: `The agent of ${name} works on it.`,
          until: run.timeout_at,
          then: run.timeout_at === null ? null : "It is cancelled, because it exceeds its run timeout.",
        };
      }
      return {
        waiting_for: "agent",
        message:
          `The agent of ${name} is not connected. It continues the run by itself and reports the result when it is ` +
          "connected again. Check whether the server is up: systemctl status rearguard-agent.",
        then:
          "It counts as failed, because its agent is silent; a success that is reported later still counts.",
      };
    case "cancelling":
      return {
        waiting_for: "cancellation",
        message: isUp
          ? `The agent of ${name} was asked to cancel it, and removes what it has stored.`
          : `The agent of ${name} is not connected, and will be asked to cancel it when it is.`,
        then: "It counts as cancelled; the agent cleans up when it is connected again.",
      };
    case "lost":
      return {
        waiting_for: null,
        message:
          `The agent of ${name} was silent for too long: the run counts as failed. If the agent comes ` +
          "back and reports a success, it counts as successful.",
      };
    default:
      return { waiting_for: null, message: `It is over: ${shownState(run.state)}.${afterwards(run)}` };
  }
}

async function queued(sql: Sql, run: RunRow, server: ConnectedServer | null, name: string): Promise<Wait> {
  if (server?.connectivity !== "connected") {
    const advice = server?.connectivity === "unknown"
      ? "has never been connected. Install it: POST /api/remote-servers/{id}/enrolment-tokens prints the command."
      : "is not connected. Check whether the server is up: systemctl status rearguard-agent.";
    return { waiting_for: "agent", message: `The agent of ${name} ${advice}` };
  }
  const slot = slotOf(run.kind);
  const limit = slot === "verification" ? 1 : server.runs_at_once;
  const ahead = await runsAhead(sql, run);
  if (ahead.length >= limit) {
    const what = slot === "verification" ? "verification or drill" : "run";
    const at = limit === 1 ? `one ${what}` : `${limit} ${what}s`;
    return {
      waiting_for: "capacity",
      message: `The agent of ${name} does ${at} at once, and others come first: ${ahead.join(", ")}.`,
      runs_ahead: ahead,
    };
  }
  return { waiting_for: "dispatch", message: `It is about to be dispatched to the agent of ${name}.` };
}

function afterwards({ reason, state }: RunRow): string {
  return reason === null || !hasEnded(state) ? "" : ` ${reason}`;
}
