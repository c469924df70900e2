/** Lists the databases of a server, for people who choose what to back up. Nothing is changed. */
import type { ServerDatabases, ServerDatabasesResult } from "../../../src/protocol/exploring.ts";
import { RunFailedError } from "../ports.ts";
import { Children } from "../programs/children.ts";
import { userToRunAs } from "../programs/find_user.ts";
import { oneLine } from "../programs/line.ts";
import { type RequestEnvironment, requestPorts, Warnings } from "../request_ports.ts";
import { detectEngine } from "../sources/database/database_engine.ts";
import { detections, typesByName } from "../sources/registry.ts";

type Refusal = Extract<ServerDatabasesResult, { outcome: "refused" }>;

/** Limit of a response in characters of JSON, because it is sent in one websocket frame. */
const MAX_RESPONSE = 900_000;

/** Returns the server's databases, or the part of the login that is wrong. */
export async function listDatabases(
  { login, run_as }: ServerDatabases,
  environment: RequestEnvironment,
): Promise<ServerDatabasesResult> {
  const ports = requestPorts(environment, new Warnings());
  await using children = new Children(environment.clock, environment.signal);
  let part: Refusal["part"] = "run_as";
  try {
    const user = await userToRunAs(children, run_as, "the system user");
    part = login.host === null ? "engine" : "host";
    const engine = login.engine ?? await detectEngine(login, ports, detections());
    part = "engine";
    const list = typesByName.get(engine)?.listDatabases;
    if (list === undefined) throw new RunFailedError(`this agent can't list databases of the type ${engine}`);
    const listed = await list(login, { job: { run_as }, ports, children, user });
    const result: ServerDatabasesResult = { outcome: "listed", engine, ...listed };
    if (JSON.stringify(result).length <= MAX_RESPONSE) return result;
    throw new RunFailedError("it has too many databases to list. Enter their names");
  } catch (error) {
    environment.signal.throwIfAborted();
    if (!(error instanceof RunFailedError)) throw error;
    const reason = oneLine(error.message).slice(0, 4096);
    return { outcome: "refused", part: wrongPart(reason, login.password !== null) ?? part, reason };
  }
}

/**
 * Returns which part of a login is wrong according to a database program's message; null if the message does
 * not say which.
 */
function wrongPart(message: string, hasPassword: boolean): Refusal["part"] | null {
  if (/password|using password: YES/i.test(message) && !/using password: NO/.test(message)) return "password";
  if (/Access denied|role ".*" does not exist|Peer authentication|Ident authentication/i.test(message)) {
    return hasPassword ? "password" : "username";
  }
  const unreachable = "could not translate host|Connection refused|could not connect|connection to server|" +
    "Can't connect|Unknown .*server host|timeout expired|No such file or directory";
  return new RegExp(unreachable, "i").test(message) ? "host" : null;
}
