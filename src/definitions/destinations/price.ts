/** The fields that say what a destination costs. Every destination type has them. */
import * as z from "zod";
import { says } from "../formats/says.ts";
import { trimmed } from "../formats/text.ts";

export const priceFields = {
  price_per_gb_month: {
    schema: z.number().min(0).max(1_000_000),
    help: "the price of a gigabyte (10^9 bytes) that is stored for a month, such as 0.023",
    description: "From it follows `usage.cost_per_month`.",
    placeholder: "price",
    example: 0.023,
  },
  currency: {
    schema: trimmed(z.string().toUpperCase()).regex(/^[A-Z]{3}$/, {
      error: says("must be the three letters of a currency, such as EUR"),
    }),
    help: "the currency of the price: three letters, such as EUR",
    placeholder: "code",
    example: "EUR",
  },
} as const;
