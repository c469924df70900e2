/**
 * Options for connections of node:http. With them, connections use the proxy that the environment variables
 * name, as Deno's `fetch` and websockets do by default.
 */
import process from "node:process";

/**
 * Options for the `Agent` of node:http and node:https: use the proxy of the environment variables, if they
 * name one.
 */
export const outgoing = { proxyEnv: process.env };
