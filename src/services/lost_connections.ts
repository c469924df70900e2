/** Retries requests that only read: see the store's `lost_connections.ts`. */
export { retryLost } from "../store/database/lost_connections.ts";
