/**
 * Names that the first two guards had before there was a registry. `field` is a task's field in the API and
 * on the wire; `report` is the field of an agent's report. Newer guards have no such names.
 */
import type { GuardName } from "./registry.ts";

export const FORMER_NAMES = [
  { name: "incompressible", field: "on_incompressible", report: "suspicion" },
  { name: "shrink", field: "on_shrink", report: "shrinking" },
] as const satisfies readonly { name: GuardName; field: string; report: string }[];
