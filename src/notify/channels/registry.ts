/** Maps every type of stream to its channel. */
import type { NotificationStreamType } from "../../domain/notifications/notification_stream.ts";
import type { Channel } from "./channel.ts";
import { discord } from "./discord_webhook.ts";
import { email } from "./email.ts";
import { pushover } from "./pushover.ts";
import { slack } from "./slack_webhook.ts";
import { teams } from "./teams_webhook.ts";
import { telegram } from "./telegram.ts";
import { webhook } from "./webhook.ts";

export const CHANNELS: Readonly<Record<NotificationStreamType, Channel>> = {
  email,
  discord_webhook: discord,
  slack_webhook: slack,
  teams_webhook: teams,
  pushover,
  telegram,
  webhook,
};
