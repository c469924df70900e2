/** The servers on which a backup can be restored. */
import type { Schema } from "../../../client/client.ts";
import { relativeTime } from "../../components/time.tsx";
import type { View } from "../../view.ts";

export type Server = Schema<"RemoteServer">;

/** Maximum number of pages of servers that are read. */
const MAX_PAGES = 10;

/** Returns the servers of the workspace, by label. */
export async function listServers(view: View): Promise<Server[]> {
  const servers: Server[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const list = await view.list("/api/remote-servers", { query: { sort: "label", per_page: 100, page } });
    servers.push(...list.rows);
    if (page >= list.pages) break;
  }
  return servers;
}

export function isConnected({ status }: Server): boolean {
  return status.connectivity === "connected";
}

/** Says why nothing can be restored on a server now. */
export function reasonOf(view: View, { status }: Server): string {
  if (status.last_connected_at === null) return "its agent has never connected";
  return `its agent is not connected, last seen ${relativeTime(view, status.last_connected_at)}`;
}
