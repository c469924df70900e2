/** Repeats work whose database connection was lost. */
import { isLostConnection, settleConnections } from "../store/database/lost_connections.ts";
import type { ServiceContext } from "./context.ts";

/** Runs `work`. Runs it again if its connection was lost, so `work` must be safe to repeat. */
export async function retryLost<T>(
  { database }: Pick<ServiceContext, "database">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isLostConnection(error)) throw error;
    await settleConnections(database);
    return await work();
  }
}
