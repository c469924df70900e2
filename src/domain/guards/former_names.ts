/**
 * Names that the first guards had before there was a registry. The API still has the field of a task, and
 * the wire the field of a task and of an agent's report. New guards have none.
 */
import type { GuardName } from "./registry.ts";

export const FORMER_NAMES = [
  { name: "incompressible", field: "on_incompressible", report: "suspicion" },
  { name: "shrink", field: "on_shrink", report: "shrinking" },
] as const satisfies readonly { name: GuardName; field: string; report: string }[];
