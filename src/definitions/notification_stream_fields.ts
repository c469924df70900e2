/** Settings of a notification stream that have a flag on the command line. */
import * as z from "zod";
import { EVENT_CLASS_NAMES, type EventClassName } from "../domain/notifications/event_classes.ts";
import { defineFields } from "./fields/field.ts";
import { integer } from "./formats/text.ts";

/** Maximum of fields in seconds: one year. */
const MAX_SECONDS = 31_536_000;

const CLASSES = Object.fromEntries(
  EVENT_CLASS_NAMES.map((name) => [name, z.boolean().optional()]),
) as Record<EventClassName, z.ZodOptional<z.ZodBoolean>>;

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
  remind_after: {
    schema: integer(0, MAX_SECONDS),
    help: "seconds between two messages about the same problem; 0: never again; by default 23 hours",
    description:
      "Seconds after which a problem that lasts is reported again. 0: only its beginning and its end are reported. " +
      "Null: 23 hours. Problems that no run reports are looked at once an hour.",
    placeholder: "seconds",
  },
});
