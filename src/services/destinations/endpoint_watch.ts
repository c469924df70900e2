/** Warns workspaces before the certificates at the endpoints of their destinations expire. */
import { definitionOf, DESTINATION_TYPES } from "../../definitions/destinations/registry.ts";
import { ownerOf } from "../../domain/access/owner.ts";
import { isoSeconds } from "../../domain/notifications/notification.ts";
import type { Validity } from "../../network/tls_agent.ts";
import { transaction } from "../../store/database/database.ts";
import type { Sql } from "../../store/database/sql.ts";
import {
  claimEndpoints,
  deleteEndpointChecks,
  listDestinationsOfTypes,
  type WatchedDestination,
} from "../../store/destinations/endpoints.ts";
import { listOpenSubjects } from "../../store/notifications/alerts.ts";
import { isCertificateEnding } from "../access/certificate_watch.ts";
import type { ServiceContext } from "../context.ts";
import { endAlert, endAlerts, raiseAlert } from "../notifications/alerts.ts";

/** The shortest time between two connections to the same endpoint, in milliseconds. */
const CHECK_INTERVAL = 24 * 3_600_000;

/**
 * Maximum number of endpoints that one call of {@link watchEndpoints} checks. The next call checks the rest.
 * If no server answers, a call takes about ten seconds. A longer call would delay the stop of the control
 * plane.
 */
const LIMIT = 100;

/** How many endpoints are checked at the same time. */
const AT_ONCE = 50;

/** Maximum number of destinations that a message names. */
const NAMED = 3;

const KIND = "certificate.expiring";

/**
 * How the subjects of alerts about endpoints begin. Alerts of the same kind about the public URL have other
 * subjects.
 */
const SUBJECT_PREFIX = "workspace ";

const WATCHED_TYPES = DESTINATION_TYPES.filter((type) => definitionOf(type).endpoint !== undefined);

type Watching = Pick<ServiceContext, "clock" | "database" | "network">;

/** A host and port that destinations name, with these destinations grouped by workspace. */
interface WatchedEndpoint {
  readonly url: URL;
  readonly workspaces: Map<number, WatchedDestination[]>;
}

/**
 * Reads the certificates at the https endpoints of all destinations, once a day for each host and port. If a
 * certificate expires soon, raises one alert in each workspace that has a destination at the endpoint. If it
 * does not expire soon, ends the endpoint's alerts. If the endpoint does not answer, its alerts stay as they
 * are. Also ends a workspace's alerts about endpoints that its destinations no longer use.
 */
export async function watchEndpoints({ clock, database, network }: Watching): Promise<void> {
  const endpoints = groupByEndpoint(await listDestinationsOfTypes(database, WATCHED_TYPES));
  const names = [...endpoints.keys()];
  const now = clock.now();
  const before = new Date(now.getTime() - CHECK_INTERVAL);
  const due = await transaction(database, async (sql) => {
    await deleteEndpointChecks(sql, names, before);
    return await claimEndpoints(sql, names, { now, before, limit: LIMIT });
  });
  const validities = new Map<string, Validity>();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let name = due.pop(); name !== undefined; name = due.pop()) {
      const validity = await network.certificateValidity(endpoints.get(name)!.url);
      if (validity !== null) validities.set(name, validity);
    }
  }));
  await transaction(database, async (sql) => {
    // Destinations might have changed while the servers answered.
    const current = groupByEndpoint(await listDestinationsOfTypes(sql, WATCHED_TYPES));
    await endOtherAlerts({ clock }, sql, current);
    for (const [name, endpoint] of current) {
      const validity = validities.get(name);
      if (validity !== undefined) await report({ clock }, sql, { name, endpoint, validity });
    }
  });
}

/** Returns the https endpoints by host and port. */
function groupByEndpoint(destinations: readonly WatchedDestination[]): Map<string, WatchedEndpoint> {
  const endpoints = new Map<string, WatchedEndpoint>();
  for (const destination of destinations) {
    const url = definitionOf(destination.type).endpoint?.(destination.settings).url;
    if (url?.protocol !== "https:") continue;
    const name = `${url.hostname}:${url.port || 443}`;
    const endpoint = endpoints.get(name) ?? { url, workspaces: new Map() };
    endpoints.set(name, endpoint);
    const { workspaces } = endpoint;
    workspaces.set(destination.workspace_id, [
      ...workspaces.get(destination.workspace_id) ?? [],
      destination,
    ]);
  }
  return endpoints;
}

/** Raises or ends the alerts of all workspaces about one endpoint. */
async function report(
  { clock }: Pick<ServiceContext, "clock">,
  sql: Sql,
  { name, endpoint, validity }: { name: string; endpoint: WatchedEndpoint; validity: Validity },
): Promise<void> {
  const isEnding = isCertificateEnding(validity, clock.now());
  for (const [workspaceId, destinations] of endpoint.workspaces) {
    const subject = subjectOf(workspaceId, name);
    if (!isEnding) {
      await endAlert({ clock }, sql, { kind: KIND, subject });
      continue;
    }
    await raiseAlert({ clock }, sql, { kind: KIND, subject, isLevel: true }, {
      name: KIND,
      ...ownerOf(destinations[0]!),
      taskId: null,
      serverId: null,
      backupId: null,
      run: null,
      reason: `The certificate of ${endpoint.url.host} is valid until ${isoSeconds(validity.to)}. ` +
        `Destinations there: ${namesOf(destinations)}.`,
      recipients: { workspaceId, exceptStreamId: null },
      key: `${subject} ${KIND}`,
    });
  }
}

/** Ends an alert about an endpoint if no destination in the alert's workspace uses the endpoint any more. */
async function endOtherAlerts(
  { clock }: Pick<ServiceContext, "clock">,
  sql: Sql,
  endpoints: ReadonlyMap<string, WatchedEndpoint>,
): Promise<void> {
  const current = new Set(
    [...endpoints].flatMap(([name, { workspaces }]) =>
      [...workspaces.keys()].map((id) => subjectOf(id, name))
    ),
  );
  const open = await listOpenSubjects(sql, KIND, SUBJECT_PREFIX);
  await endAlerts({ clock }, sql, [KIND], open.filter((subject) => !current.has(subject)));
}

function subjectOf(workspaceId: number, endpoint: string): string {
  return `${SUBJECT_PREFIX}${workspaceId} endpoint ${endpoint}`;
}

function namesOf(destinations: readonly WatchedDestination[]): string {
  const named = destinations.slice(0, NAMED).map(({ id, label }) => `${label} (${id})`).join(", ");
  const more = destinations.length - NAMED;
  return more > 0 ? `${named} and ${more} more` : named;
}
