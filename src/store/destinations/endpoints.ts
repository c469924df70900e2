/** Lists the destinations whose endpoints are watched, and stores when each endpoint was last checked. */
import type { DestinationType } from "../../definitions/destinations/registry.ts";
import type { Sql } from "../database/sql.ts";
import type { BackupDestinationRow } from "./backup_destinations.ts";

export type WatchedDestination = Pick<
  BackupDestinationRow,
  "id" | "user_id" | "workspace_id" | "label" | "type" | "settings"
>;

/** Lists the destinations of these types in all workspaces, without those in the trash. */
export async function listDestinationsOfTypes(
  sql: Sql,
  types: readonly DestinationType[],
): Promise<WatchedDestination[]> {
  return await sql<WatchedDestination[]>`
    select id, user_id, workspace_id, label, type, settings from backup_destinations
    where type = any(${[...types]}) and deletes_at is null order by id`;
}

/**
 * Returns up to `limit` of the endpoints, and records `now` as the time of their check. An endpoint is
 * returned only if its last check was at `before` or earlier, or if it was never checked. Endpoints that were
 * never checked come first. If several control planes call this function at the same time, each endpoint is
 * returned to only one of them.
 */
export async function claimEndpoints(
  sql: Sql,
  endpoints: readonly string[],
  { now, before, limit }: { now: Date; before: Date; limit: number },
): Promise<string[]> {
  const rows = await sql<{ endpoint: string }[]>`
    insert into endpoint_checks (endpoint, checked_at)
    select endpoint, ${now}::timestamptz from (
      select endpoint from unnest(${[
    ...endpoints,
  ]}::text[]) endpoint left join endpoint_checks using (endpoint)
      where checked_at is null or checked_at <= ${before}
      order by checked_at nulls first, endpoint limit ${limit}
    ) due order by endpoint
    on conflict (endpoint) do update set checked_at = excluded.checked_at
      where endpoint_checks.checked_at <= ${before}
    returning endpoint`;
  return rows.map(({ endpoint }) => endpoint);
}

/**
 * Deletes old checks of endpoints that no destination uses any more. A check is old if it was made at
 * `before` or earlier.
 *
 * @param endpoints The endpoints that are still in use.
 */
export async function deleteEndpointChecks(
  sql: Sql,
  endpoints: readonly string[],
  before: Date,
): Promise<void> {
  await sql`
    delete from endpoint_checks where checked_at <= ${before} and endpoint <> all(${[...endpoints]}::text[])`;
}
