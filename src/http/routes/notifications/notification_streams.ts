/** Defines the endpoints of `/api/notification-streams`. */
import { z } from "@hono/zod-openapi";
import {
  channelOf,
  labelOf,
  NOTIFICATION_STREAM_TYPES,
  type NotificationStreamType,
} from "../../../notify/channels/registry.ts";
import {
  createNotificationStream,
  deleteNotificationStream,
  listNotificationStreams,
  type NotificationStreamRow,
  showNotificationStream,
  testNotificationStream,
  undeleteNotificationStream,
  updateNotificationStream,
} from "../../../services/notifications/notification_streams.ts";
import { silentTaskWarningsOfStream } from "../../../services/notifications/silent_tasks.ts";
import { presentFields, shownShape } from "../../../definitions/fields/view.ts";
import { inputShape } from "../../../definitions/fields/input.ts";
import {
  NOTIFICATION_STREAM_FIELDS,
  NOTIFICATION_STREAM_SETTINGS,
} from "../../../definitions/notification_stream_fields.ts";
import {
  EVENT_CLASS_NAMES,
  type EventClassName,
  subscribedClasses,
} from "../../../domain/notifications/event_classes.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { line, secret } from "../../../definitions/formats/text.ts";
import { rule } from "../../input/input.ts";
import { searchParameter } from "../../input/list_filters.ts";
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoint,
  type Resource,
  showEndpoint,
  undeleteEndpoint,
  updateEndpoint,
} from "../../resource.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";

const Type = z.enum(NOTIFICATION_STREAM_TYPES).openapi("NotificationStreamType");

const LastDelivery = z.object({
  at: Time,
  ok: z.boolean(),
  error: z.string().nullable(),
}).openapi("NotificationStreamLastDelivery");

const Stream = z.object({
  id: z.int(),
  user_id: z.int(),
  label: z.string(),
  type: Type,
  type_human: z.string(),
  is_value_set: z.boolean().openapi({ description: "The value itself is never shown." }),
  is_signing_secret_set: z.boolean(),
  notifications: z.object({ on_success: z.boolean(), on_failure: z.boolean() }).openapi({
    description: "Whether it gets the classes of each group that are on by default.",
  }),
  events: z.object(
    Object.fromEntries(EVENT_CLASS_NAMES.map((name) => [name, z.boolean()])) as Record<
      EventClassName,
      z.ZodBoolean
    >,
  ).openapi({ description: "Whether it gets the events of each class." }),
  ...shownShape(NOTIFICATION_STREAM_SETTINGS),
  last_delivery: LastDelivery.nullable().openapi({
    description: "Outcome of the last attempt to send a message. Failed messages are retried for a day.",
  }),
  failing_since: Time.nullable().openapi({
    description: "Since when it accepts no message; null if the last one was accepted.",
  }),
  next_attempt_at: Time.nullable().openapi({
    description:
      "Nothing is sent before this time: at most one message per minute, and increasingly rarely while it fails.",
  }),
  created_at: Time,
  updated_at: Time,
}).openapi("NotificationStream");

const stream: Resource<NotificationStreamRow, z.output<typeof Stream>> = {
  name: "Notification stream",
  plural: "Notification streams",
  path: "/api/notification-streams",
  schema: Stream,
  example: {
    id: 1,
    user_id: 1,
    label: "On call",
    type: "slack_webhook",
    type_human: "Slack Webhook",
    is_value_set: true,
    is_signing_secret_set: false,
    notifications: { on_success: false, on_failure: true },
    events: subscribedClasses({ on_success: false, on_failure: true, events: { recovered: false } }),
    remind_after: null,
    timezone: null,
    quiet_from: "22:00",
    quiet_to: "07:00",
    quiet_days: [],
    quiet_except: ["damaged"],
    summary: "weekly",
    summary_time: "08:00",
    summary_weekday: 1,
    last_delivery: { at: "2024-08-07T02:00:31Z", ok: true, error: null },
    failing_since: null,
    next_attempt_at: "2024-08-07T02:01:31Z",
    created_at: "2024-08-07T00:00:00Z",
    updated_at: "2024-08-07T00:00:00Z",
  },
  present: (row) => ({
    id: row.id,
    user_id: row.user_id,
    label: row.label,
    type: row.type as NotificationStreamType,
    type_human: labelOf(row.type),
    is_value_set: true,
    is_signing_secret_set: row.signing_secret_encrypted !== null,
    notifications: { on_success: row.on_success, on_failure: row.on_failure },
    events: subscribedClasses(row),
    ...presentFields(NOTIFICATION_STREAM_SETTINGS, row),
    last_delivery: row.last_delivery_at && {
      at: isoTime(row.last_delivery_at),
      ok: row.last_delivery_error === null,
      error: row.last_delivery_error,
    },
    failing_since: isoTimeOrNull(row.failing_since),
    next_attempt_at: isoTimeOrNull(row.next_attempt_at),
    created_at: isoTime(row.created_at),
    updated_at: isoTime(row.updated_at),
  }),
};

const fields = z.object({
  ...inputShape(NOTIFICATION_STREAM_FIELDS),
  label: line(255),
  type: Type,
  value: line(2048).openapi({
    format: "password",
    writeOnly: true,
    description: `Stored encrypted. By type:\n\n${
      NOTIFICATION_STREAM_TYPES.map((type) => `- \`${type}\`: ${channelOf(type).valueHelp}`).join("\n")
    }`,
  }),
  signing_secret: secret(255).nullable().optional().openapi({
    description:
      "For a `webhook`: messages are signed with it (HMAC-SHA-256, as Standard Webhooks specifies). At least 16 " +
      "characters, or `whsec_` and base64. Null for none. Stored encrypted.",
  }),
  notifications: z.object({ on_success: z.boolean(), on_failure: z.boolean() }).partial().optional(),
});

/** Adds a rule to the schema: if a request contains both `type` and `value`, the value must suit the type. */
function withValueRule<S extends z.ZodType<{ type?: string; value?: string }>>(schema: S): S {
  return rule(schema, ["type", "value"], ({ type, value }, fail) => {
    if (type === undefined || value === undefined) return;
    const problem = channelOf(type).valueProblem(value);
    if (problem !== null) fail("value", `The value field ${problem}.`);
  });
}

const TestResult = z.object({ ok: z.boolean(), message: z.string() }).openapi("NotificationStreamTest");

const createExample = {
  label: "On call",
  type: "slack_webhook" as const,
  value: "https://hooks.slack.com/services/T0000/B0000/XXXX",
  notifications: { on_success: false, on_failure: true },
};

export const notificationStreamEndpoints: readonly Endpoint[] = [
  listEndpoint(stream, {
    access: "view-notification-streams",
    filters: {
      type: z.enum(NOTIFICATION_STREAM_TYPES).optional().openapi({
        description: "Only of this type.",
        example: "email",
      }),
      search: searchParameter("the label"),
    },
    sorts: ["label"],
    list: listNotificationStreams,
  }),
  createEndpoint(stream, {
    access: "create-notification-streams",
    description: "Reports successes and failures, unless `notifications` selects other events.",
    body: withValueRule(fields.openapi("NewNotificationStream")),
    example: createExample,
    create: createNotificationStream,
  }),
  showEndpoint(stream, { access: "view-notification-streams", show: showNotificationStream }),
  updateEndpoint(stream, {
    access: "update-notification-streams",
    body: withValueRule(fields.partial().openapi("NotificationStreamChanges")),
    example: { notifications: { on_success: true } },
    update: updateNotificationStream,
    warnings: ({ database }, { id }, { events, notifications, type }) =>
      (events ?? notifications ?? type) === undefined ? [] : silentTaskWarningsOfStream(database, id),
  }),
  deleteEndpoint(stream, {
    access: "delete-notification-streams",
    description: "Backup tasks that reported their runs to it no longer do so.",
    isTrashed: true,
    remove: deleteNotificationStream,
  }),
  undeleteEndpoint(stream, {
    access: "delete-notification-streams",
    description:
      "Restores it with its settings and secrets. The tasks that used it use it again. Its deliveries stay deleted.",
    undelete: undeleteNotificationStream,
  }),
  endpoint({
    method: "post",
    path: "/api/notification-streams/{id}/test",
    operationId: "testNotificationStream",
    group: stream.plural,
    summary: "Test a notification stream",
    description:
      "Sends a message now and waits for the outcome. A refused message is reported in the response, not as an error.",
    access: "update-notification-streams",
    ids: { id: stream.name },
    answer: {
      status: 200,
      description: "Whether the receiver accepted the message.",
      content: {
        type: "application/json",
        schema: z.object({ data: TestResult }),
        example: { data: { ok: true, message: "The message was taken." } },
      },
    },
    async handle({ services, caller, params }) {
      const outcome = await testNotificationStream(services, caller, params.id);
      const message = outcome.ok ? "The message was taken." : `Cannot send the message. ${outcome.error}`;
      return { status: 200, body: { data: { ok: outcome.ok, message } } };
    },
  }),
];
