/** Sentences about input fields. */
import type * as z from "zod";

/** `ip_address` is `ip address`; `notifications.on_success` is `notifications.on success`. */
export function fieldWords(path: readonly PropertyKey[]): string {
  return path.map(String).join(".").replaceAll("_", " ");
}

/** A schema's own message: `says("must be a colour")` gives `The colour field must be a colour.` */
export function says(predicate: string): (issue: z.core.$ZodRawIssue) => string {
  return (issue) => `The ${fieldWords(issue.path ?? [])} field ${predicate}.`;
}
