/**
 * Options that make connections of node:http use the environment's proxy, as `fetch` and websockets do in
 * Deno.
 */
import process from "node:process";

/** Options for `Agent` of node:http and node:https: use the proxy of the environment, if it sets one. */
export const outgoing = { proxyEnv: process.env };
