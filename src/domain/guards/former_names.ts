/**
 * The names that two guards had before the registry of guards was introduced. `field` is the guard's field of
 * a task, in the API and on the wire; `report` is its field in an agent's report. Newer guards have no old
 * names.
 */
import type { GuardName } from "./registry.ts";

export const FORMER_NAMES = [
  { name: "incompressible", field: "on_incompressible", report: "suspicion" },
  { name: "shrink", field: "on_shrink", report: "shrinking" },
] as const satisfies readonly { name: GuardName; field: string; report: string }[];
