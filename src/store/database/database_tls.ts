/**
 * Starts TLS on a connection to PostgreSQL. The client first sends a plain-text request, as the section "SSL
 * Session Encryption" of PostgreSQL's protocol says.
 */
import { Buffer } from "node:buffer";
import { isIP, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { systemClock } from "../../domain/clock.ts";
import type { DatabaseTls } from "../../domain/database/database_url.ts";

/** The request for TLS: the message's length, and a number in place of a protocol version. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const YES = "S".charCodeAt(0);

/** Maximum time until the connection to a server is encrypted, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Waits until `socket` is connected, encrypts it, and returns the encrypted socket. If the server has no TLS
 * and the mode is `prefer`, returns `socket` itself. If an error occurs, closes the socket and rejects with
 * the reason.
 */
export async function encrypted(socket: Socket, host: string, tls: DatabaseTls): Promise<Socket> {
  const late = problem("CONNECT_TIMEOUT", `no answer in ${PATIENCE / 1000} s`);
  const timer = setTimeout(() => socket.destroy(late), PATIENCE);
  try {
    await event(socket, "connect");
    const answered = event(socket, "data") as Promise<Uint8Array>;
    socket.write(SSL_REQUEST);
    const [answer] = await answered;
    if (answer !== YES) {
      if (tls.mode === "prefer") return socket;
      throw problem("CONNECTION_REFUSED", "the server has no TLS");
    }
    const secure = connect({
      socket,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(tls.rootCertificate === null ? {} : { ca: await Deno.readTextFile(tls.rootCertificate) }),
      // Accept any certificate here, and check it below. The error then says if the certificate has expired.
      // Deno 2.9.6 would report an expired certificate as "unable to verify".
      rejectUnauthorized: false,
      ...(tls.mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
    });
    secure.once("close", () => socket.destroy());
    await event(secure, "secureConnect");
    const isVerified = tls.mode !== "prefer" && tls.mode !== "require";
    if (isVerified && !secure.authorized) throw certificateFault(secure);
    return secure;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function certificateFault(socket: TLSSocket): Error {
  const { valid_from, valid_to, subjectaltname } = socket.getPeerCertificate();
  const seconds = (moment: string) => Math.floor(new Date(moment).getTime() / 1000);
  const now = systemClock.now().getTime() / 1000;
  const code = String((socket.authorizationError as { code?: string })?.code ?? socket.authorizationError);
  const text = String((socket.authorizationError as Error)?.message ?? code);
  if (seconds(valid_to) < now) return problem(code, `certificate not valid after ${seconds(valid_to)}`);
  if (seconds(valid_from) > now) return problem(code, `certificate not valid before ${seconds(valid_from)}`);
  return problem(code, /ALTNAME/.test(code) ? `${text} ${subjectaltname ?? ""}` : text);
}

/** Builds an error in the form that postgres.js uses. */
function problem(code: string, message: string): Error {
  return Object.assign(new Error(message), { code, errno: code });
}

/**
 * Waits for the socket's event `name`, and resolves with the event's value. Rejects if an error or the end of
 * the connection comes first.
 */
function event(socket: Socket, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const listeners: [string, (value: unknown) => void][] = [
      [name, (value) => settle(() => resolve(value))],
      ["error", (error) => settle(() => reject(error))],
      ["close", () => settle(() => reject(problem("CONNECTION_CLOSED", "the server closed the connection")))],
    ];
    const settle = (end: () => void) => {
      for (const [of, listener] of listeners) socket.removeListener(of, listener);
      end();
    };
    for (const [of, listener] of listeners) socket.on(of, listener);
  });
}
