/**
 * Options for connections of node:http. With them, connections use the proxy that the environment variables
 * name, as Deno's `fetch` and websockets do by default.
 */
import process from "node:process";

export const outgoing = { proxyEnv: process.env };
