/** Defines the list of a notification stream's deliveries. */
import { z } from "@hono/zod-openapi";
import { NOTIFICATION_EVENTS } from "../../../domain/notifications/event_classes.ts";
import { DELIVERY_STATES } from "../../../domain/notifications/notification.ts";
import { type DeliveryRow, listDeliveries } from "../../../services/notifications/notification_streams.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { sortParameter } from "../../input/list_filters.ts";
import { PageQuery, windowOf } from "../../input/pagination.ts";
import { isoTime, isoTimeOrNull, Time } from "../../input/time.ts";
import { NamedRecord } from "../named_record.ts";
import { listBody, listContent, type Resource } from "../../resource.ts";

const Delivery = z.object({
  id: z.int(),
  message_id: z.string().openapi({
    description: "Id of the message that contains the event. A message about several events has one id.",
  }),
  event: z.string(),
  task: NamedRecord.nullable(),
  server: NamedRecord.nullable(),
  backup_task_log_id: z.int().nullable(),
  reason: z.string().nullable(),
  state: z.enum(DELIVERY_STATES).openapi({
    description: "`given_up`: it was not accepted for more than a day.",
  }),
  attempts: z.int(),
  error: z.string().nullable().openapi({ description: "Why the last attempt failed; null if none has." }),
  created_at: Time,
  first_attempt_at: Time.nullable(),
  next_attempt_at: Time.nullable().openapi({
    description: "Earliest time of the next attempt; null if there is none.",
  }),
  finished_at: Time.nullable().openapi({ description: "When it was accepted or given up." }),
}).openapi("NotificationDelivery");

const delivery: Resource<DeliveryRow, z.output<typeof Delivery>> = {
  name: "Notification delivery",
  plural: "Notification streams",
  path: "/api/notification-streams/1/deliveries",
  schema: Delivery,
  example: {
    id: 7,
    message_id: "0b5b6c3e-2f0e-4c55-9a3b-8a2f6f0f6a11",
    event: "backup.failed",
    task: { id: 3, label: "Home" },
    server: { id: 2, label: "web1" },
    backup_task_log_id: 12,
    reason: "The source /home is empty.",
    state: "sent",
    attempts: 2,
    error: null,
    created_at: "2024-08-07T02:00:30Z",
    first_attempt_at: "2024-08-07T02:00:31Z",
    next_attempt_at: null,
    finished_at: "2024-08-07T02:01:02Z",
  },
  present: ({ event: { event, reason, run, server, task }, ...row }) => ({
    id: row.id,
    message_id: row.message_id,
    event,
    task: task && { id: task.id, label: task.label },
    server: server && { id: server.id, label: server.label },
    backup_task_log_id: run?.id ?? null,
    reason,
    state: row.state,
    attempts: row.attempts,
    error: row.error,
    created_at: isoTime(row.created_at),
    first_attempt_at: isoTimeOrNull(row.first_attempt_at),
    next_attempt_at: row.state === "waiting" ? isoTime(row.due_at) : null,
    finished_at: isoTimeOrNull(row.finished_at),
  }),
};

export const notificationDeliveryEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/notification-streams/{id}/deliveries",
    operationId: "listNotificationDeliveries",
    group: delivery.plural,
    summary: "List the deliveries of a notification stream",
    description:
      "Every event for the stream: those that wait, and those that were sent or given up within the last week.",
    access: "view-notification-streams",
    ids: { id: "Notification stream" },
    query: PageQuery.extend({
      state: z.enum(DELIVERY_STATES).optional().openapi({
        description: "Only in this state.",
        example: "sent",
      }),
      event: z.enum(NOTIFICATION_EVENTS as [string, ...string[]]).optional().openapi({
        description: "Only of this event.",
        example: "backup.failed",
      }),
      sort: sortParameter(["id", "created_at"]),
    }),
    answer: {
      status: 200,
      description: "One page, oldest first unless sorted.",
      content: listContent(delivery),
    },
    async handle({ services, caller, params, query, ...sent }) {
      const { page, per_page, ...choice } = query;
      const listed = await listDeliveries(services, caller, params.id, windowOf(query), choice);
      return { status: 200, body: listBody(delivery, listed, { page, per_page }, sent) };
    },
  }),
];
