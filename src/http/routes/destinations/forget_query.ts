/**
 * Defines the query parameter `forget` of deletions, for destinations that no longer exist. A deletion with
 * `forget` deletes only records. The stored objects stay.
 */
import { z } from "@hono/zod-openapi";

/** Describes the value `trash` of the parameter `status`, for lists whose records go to the trash. */
export const TRASH = {
  description: "`trash`: only deleted records that can still be restored.",
  example: "trash",
};

export const ForgetQuery = z.object({
  forget: z.boolean().default(false).openapi({
    description:
      "For a location that is gone for good. Deletes only the records of backups: their objects stay, and the location is not " +
      "accessed. The records are in the trash until `deletes_at`, and listed nowhere else.",
    example: true,
  }),
});
