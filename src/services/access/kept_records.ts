/** Says which records prevent the deletion of a workspace. */
import { countRecords } from "../../store/access/record_counts.ts";
import type { Sql } from "../../store/database/sql.ts";
import type { ServiceContext } from "../context.ts";
import { pluralize } from "../pluralize.ts";

/**
 * Returns the numbers of tasks, servers, destinations and backups, each as a text such as `2 backups`. Each
 * number is the sum over all given workspaces. A number of 0 is left out.
 */
export async function keptRecords(
  { clock }: Pick<ServiceContext, "clock">,
  sql: Sql,
  workspaceIds: readonly number[],
): Promise<string[]> {
  const counts = await Promise.all(workspaceIds.map((id) => countRecords(sql, id, clock.now())));
  const kept = [
    ["backup_tasks", "backup task"],
    ["remote_servers", "remote server"],
    ["backup_destinations", "backup destination"],
    ["backups", "backup"],
  ] as const;
  return kept
    .map(([name, noun]) => [counts.reduce((sum, each) => sum + each[name], 0), noun] as const)
    .filter(([count]) => count > 0)
    .map(([count, noun]) => pluralize(count, noun));
}
