/** Finds the run's session that waits for a lock, and the other sessions that might hold the lock. */
import { firstTool } from "../../programs/tools.ts";
import type { ProgramContext } from "../../run_context.ts";
import { joinNames } from "../database/lock_holders.ts";
import { fromHex, MysqlConnection } from "./connection.ts";

export async function findLockWait(
  login: Parameters<typeof MysqlConnection.open>[0],
  _names: readonly string[],
  context: ProgramContext,
): Promise<string | null> {
  const connection = await MysqlConnection.open(login, context);
  const client = await firstTool(context.children, ["mariadb", "mysql"]);
  if (client === null) return null;
  const rows = await connection.query(
    client.tool,
    `select id, hex(user), hex(host), hex(command), time, hex(coalesce(state, '')) from information_schema.processlist
     where id <> connection_id() order by time desc`,
  );
  const sessions = rows.map(([id, user, host, command, time, state]) => ({
    id: Number(id),
    user: fromHex(user!),
    host: fromHex(host!),
    command: fromHex(command!),
    seconds: Number(time),
    state: fromHex(state!),
  }));
  const isWaiting = ({ state }: { state: string }) => /^waiting for .*(lock|flush)/i.test(state);
  const own = sessions.find((session) => isWaiting(session) && session.user === connection.username);
  if (own === undefined) return null;
  const others = sessions.filter((session) =>
    !isWaiting(session) && session.command !== "Daemon" &&
    !/^(system user|event_scheduler)$/.test(session.user)
  );
  const named = others.map(({ command, host, id, seconds, user }) =>
    `session ${id} (user ${user}, from ${host}, ${command} for ${seconds} s)`
  );
  const holders = named.length === 0
    ? "The login sees no other session: GRANT PROCESS shows who holds it."
    : `It may be held by ${joinNames(named)}. To end a session: KILL ${others[0]!.id}.`;
  return `It waits for a lock (${own.state}). ${holders}`;
}
