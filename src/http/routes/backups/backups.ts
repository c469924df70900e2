/** Defines the endpoints of `/api/backups`, and the list of one task's backups. */
import { z } from "@hono/zod-openapi";
import { BACKUP_STATUSES } from "../../../domain/backup_status.ts";
import type { PageWindow } from "../../../domain/page.ts";
import {
  type BackupDetailRow,
  deleteBackup,
  listBackups,
  listBackupsOfTask,
  showBackup,
  undeleteBackup,
} from "../../../services/backups/backups.ts";
import type { Caller, ServiceContext } from "../../../services/context.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { idParameter, searchParameter, sortParameter, timeParameters } from "../../input/list_filters.ts";
import { PageQuery, windowOf } from "../../input/pagination.ts";
import { deleteEndpoint, listBody, listContent, showEndpoint, undeleteEndpoint } from "../../resource.ts";
import { ForgetQuery } from "../destinations/forget_query.ts";
import { backup } from "./backup_view.ts";

const filters = {
  status: z.enum([...BACKUP_STATUSES, "held", "suspicious", "unverified", "trash"]).optional().openapi({
    description:
      "Only with this status. `deleting` includes backups that can't be deleted (see `removal_error`). `unverified`: never read " +
      "back. `trash`: deleted by users, or forgotten, and not yet gone for good.",
    example: "deleting",
  }),
  remote_server_id: idParameter("backups made on this remote server"),
  backup_destination_id: idParameter("backups at this backup destination"),
  tag_id: idParameter("backups of tasks with this tag"),
  ...timeParameters,
  search: searchParameter("the file name, or in the label of the backup task"),
};
const BackupQuery = PageQuery.extend({ ...filters, sort: sortParameter(["id", "created_at", "size"]) });
const AllBackupsQuery = BackupQuery.extend({ backup_task_id: idParameter("of this backup task") });
type Choice = Omit<z.output<typeof AllBackupsQuery>, "page" | "per_page">;

export const backupEndpoints: readonly Endpoint[] = [
  listing({
    path: "/api/backups",
    operationId: "listBackups",
    summary: "List backups",
    query: AllBackupsQuery,
    list: (services, caller, _, window, choice) => listBackups(services, caller, window, choice),
  }),
  showEndpoint(backup, { access: "view-backup-tasks", show: showBackup }),
  deleteEndpoint(backup, {
    access: "delete-backups",
    description:
      "It goes to the trash, and administrators are notified. At `deletes_at` its objects are removed from the destination; until " +
      "they are gone, its status is `deleting`.",
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
    query: BackupQuery as unknown as typeof AllBackupsQuery,
    list: (services, caller, { id }, window, choice) =>
      listBackupsOfTask(services, caller, id!, window, choice),
  }),
];

function listing({ list, ...definition }: {
  path: string;
  operationId: string;
  summary: string;
  ids?: Record<string, string>;
  query: typeof AllBackupsQuery;
  list(
    services: ServiceContext,
    caller: Caller,
    params: Readonly<Record<string, number>>,
    window: PageWindow,
    choice: Choice,
  ): Promise<{ rows: BackupDetailRow[]; total: number }>;
}): Endpoint {
  return endpoint({
    ...definition,
    method: "get",
    group: backup.plural,
    access: "view-backup-tasks",
    answer: {
      status: 200,
      description: "One page, oldest first unless sorted.",
      content: listContent(backup),
    },
    async handle({ services, caller, params, query, ...sent }) {
      const { page, per_page, ...choice } = query;
      const listed = await list(services, caller, params, windowOf(query), choice);
      return { status: 200, body: listBody(backup, listed, { page, per_page }, sent) };
    },
  });
}
