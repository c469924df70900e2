/** Error messages about input fields. */
import type * as z from "zod";

/**
 * Returns a field's name in words: `ip address` for `ip_address`, `notifications.on success` for
 * `notifications.on_success`.
 */
export function fieldWords(path: readonly PropertyKey[]): string {
  return path.map(String).join(".").replaceAll("_", " ");
}

/**
 * Returns a function for a schema's error message: `says("must be a colour")` gives `The colour field must be
 * a colour.`
 */
export function says(predicate: string): (issue: z.core.$ZodRawIssue) => string {
  return (issue) => `The ${fieldWords(issue.path ?? [])} field ${predicate}.`;
}
