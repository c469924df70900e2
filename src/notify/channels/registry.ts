/** Maps every type of notification stream to its channel. */
import { UnavailableError } from "../../domain/errors.ts";
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

/**
 * Returns the channel for a stream's type. Throws an {@link UnavailableError} for a type that this version
 * does not support. Such a stream can exist during an update, if a newer control plane has stored it.
 */
export function channelOf(type: string): Channel {
  if (isKnownType(type)) return CHANNELS[type];
  throw new UnavailableError(
    `Cannot use the notification stream: its type, ${type}, is not known to this version. Update this control plane.`,
  );
}

/** Returns the display name of a notification stream's type. Returns an unknown type unchanged. */
export function labelOf(type: string): string {
  return isKnownType(type) ? CHANNELS[type].label : type;
}

function isKnownType(type: string): type is NotificationStreamType {
  return Object.hasOwn(CHANNELS, type);
}

/**
 * Returns whether streams of this type follow runs. Such streams get an event at the start and at the end of
 * each backup run. They get no other events.
 */
export function followsRuns(type: string): boolean {
  return channelOf(type).digest === null;
}

/** The types of notification streams for which {@link followsRuns} returns true. */
export const RUN_FOLLOWERS: readonly string[] = NOTIFICATION_STREAM_TYPES.filter(followsRuns);
