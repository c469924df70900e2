/** Lists the files of a server through its agent, so that a person can choose what to back up. */
import { InvalidError } from "../../domain/errors.ts";
import type { PageWindow } from "../../domain/page.ts";
import type { ServerEntry } from "../../protocol/exploring.ts";
import { PROTOCOL_EXPLORE } from "../../protocol/version.ts";
import { requestAgent } from "../agent_rpc/agent_requests.ts";
import type { Caller, ServiceContext } from "../context.ts";
import { findConnected } from "./connected_agent.ts";

export type { ServerEntry };

/**
 * Time limit for the agent's response, in milliseconds. A network file system might keep the agent waiting.
 */
const AGENT_TIMEOUT = 30_000;

export interface ServerFilesQuery extends PageWindow {
  /** Absolute path of the directory. */
  path: string;
  /** Only entries whose name contains this text, ignoring case; null lists all. */
  search: string | null;
}

export interface ServerListing {
  rows: ServerEntry[];
  total: number;
  path: string;
  /** Whether the directory has more entries than the agent reads. */
  isTruncated: boolean;
}

/**
 * Returns one page of a directory's entries: directories first, then by name. Symbolic links are listed and
 * never followed.
 *
 * Throws an {@link InvalidError} if the path cannot be listed. Throws a `ConflictError` if the agent is not
 * connected or too old.
 */
export async function listServerFiles(
  services: ServiceContext,
  caller: Caller,
  serverId: number,
  { path, search, ...window }: ServerFilesQuery,
): Promise<ServerListing> {
  await findConnected(services, caller, serverId, PROTOCOL_EXPLORE);
  const payload = {
    kind: "server.browse",
    path,
    ...window,
    ...search === null ? {} : { search },
  } as const;
  const result = await requestAgent(services, serverId, payload, AGENT_TIMEOUT);
  if (result.outcome === "refused") throw new InvalidError({ path: [`The path ${result.reason}.`] });
  return { rows: result.entries, total: result.total, path: result.path, isTruncated: result.is_truncated };
}
