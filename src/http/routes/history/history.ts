/** Lists the endpoints about what changed over time. */
import type { Endpoint } from "../../endpoint.ts";
import { connectivityEndpoints } from "./connectivity.ts";
import { proofEndpoints } from "./proofs.ts";
import { runDaysEndpoints } from "./run_days.ts";
import { storageDaysEndpoints } from "./storage_days.ts";
import { taskRunEndpoints } from "./task_runs.ts";

export const historyEndpoints: readonly Endpoint[] = [
  ...runDaysEndpoints,
  ...storageDaysEndpoints,
  ...taskRunEndpoints,
  ...proofEndpoints,
  ...connectivityEndpoints,
];
