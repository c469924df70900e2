/** Looks up the users that programs run as. */
import { RunFailedError } from "../ports.ts";
import { capture } from "./capture.ts";
import type { Children } from "./children.ts";
import type { SystemUser } from "./system_user.ts";

/**
 * Returns the user with this name; null if there is none. Queries the system's name services, so users in
 * LDAP are found too.
 */
export async function findUser(children: Children, name: string): Promise<SystemUser | null> {
  const { exit, stdout } = await capture(children, { program: "getent", args: ["passwd", "--", name] });
  if (exit.code !== 0) return null;
  const [found, , uid, gid, , home] = stdout.trim().split(":");
  // If `name` is a number, getent takes it for a user id, and returns a user with another name.
  return found === name ? { name, uid: Number(uid), gid: Number(gid), home: home || "/" } : null;
}

/**
 * Returns the user to switch to for `name`. Returns null if no switch is needed: `name` is null or is the
 * agent's own user. Rejects with a `RunFailedError` if the user does not exist, or if the agent is not
 * allowed to switch to it.
 *
 * @param field The setting with the user's name, for the error message: `Change <field>`.
 */
export async function userToRunAs(
  children: Children,
  name: string | null,
  field = "the task's isolated_username",
): Promise<SystemUser | null> {
  if (name === null) return null;
  const user = await findUser(children, name);
  if (user === null) {
    throw new RunFailedError(
      `Cannot run as ${name}: there is no such user on this server. Create it or change ${field}.`,
    );
  }
  const own = Deno.uid();
  if (user.uid === own) return null;
  if (own !== 0) {
    throw new RunFailedError(
      `Cannot run as ${name}: the agent runs as user id ${own}, and only root can become another user. ` +
        `Run the agent as root or clear ${field}.`,
    );
  }
  return user;
}
