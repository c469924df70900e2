/** Maps every type of notification stream to its channel. */
import type { Channel } from "./channel.ts";
import { discord } from "./discord_webhook.ts";
import { email } from "./email.ts";
import { healthchecks } from "./healthchecks.ts";
import { ntfy } from "./ntfy.ts";
import { pushover } from "./pushover.ts";
import { slack } from "./slack_webhook.ts";
import { teams } from "./teams_webhook.ts";
import { telegram } from "./telegram.ts";
import { webhook } from "./webhook.ts";

export const CHANNELS = {
  email,
  discord_webhook: discord,
  slack_webhook: slack,
  teams_webhook: teams,
  pushover,
  ntfy,
  healthchecks,
  telegram,
  webhook,
} satisfies Readonly<Record<string, Channel>>;

export type NotificationStreamType = keyof typeof CHANNELS;

export const NOTIFICATION_STREAM_TYPES = Object.keys(CHANNELS) as [
  NotificationStreamType,
  ...NotificationStreamType[],
];

/** Returns the channel of a stream, whose row has only the type's name. */
export function channelOf(type: string): Channel {
  return CHANNELS[type as NotificationStreamType];
}

/** Returns whether streams of this type get each step of a backup run, and nothing else. */
export function followsRuns(type: string): boolean {
  return channelOf(type).digest === null;
}

/** The types whose streams follow runs. */
export const RUN_FOLLOWERS: readonly string[] = NOTIFICATION_STREAM_TYPES.filter(followsRuns);
