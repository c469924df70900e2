/** The query parameter of deletions that keeps the objects, for destinations that are gone for good. */
import { z } from "@hono/zod-openapi";

/** The `trash` value of `status`, for lists whose records go to the trash. */
export const TRASH = {
  description: "`trash`: what was deleted and can still be taken back.",
  example: "trash",
};

export const ForgetQuery = z.object({
  forget: z.boolean().default(false).openapi({
    description:
      "For a place that is gone for good. Records of backups are dropped and their objects are left as they are: nothing is " +
      "asked of the place. They are in the trash until `deletes_at`, and shown nowhere else.",
    example: true,
  }),
});
