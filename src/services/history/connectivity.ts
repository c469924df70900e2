/** Shows when the agents of servers were connected. */
import { boundariesOf, CONNECTIONS_KEPT, datesOf, type DayRange } from "../../domain/history/day_range.ts";
import { type ConnectedInterval, uptimeOf } from "../../domain/history/uptime.ts";
import { NotFoundError } from "../../domain/errors.ts";
import { listServerConnections, type ServerConnections } from "../../store/history/server_connections.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { completeRange, type RequestedRange } from "./day_range.ts";

/** Number of days in a range whose beginning is not given. */
const DEFAULT_DAYS = 30;

/**
 * Maximum number of intervals in a response. The oldest intervals are left out, but the shares count all of
 * them.
 */
const MAX_INTERVALS = 1000;

export interface ServerUptime {
  readonly id: number;
  readonly label: string;
  /**
   * Share of the recorded time in which the agent was connected, from 0 to 1; null if nothing was recorded.
   */
  readonly uptime: number | null;
  /** For each day, the share of it in which the agent was connected. */
  readonly days: readonly { readonly date: string; readonly uptime: number | null }[];
}

export interface Connectivity extends DayRange, ServerUptime {
  /** When the recording began; null if no agent was ever connected. */
  readonly recordedSince: Date | null;
  /** The oldest first. */
  readonly intervals: readonly ConnectedInterval[];
}

/** Returns when a server's agent was connected. */
export async function showConnectivity(
  services: ServiceContext,
  caller: Caller,
  serverId: number,
  request: RequestedRange,
): Promise<Connectivity> {
  const range = await completeRange(services, caller, request, DEFAULT_DAYS);
  const [server] = await readUptimes(services, caller, range, [serverId]);
  if (server === undefined) throw new NotFoundError("Remote server");
  const { intervals, recorded_since: recordedSince, ...uptime } = server;
  return { ...range, ...uptime, recordedSince, intervals: intervals.slice(-MAX_INTERVALS) };
}

/** Returns the uptimes of several servers, or of all servers of the workspace. */
export async function listConnectivity(
  services: ServiceContext,
  caller: Caller,
  { ids, ...request }: RequestedRange & { readonly ids?: readonly number[] | undefined },
): Promise<ServerUptime[]> {
  const range = await completeRange(services, caller, request, DEFAULT_DAYS);
  return await readUptimes(services, caller, range, ids ?? null);
}

type ReadServer = ServerUptime & Pick<ServerConnections, "recorded_since"> & {
  readonly intervals: readonly ConnectedInterval[];
};

async function readUptimes(
  { clock, database }: ServiceContext,
  { workspaceId }: Caller,
  range: DayRange,
  ids: readonly number[] | null,
): Promise<ReadServer[]> {
  const now = clock.now();
  const boundaries = boundariesOf(range);
  const dates = datesOf(range);
  const kept = new Date(now.getTime() - CONNECTIONS_KEPT);
  const time = { from: boundaries[0]!, to: boundaries.at(-1)!, kept };
  const servers = await listServerConnections(database, workspaceId, ids, time);
  return servers.map(({ id, label, recorded_since, connected, disconnected }) => {
    const intervals = connected.map((at, index) => ({
      connectedAt: new Date(at * 1000),
      disconnectedAt: disconnected[index] === -1 ? null : new Date(disconnected[index]! * 1000),
    }));
    const { total, days } = uptimeOf(intervals, boundaries, recorded_since, now);
    const shares = dates.map((date, index) => ({ date, uptime: days[index]! }));
    return { id, label, uptime: total, days: shares, recorded_since, intervals };
  });
}
