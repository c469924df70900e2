/** Words for what tasks back up, and when. */
import { DEFINITIONS } from "../../../definitions/sources/registry.ts";
import type { Choice } from "../../components/form.tsx";
import type { View } from "../../view.ts";

/** The values of a task's `type`, in words. */
export const KINDS: readonly Choice[] = [
  ...new Map([...DEFINITIONS.values()].map(({ taskType, holds }) => [taskType, holds])),
].map(([value, label]) => ({ value, label: capitalized(label) }));

/** Returns the text with its first letter in upper case. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A schedule of the API. */
interface Schedule {
  readonly description: string;
  readonly timezone: string | null;
}

/** Returns a schedule in words, without the time zone if it is the user's own. */
export function scheduleWords(view: View, { description, timezone }: Schedule): string {
  if (timezone !== view.user.timezone) return description;
  return description.replace(` (${timezone})`, "").replace(` ${timezone}`, "");
}
