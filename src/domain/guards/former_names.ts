/**
 * Former names of two guards that are older than the registry of guards. The former names stay in use:
 * `field` in tasks, in the API and in messages to agents, and `report` in agents' reports. Newer guards have
 * no former names.
 */
import type { GuardName } from "./registry.ts";

export const FORMER_NAMES = [
  { name: "incompressible", field: "on_incompressible", report: "suspicion" },
  { name: "shrink", field: "on_shrink", report: "shrinking" },
] as const satisfies readonly { name: GuardName; field: string; report: string }[];
