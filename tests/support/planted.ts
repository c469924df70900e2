/** Rows that most tests need: a user with a server, a local destination and a daily task. */
import { randomUUID } from "node:crypto";
import type { Caller, Services } from "../../src/services/context.ts";
import { connectAgent } from "../../src/services/connections.ts";
import { registerReplica } from "../../src/services/replicas.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { ABILITIES } from "../../src/domain/abilities.ts";

export interface Planted {
  caller: Caller;
  serverId: number;
  destinationId: number;
  taskId: number;
}

/** Each call makes another user. `task` overrides columns of the task. */
export async function plant(
  services: Services,
  task: Record<string, unknown> = {},
  destination: Record<string, unknown> = {},
): Promise<Planted> {
  const sql = services.database;
  const now = services.clock.now();
  const at = { created_at: now, updated_at: now };
  const insert = async (table: string, values: Record<string, unknown>) => {
    const [row] = await sql<{ id: number }[]>`insert into ${sql(table)} ${sql(values)} returning id`;
    return row!.id;
  };
  const userId = await insert("users", { name: "Ada", email: `${randomUUID()}@example.com`, ...at });
  const server = { user_id: userId, label: "server", ip_address: "127.0.0.1", ...at };
  const serverId = await insert("remote_servers", server);
  const destinationId = await insert("backup_destinations", {
    user_id: userId,
    label: "here",
    type: "local",
    local_path: "/backups",
    ...at,
    ...destination,
  });
  const taskId = await insert("backup_tasks", {
    user_id: userId,
    remote_server_id: serverId,
    backup_destination_id: destinationId,
    label: "task",
    type: "files",
    source_path: "/data",
    frequency: "daily",
    time_to_run_at: "01:00",
    timezone: "UTC",
    ...at,
    ...task,
  });
  const caller: Caller = { userId, tokenId: 0, isAdmin: false, abilities: new Set(ABILITIES) };
  return { caller, serverId, destinationId, taskId };
}

export const AGENT = { version: "0", hostname: "host", os: "linux", arch: "x64", tools: {} };

/** An agent's hello, as the hub passes it on. Returns the answers for its runs. */
export async function sayHello(
  services: Services,
  serverId: number,
  runs: { run_id: number; attempt: number; finished: boolean; last_sequence: number }[] = [],
  protocol = PROTOCOL_VERSION,
) {
  const replicaId = randomUUID();
  await registerReplica(services, replicaId);
  const connection = { id: randomUUID(), replicaId, remoteServerId: serverId };
  const answers = await connectAgent(services, connection, { protocol, description: AGENT, runs });
  return { connection, answers };
}
