import type { Channel } from "./channel.ts";

/** The properties shared by all channels that post to a URL of the user's choice. */
export const httpsValue = {
  valueHelp: "an https URL",
  valueProblem: (value) =>
    /^https:\/\/[^\s/]/i.test(value) && URL.parse(value)?.protocol === "https:"
      ? null
      : "must be an https:// URL",
  urlOf: (value) => URL.parse(value),
} satisfies Partial<Channel>;
