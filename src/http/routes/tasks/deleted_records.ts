/** Endpoint that lists deleted records whose deletion can still be undone. */
import { z } from "@hono/zod-openapi";
import type { Ability } from "../../../domain/abilities.ts";
import {
  DELETED_KINDS,
  type DeletedKind,
  type DeletedRecordRow,
  listDeletedRecords,
} from "../../../services/retention/deleted_records.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { PageQuery, windowOf } from "../../input/pagination.ts";
import { isoTime, Time } from "../../input/time.ts";
import { listBody, listContent, type Resource } from "../../resource.ts";

const DeletedRecord = z.object({
  kind: z.enum(DELETED_KINDS).openapi({ description: "The type of the record, as in the API's paths." }),
  id: z.int().openapi({ description: "Take it out of the trash with `POST /api/{kind}/{id}/undelete`." }),
  label: z.string(),
  deleted_at: Time,
  deletes_at: Time.openapi({ description: "Until then the deletion can be undone." }),
  deleted_by: z.object({ id: z.int(), email: z.string() }).nullable().openapi({
    description: "Null: this user is deleted.",
  }),
}).openapi("DeletedRecord");

const deletedRecord: Resource<DeletedRecordRow, z.output<typeof DeletedRecord>> = {
  name: "Deleted record",
  plural: "Deleted records",
  path: "/api/deleted-records",
  schema: DeletedRecord,
  example: {
    kind: "backup-tasks",
    id: 7,
    label: "Daily Database Backup",
    deleted_at: "2024-08-07T00:00:00Z",
    deletes_at: "2024-08-10T00:00:00Z",
    deleted_by: { id: 1, email: "ada@example.com" },
  },
  present: ({ kind, record_id, label, created_at, deletes_at, user_id, email }) => ({
    kind,
    id: record_id,
    label,
    deleted_at: isoTime(created_at),
    deletes_at: isoTime(deletes_at),
    deleted_by: user_id === null || email === null ? null : { id: user_id, email },
  }),
};

/** The ability that shows deleted records of each kind. */
const VIEW: Readonly<Record<DeletedKind, Ability>> = {
  "backup-tasks": "view-backup-tasks",
  "notification-streams": "view-notification-streams",
  "scripts": "view-scripts",
  "tags": "view-tags",
};

export const deletedRecordEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/deleted-records",
    operationId: "listDeletedRecords",
    group: deletedRecord.plural,
    summary: "List deleted records",
    description:
      "Tasks, notification streams, scripts and tags in the trash, of the kinds that the caller may view; the latest " +
      "deletion first. Backups and destinations in the trash are in their own lists, with `status=trash`.",
    access: "any token",
    query: PageQuery.extend({
      kind: z.enum(DELETED_KINDS).optional().openapi({
        description: "Only of this kind.",
        example: "backup-tasks",
      }),
    }),
    answer: { status: 200, description: "The deleted records.", content: listContent(deletedRecord) },
    async handle({ services, caller, query: { kind, ...page }, ...sent }) {
      const kinds = DELETED_KINDS.filter((each) =>
        (kind === undefined || each === kind) && caller.abilities.has(VIEW[each])
      );
      const listed = await listDeletedRecords(services, caller, kinds, windowOf(page));
      return { status: 200, body: listBody(deletedRecord, listed, page, sent) };
    },
  }),
];
