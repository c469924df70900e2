/**
 * Options for connections of node:http. With these options, connections use the proxy that the environment
 * variables name. Deno's `fetch` and websockets do so by default.
 */
import process from "node:process";

export const outgoing = { proxyEnv: process.env };
