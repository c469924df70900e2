/** The types of notification streams, as the pages show them. */
import { channelOf, labelOf, NOTIFICATION_STREAM_TYPES } from "../../../notify/channels/registry.ts";

export interface StreamType {
  readonly type: string;
  readonly label: string;
  /** Description of the stream's value, in one line without a full stop. */
  readonly valueHelp: string;
}

export const STREAM_TYPES: readonly StreamType[] = NOTIFICATION_STREAM_TYPES.map((type) => ({
  type,
  label: labelOf(type),
  valueHelp: channelOf(type).valueHelp,
}));
