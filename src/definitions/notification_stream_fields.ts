/** Settings of a notification stream that have a flag on the command line. */
import * as z from "zod";
import { EVENT_CLASS_NAMES, type EventClassName } from "../domain/notifications/event_classes.ts";
import { SUMMARIES } from "../domain/notifications/summary.ts";
import { defineFields } from "./fields/field.ts";
import { integer, timeOfDay, timezone } from "./formats/text.ts";

/** Maximum value of a field whose unit is seconds: one year. */
const MAX_SECONDS = 31_536_000;

const CLASSES = Object.fromEntries(
  EVENT_CLASS_NAMES.map((name) => [name, z.boolean().optional()]),
) as Record<EventClassName, z.ZodOptional<z.ZodBoolean>>;

/** The fields that are stored as callers send them, without conversion. */
export const NOTIFICATION_STREAM_SETTINGS = defineFields({
  remind_after: {
    schema: integer(0, MAX_SECONDS),
    help: "seconds between two messages about the same problem; 0: never again; by default 23 hours",
    description:
      "Seconds after which a problem that lasts is reported again. 0: only its beginning and its end are reported. " +
      "Null: 23 hours. Problems that no run reports are looked at once an hour.",
    placeholder: "seconds",
  },
  timezone: {
    schema: timezone(),
    help: "time zone of quiet hours and summaries, such as Europe/Berlin; by default the user's",
    description: "Time zone of quiet hours and summaries. Null: the user's.",
  },
  quiet_from: {
    schema: timeOfDay(),
    help: "time of day at which quiet hours begin: messages wait until they end",
    description:
      "`HH:MM`: from then until `quiet_to`, messages wait. They are sent together at the end. Null: no quiet hours.",
    example: "22:00",
    placeholder: "HH:MM",
  },
  quiet_to: {
    schema: timeOfDay(),
    help: "time of day at which quiet hours end, on the next day if it is before their begin",
    example: "07:00",
    placeholder: "HH:MM",
  },
  quiet_days: {
    schema: z.array(integer(0, 6)).max(7),
    help: "weekdays on which quiet hours begin, Sunday 0; by default every day",
    default: [],
    placeholder: "day",
  },
  quiet_except: {
    schema: z.array(z.enum(EVENT_CLASS_NAMES)).max(EVENT_CLASS_NAMES.length),
    help: "class of events that is sent in quiet hours too",
    default: [],
    placeholder: "name",
  },
  summary: {
    schema: z.enum(SUMMARIES),
    help: "how often it gets a summary of all tasks",
    description: "How often it gets a summary of all tasks of the workspace. Default `off`.",
    default: "off" as typeof SUMMARIES[number],
  },
  summary_time: {
    schema: timeOfDay(),
    help: "time of day at which summaries are sent",
    example: "08:00",
    placeholder: "HH:MM",
    default: "08:00",
  },
  summary_weekday: {
    schema: integer(0, 6),
    help: "day of weekly summaries, Sunday 0",
    placeholder: "day",
    default: 1,
  },
});
export type NotificationStreamSettings = typeof NOTIFICATION_STREAM_SETTINGS;

export const NOTIFICATION_STREAM_FIELDS = defineFields({
  events: {
    schema: z.object(CLASSES),
    help: "whether it gets the events of a class, by class",
    description:
      "Whether the stream gets the events of each class; docs/guide/notifications.md lists the classes. Classes " +
      "that are left out stay as they are. A change of `notifications.on_success` or `on_failure` sets all classes " +
      "of that group, before `events` applies.",
    example: { recovered: false },
    placeholder: "class=boolean",
    defaultFrom: "by class",
  },
  ...NOTIFICATION_STREAM_SETTINGS,
});
