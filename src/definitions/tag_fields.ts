/** Every field of a tag. */
import * as z from "zod";
import { defineFields } from "./fields/field.ts";
import { says } from "./formats/says.ts";
import { line, text, trimmed } from "./formats/text.ts";

export const TAG_FIELDS = defineFields({
  label: { schema: line(255), help: "name of the tag", isRequired: true },
  description: { schema: text(1000), help: "notes about the tag" },
  colour: {
    schema: trimmed(z.string()).regex(/^#[0-9a-fA-F]{6}$/, {
      error: says("must be a colour such as #1f2937"),
    })
      .toLowerCase(),
    help: "colour as `#rrggbb`",
  },
});
export type TagFields = typeof TAG_FIELDS;
