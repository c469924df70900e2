/** `/api/backups`, and those of one task. */
import { z } from "@hono/zod-openapi";
import { BACKUP_STATUSES } from "../../domain/backup_status.ts";
import type { PageWindow } from "../../domain/page.ts";
import {
  type BackupDetailRow,
  deleteBackup,
  listBackups,
  listBackupsOfTask,
  showBackup,
  undeleteBackup,
} from "../../services/backups.ts";
import type { Caller, Services } from "../../services/context.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { PageQuery, windowOf } from "../pagination.ts";
import { deleteEndpoint, listBody, listContent, showEndpoint, undeleteEndpoint } from "../resource.ts";
import { ForgetQuery } from "./forget_query.ts";
import { backup } from "./backup_view.ts";

const BackupQuery = PageQuery.extend({
  status: z.enum([...BACKUP_STATUSES, "held", "trash"]).optional().openapi({
    description:
      "Only these. What can't be deleted is `deleting`, with its `removal_error`; `trash` is what people deleted and can " +
      "still take back, forgotten backups among it.",
    example: "deleting",
  }),
});
type Status = NonNullable<z.output<typeof BackupQuery>["status"]> | null;

export const backupEndpoints: readonly Endpoint[] = [
  listing({
    path: "/api/backups",
    operationId: "listBackups",
    summary: "List backups",
    list: (services, caller, _, window, status) => listBackups(services, caller, window, status),
  }),
  showEndpoint(backup, { access: "view-backup-tasks", show: showBackup }),
  deleteEndpoint(backup, {
    access: "delete-backups",
    description:
      "It goes to the trash, and administrators are told. At `deletes_at` its objects are removed from the destination; until " +
      "they are gone it is listed as `deleting`.",
    errors: { 409: "The backup is held." },
    query: ForgetQuery,
    isTrashed: true,
    remove: (services, caller, id, query) => deleteBackup(services, caller, id, query),
  }),
  undeleteEndpoint(backup, {
    access: "delete-backups",
    errors: { 409: "Its deletion has begun." },
    undelete: undeleteBackup,
  }),
  listing({
    path: "/api/backup-tasks/{id}/backups",
    operationId: "listBackupsOfTask",
    summary: "List the backups of a task",
    ids: { id: "Backup task" },
    list: (services, caller, { id }, window, status) =>
      listBackupsOfTask(services, caller, id!, window, status),
  }),
];

function listing({ list, ...definition }: {
  path: string;
  operationId: string;
  summary: string;
  ids?: Record<string, string>;
  list(
    services: Services,
    caller: Caller,
    params: Readonly<Record<string, number>>,
    window: PageWindow,
    status: Status,
  ): Promise<{ rows: BackupDetailRow[]; total: number }>;
}): Endpoint {
  return endpoint({
    ...definition,
    method: "get",
    group: backup.plural,
    access: "view-backup-tasks",
    query: BackupQuery,
    answer: { status: 200, description: "One page, oldest first.", content: listContent(backup) },
    async handle({ services, caller, params, query, request, baseUrl }) {
      const { rows, total } = await list(services, caller, params, windowOf(query), query.status ?? null);
      return { status: 200, body: listBody(backup, rows, total, query, request, baseUrl) };
    },
  });
}
