/**
 * How connections by node:http leave this machine: as those of `fetch` and of the websocket do, which ask
 * Deno's environment.
 */
import process from "node:process";

/** For agents of node:http and node:https: through the proxy that the environment names, if any. */
export const outgoing = { proxyEnv: process.env };
