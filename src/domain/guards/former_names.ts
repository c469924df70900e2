/**
 * The former names of two guards, from before the registry of guards. `field` is the name of the guard's
 * field in a task, in the API and in messages to agents. `report` is the name of the guard's field in an
 * agent's report. Newer guards have no former names.
 */
import type { GuardName } from "./registry.ts";

export const FORMER_NAMES = [
  { name: "incompressible", field: "on_incompressible", report: "suspicion" },
  { name: "shrink", field: "on_shrink", report: "shrinking" },
] as const satisfies readonly { name: GuardName; field: string; report: string }[];
