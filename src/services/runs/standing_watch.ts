/** Reports absent agents, duplicate agents, failing removals and failing notification streams. */
import { ownerOf } from "../../domain/access/owner.ts";
import type { AlertKind } from "../../domain/notifications/alert.ts";
import { isOlderVersion, RELEASE } from "../../domain/release.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import {
  agentsOfOtherVersions,
  failingRemovals,
  failingStreams,
  openSubjects,
  type OwnedServer,
  serversBack,
  serversGone,
} from "../../store/runs/run_watch.ts";
import { type AlertMessage, endAlert, endAlerts, raiseAlert } from "../notifications/alerts.ts";
import type { ServiceContext } from "../context.ts";
import { duration } from "../../domain/durations.ts";

/**
 * Maximum time that agents have to reconnect after the control plane's start, in milliseconds. After this
 * time, absent agents are reported.
 */
const RECONNECT = 2 * 60_000;
/** A duplicate agent counts as present for this long after it was last refused, in milliseconds. */
const DUPLICATE_SHOWN = 24 * 3_600_000;
const REMOVALS_FAIL_FOR = 24 * 3_600_000;
const STREAMS_FAIL_FOR = 3_600_000;

const NO_SUBJECT = { run: null, backupId: null, taskId: null, serverId: null } as const;

/**
 * Reports agents that have been absent for longer than their server's limit. Also reports when an absent
 * agent is back.
 *
 * @param since When this control plane began to accept connections. Shortly after this time, agents are not
 *   reported as absent, because they might not have had the time to connect again.
 */
export async function watchAgents(services: ServiceContext, since: Date): Promise<void> {
  const { clock, database, runTimes } = services;
  await transaction(database, async (sql) => {
    const now = clock.now();
    const up = now.getTime() - since.getTime();
    for (const server of await serversGone(sql, now, runTimes.offline)) {
      if (up < Math.min(server.away_after, RECONNECT)) continue;
      const news = agentMessage(
        server,
        "agent.gone",
        `Its last connection ended ${duration(now.getTime() - server.last_connected_at.getTime())} ago.`,
      );
      const subject = `server ${server.id}`;
      await raiseAlert(services, sql, { kind: "agent.gone", subject, isLevel: true }, news);
    }
    for (const server of await serversBack(sql)) {
      const news = agentMessage(server, "agent.back", null);
      await endAlert(services, sql, { kind: "agent.gone", subject: `server ${server.id}` }, news);
    }
  });
}

function agentMessage(
  server: OwnedServer,
  name: "agent.gone" | "agent.back" | "agent.duplicate" | "update.available",
  reason: string | null,
): AlertMessage {
  const { id } = server;
  return { ...NO_SUBJECT, name, ...ownerOf(server), serverId: id, reason, key: `server ${id} ${name}` };
}

/**
 * Reports agents that are older than this control plane. Reports each agent once for each release of the
 * control plane.
 */
export async function watchVersions(services: ServiceContext): Promise<void> {
  await transaction(services.database, async (sql) => {
    const subjects: string[] = [];
    for (const server of await agentsOfOtherVersions(sql, RELEASE)) {
      if (!isOlderVersion(server.version, RELEASE)) continue;
      const subject = `server ${server.id} release ${RELEASE}`;
      subjects.push(subject);
      const reason = `The agent has version ${server.version}; this control plane has ${RELEASE}.`;
      const news = agentMessage(server, "update.available", reason);
      await raiseAlert(services, sql, { kind: "agent.outdated", subject, isLevel: true }, news);
    }
    await endOthers(services, sql, "agent.outdated", subjects);
  });
}

/** Reports destinations at which removals have failed for a day. */
export async function watchRemovals(services: ServiceContext): Promise<void> {
  const { clock, database } = services;
  await transaction(database, async (sql) => {
    const before = new Date(clock.now().getTime() - REMOVALS_FAIL_FOR);
    const failing = await failingRemovals(sql, before);
    for (const destination of failing) {
      const { count, destination_id, error, label, workspace_id } = destination;
      await raiseAlert(services, sql, {
        kind: "removal.failing",
        subject: `destination ${destination_id}`,
        isLevel: true,
      }, {
        ...NO_SUBJECT,
        name: "removal.failing",
        ...ownerOf(destination),
        recipients: { workspaceId: workspace_id, exceptStreamId: 0 },
        reason: `${count} at destination ${label} (${destination_id}): ${error}`,
        key: `destination ${destination_id} removal.failing`,
      });
    }
    const subjects = failing.map(({ destination_id }) => `destination ${destination_id}`);
    await endOthers(services, sql, "removal.failing", subjects);
  });
}

/** Ends alerts about duplicate agents that were last refused more than a day ago. */
export async function watchDuplicates(services: ServiceContext): Promise<void> {
  const { clock, database } = services;
  await transaction(database, async (sql) => {
    const before = new Date(clock.now().getTime() - DUPLICATE_SHOWN);
    const subjects = await openSubjects(sql, "agent.duplicate", before);
    await endAlerts(services, sql, ["agent.duplicate"], subjects);
  });
}

/** Reports each failing stream to the other streams of its workspace. */
export async function watchStreams(services: ServiceContext): Promise<void> {
  const { clock, database } = services;
  await transaction(database, async (sql) => {
    const failing = await failingStreams(sql, new Date(clock.now().getTime() - STREAMS_FAIL_FOR));
    for (const stream of failing) {
      const { error, id, label, workspace_id } = stream;
      await raiseAlert(services, sql, {
        kind: "notifications.failing",
        subject: `stream ${id}`,
        isLevel: true,
      }, {
        ...NO_SUBJECT,
        name: "notifications.failing",
        ...ownerOf(stream),
        recipients: { workspaceId: workspace_id, exceptStreamId: id },
        reason: `Stream ${label} (${id}): ${error ?? "It takes nothing."}`,
        key: `stream ${id} notifications.failing`,
      });
    }
    await endOthers(services, sql, "notifications.failing", failing.map(({ id }) => `stream ${id}`));
  });
}

/** Ends the open alerts of a kind, except the alerts about `subjects`. */
async function endOthers(
  services: ServiceContext,
  sql: Sql,
  kind: AlertKind,
  subjects: readonly string[],
): Promise<void> {
  for (const subject of await openSubjects(sql, kind)) {
    if (!subjects.includes(subject)) await endAlert(services, sql, { kind, subject });
  }
}

/** Reports an agent that was refused because another agent with the same key is connected. */
export async function notifyDuplicateAgent(
  services: ServiceContext,
  sql: Sql,
  server: OwnedServer,
  reason: string,
): Promise<void> {
  const news = agentMessage(server, "agent.duplicate", reason);
  await raiseAlert(services, sql, { kind: "agent.duplicate", subject: `server ${server.id}` }, news);
}
