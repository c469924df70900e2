/** Re-exports the retry of read-only requests: see the store's `lost_connections.ts`. */
export { retryLost } from "../store/database/lost_connections.ts";
