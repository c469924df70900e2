/** Explains why an SSH server accepts the log-in but does not start SFTP. */
import { Buffer } from "node:buffer";
import type { Client } from "ssh2";
import type { Clock } from "../../../../src/domain/clock.ts";
import type { SftpDestination as Spec } from "../../../../src/definitions/destinations/sftp.ts";
import { oneLine } from "../../programs/line.ts";
import { RunFailedError } from "../../ports.ts";
import { ConnectionLostError } from "./requests.ts";
import { describeServer, LoginFailedError } from "./ssh_login.ts";

/** Limits on the server's message: waiting time in milliseconds, and length in characters. */
const PATIENCE = 3_000;
const LONGEST = 200;

/**
 * Returns the error to report. If the server prints a message when a program is started, the error includes
 * this message.
 */
export async function openingError(
  spec: Spec,
  cause: Error,
  client: Client,
  clock: Clock,
): Promise<RunFailedError> {
  const action = `Cannot open SFTP at ${describeServer(spec)}`;
  if (cause instanceof ConnectionLostError) {
    return new LoginFailedError(
      `${action}: ${cause.message}, right after the log-in. Check its SSH server's log. The directory of a ` +
        "ChrootDirectory, and every directory above it, must belong to root and be writable by root only.",
      true,
      { cause },
    );
  }
  const fail = (reason: string) => new RunFailedError(`${action}: ${reason}`, { cause });
  const noise =
    /Packet length (\d+) exceeds|Invalid packet length|Unknown packet type|Expected VERSION packet/
      .exec(cause.message);
  if (noise !== null) {
    return fail(
      `the log-in shell of this user prints text${sample(noise[1])} before SFTP begins. Let its start-up ` +
        "files (such as .bashrc) print nothing without a terminal, or use internal-sftp for the user.",
    );
  }
  if (/Channel open failure/.test(cause.message)) {
    return fail(
      "the server opens no session for this user. Check MaxSessions in its sshd_config, and its log.",
    );
  }
  const said = /exit code|exit signal|end unexpectedly/i.test(cause.message)
    ? await saidTo(client, clock)
    : "";
  if (said !== "") return fail(`the server says: ${said}`);
  return fail("the server does not offer it to this user.");
}

/**
 * Runs the program `true` on the server. The program does nothing. Returns the errors that the server prints,
 * for example about an expired password.
 */
async function saidTo(client: Client, clock: Clock): Promise<string> {
  const over = new AbortController();
  let text = "";
  const saying = new Promise<void>((resolve) => {
    client.once("close", resolve);
    client.exec("true", (error, channel) => {
      if (error) return resolve();
      channel.on("data", () => {});
      channel.stderr.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
      channel.on("close", resolve);
    });
  });
  // If the connection has just ended, ssh2 throws. In this case, `true` has not run, and the server has
  // printed nothing.
  await Promise.race([saying.catch(() => {}), clock.sleep(PATIENCE, over.signal).catch(() => {})]);
  over.abort();
  return oneLine(text.trim()).slice(0, LONGEST);
}

/**
 * Returns the first four bytes of a response that is not SFTP, as text for an error message. Returns an empty
 * string if the bytes are not printable.
 *
 * @param length The number that ssh2 has read from these four bytes.
 */
function sample(length: string | undefined): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(Number(length ?? 0) >>> 0);
  const text = bytes.toString("latin1");
  return /^[\x20-\x7e]{4}$/.test(text) ? ` ("${text}…")` : "";
}
