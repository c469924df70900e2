/** Shows lines of a log as text. `assets/log.js` does the same for the lines that it adds. */
import type { Schema } from "../../../client/client.ts";
import { timeOfDay } from "../../components/time.tsx";
import type { View } from "../../view.ts";

export type LogLine = Schema<"BackupTaskLogLine">;

/**
 * Matches characters that could hide or rearrange text: control characters other than the tab, invisible
 * characters, and characters that change the direction of text.
 */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\0-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Returns text with `\x1b` or `\u{202e}` in place of each unsafe character. */
export function visible(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** Returns the text of a line. A time at the beginning of the line is shown as a local time of day. */
export function lineText(view: View, { text }: LogLine): string {
  const stamp = /^\d{4}-\d\d-\d\dT[\d:.]+Z(?= )/.exec(text)?.[0];
  if (stamp === undefined || Number.isNaN(Date.parse(stamp))) return visible(text);
  return `${timeOfDay(view, stamp)}${visible(text.slice(stamp.length))}`;
}
