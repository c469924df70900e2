/** Prepares a plain connection to a mail server for TLS. */
import { connect, type Socket } from "node:net";

/** SMTP commands. Each one is sent after the server's response to the previous command. */
const STEPS = ["EHLO localhost\r\n", "STARTTLS\r\n"];

/** Resolves with a connection that is ready for TLS; with null if the server fails or is too slow. */
export function startTls(host: string, port: number, timeoutMs: number): Promise<Socket | null> {
  const { promise, resolve } = Promise.withResolvers<Socket | null>();
  const socket = connect({ host, port, timeout: timeoutMs });
  const fail = () => {
    socket.destroy();
    resolve(null);
  };
  let text = "";
  let step = 0;
  const onData = (chunk: Uint8Array) => {
    text += new TextDecoder().decode(chunk);
    // A response may have several lines. Only its last line has a space after the code.
    if (!/^2\d\d [^\n]*\n$/m.test(text)) return void (/^[45]\d\d /m.test(text) && fail());
    text = "";
    if (step < STEPS.length) return void socket.write(STEPS[step++]!);
    socket.off("data", onData);
    resolve(socket);
  };
  socket.on("data", onData);
  for (const event of ["error", "timeout", "close"]) socket.once(event, fail);
  return promise;
}
