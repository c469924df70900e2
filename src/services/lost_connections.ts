/** Retries requests that only read: see the store's `lost_connections.ts`. */
export { retryLost } from "../store/lost_connections.ts";
