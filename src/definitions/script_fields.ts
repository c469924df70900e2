/** Every field of a script. */
import * as z from "zod";
import { defineFields } from "./fields/field.ts";
import { systemUser } from "./formats/databases.ts";
import { says } from "./formats/says.ts";
import { integer, line } from "./formats/text.ts";

/** When a script runs. The values are in the order in which a run executes them. */
export const SCRIPT_TYPES = ["prescript", "after_success", "after_failure", "postscript"] as const;
export type ScriptType = typeof SCRIPT_TYPES[number];

export const SCRIPT_FAILURES = ["fail", "warn"] as const;
export type ScriptFailure = typeof SCRIPT_FAILURES[number];

/** Maximum size of a script's text, in bytes. */
const MAX_SCRIPT_BYTES = 65_536;
/** Maximum timeout of a script, in seconds: one day. */
const MAX_SECONDS = 86_400;

const scriptText = z.string()
  .refine((text) => text.trim() !== "", { error: says("must not be empty") })
  .refine((text) => new TextEncoder().encode(text).length <= MAX_SCRIPT_BYTES, {
    error: says(`must not be larger than ${MAX_SCRIPT_BYTES} bytes`),
  })
  .meta({ minLength: 1, maxLength: MAX_SCRIPT_BYTES });

/**
 * Returns the text without what interpreters do not understand: a byte order mark, and the carriage returns
 * of Windows line ends.
 */
export function normalizeScript(text: string): string {
  return text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n");
}

export const SCRIPT_FIELDS = defineFields({
  label: { schema: line(255), help: "name of the script", isRequired: true },
  type: { schema: z.enum(SCRIPT_TYPES), help: "when it runs", isRequired: true, placeholder: "type" },
  script: {
    schema: scriptText,
    help: "its text; `#!` in the first line names the interpreter, by default `/bin/sh`",
    description: "Its text, at most 64 KiB. `#!` in the first line names the interpreter; by default " +
      "`/bin/sh`. Windows line ends become `\\n`. Agents keep it on disk during a run: hold no secrets in it.",
    isRequired: true,
  },
  timeout_seconds: {
    schema: integer(1, MAX_SECONDS),
    help: "seconds after which it is ended, with all that it started",
    description: "Seconds after which it is ended, with all that it started. Default 600.",
    placeholder: "seconds",
    default: 600,
  },
  run_as: {
    schema: systemUser(),
    help: "system user that it runs as; by default the agent's own",
    description: "System user that it runs as. Null: the agent's own, usually root.",
    placeholder: "name",
  },
  on_failure: {
    schema: z.enum(SCRIPT_FAILURES),
    help: "whether the run fails with it, or counts a warning",
    description:
      "Whether a failure of it fails the run (`fail`, the default) or counts a warning (`warn`). " +
      "A stored backup stays stored.",
    placeholder: "action",
    default: "fail",
  },
});
export type ScriptFields = typeof SCRIPT_FIELDS;
