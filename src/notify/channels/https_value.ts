import type { Channel } from "./channel.ts";

/** The parts of a channel that posts to a URL that users choose. */
export const httpsValue = {
  valueHelp: "an https URL",
  valueProblem: (value) =>
    /^https:\/\/[^\s/]/i.test(value) && URL.parse(value)?.protocol === "https:"
      ? null
      : "must be an https:// URL",
  urlOf: (value) => URL.parse(value),
} satisfies Partial<Channel>;
