import type { Channel } from "./channel.ts";

/** The members that are the same in all channels that post to a URL that a user chooses. */
export const httpsValue = {
  valueHelp: "an https URL",
  valueProblem: (value) =>
    /^https:\/\/[^\s/]/i.test(value) && URL.parse(value)?.protocol === "https:"
      ? null
      : "must be an https:// URL",
  urlOf: (value) => URL.parse(value),
} satisfies Partial<Channel>;
