/**
 * The field that says when a destination is nearly full. A destination type has this field only if agents can
 * measure its free space.
 */
import { integer } from "../formats/text.ts";

/**
 * Share of free space, in percent, below which a destination is nearly full. It applies to destinations
 * without a value of their own.
 */
export const NEARLY_FULL_BELOW = 10;

export const nearlyFullField = {
  nearly_full_below: {
    schema: integer(0, 99),
    help: "the share of free space in percent below which its users are notified; 0: never; by default 10",
    description:
      "Percent of free space: below it, `destination.nearly_full` is sent. 0: never. Null: 10. Measured after backups and checks.",
    placeholder: "percent",
  },
} as const;
