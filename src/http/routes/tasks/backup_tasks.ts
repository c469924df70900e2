/** Defines the endpoints of `/api/backup-tasks`. */
import { z } from "@hono/zod-openapi";
import {
  createBackupTask,
  listBackupTasks,
  showBackupTask,
  updateBackupTask,
} from "../../../services/tasks/backup_tasks.ts";
import { deleteBackupTask, undeleteBackupTask } from "../../../services/tasks/backup_task_deletion.ts";
import { silentTaskWarnings } from "../../../services/notifications/silent_tasks.ts";
import type { Caller, ServiceContext } from "../../../services/context.ts";
import { BACKUP_TASK_TYPES } from "../../../definitions/sources/registry.ts";
import { PROTECTION_STATUSES } from "../../../domain/protection.ts";
import { requireAccess } from "../../auth.ts";
import type { Endpoint } from "../../endpoint.ts";
import { idParameter, searchParameter, timeParameters } from "../../input/list_filters.ts";
import {
  createEndpoint,
  deleteEndpoint,
  listEndpoint,
  showEndpoint,
  undeleteEndpoint,
  updateEndpoint,
} from "../../resource.ts";
import { BackupTaskChanges, NewBackupTask } from "./backup_task_input.ts";
import { backupTask } from "./backup_task_view.ts";

export const backupTaskEndpoints: readonly Endpoint[] = [
  listEndpoint(backupTask, {
    access: "view-backup-tasks",
    filters: {
      status: z.enum(["ready", "running", "paused"]).optional().openapi({
        description: "Only with this status; a paused task is also `ready` or `running`.",
        example: "running",
      }),
      protection: z.enum(PROTECTION_STATUSES).optional().openapi({
        description: "Only with this protection.",
        example: "late",
      }),
      type: z.enum(BACKUP_TASK_TYPES).optional().openapi({
        description: "Only of this type.",
        example: "files",
      }),
      remote_server_id: idParameter("tasks of this remote server"),
      backup_destination_id: idParameter("tasks with this backup destination"),
      tag_id: idParameter("tasks with this tag"),
      ...timeParameters,
      search: searchParameter("the label or the description"),
    },
    sorts: ["label", "next_run_at", "updated_at", "protection"],
    list: listBackupTasks,
  }),
  createEndpoint(backupTask, {
    access: "create-backup-tasks",
    body: NewBackupTask,
    example: {
      remote_server_id: 2,
      backup_destination_id: 1,
      label: "Weekly Full Backup",
      description: "Full backup of all files",
      source_path: "/home",
      frequency: "weekly",
      maximum_backups_to_keep: 4,
      type: "files",
      time_to_run_at: "02:00",
      store_path: "/backups/weekly",
    },
    create: createBackupTask,
    warnings: ({ database }, { id }, { notification_stream_ids = [] }) =>
      notification_stream_ids.length === 0 ? [] : silentTaskWarnings(database, [id]),
  }),
  showEndpoint(backupTask, { access: "view-backup-tasks", show: showBackupTask }),
  updateEndpoint(backupTask, {
    access: "update-backup-tasks",
    body: BackupTaskChanges,
    example: { label: "Updated Weekly Backup", frequency: "weekly", time_to_run_at: "03:00" },
    update: updateBackupTask,
    warnings: ({ database }, { id }, { notification_stream_ids }) =>
      notification_stream_ids === undefined ? [] : silentTaskWarnings(database, [id]),
  }),
  deleteEndpoint(backupTask, {
    access: "delete-backup-tasks",
    description:
      "Its backups stay, without a task, unless `with_backups` is true: then they go to the trash too, which also " +
      "requires the ability `delete-backups`.",
    errors: {
      409: "The backup task is queued or running, or `with_backups` is true and one of them is held.",
    },
    isTrashed: true,
    query: z.object({
      with_backups: z.boolean().default(false).openapi({
        description: "Whether its backups are deleted too.",
        example: true,
      }),
    }),
    remove(services: ServiceContext, caller: Caller, id: number, query: { with_backups: boolean }) {
      if (query.with_backups) requireAccess(caller, "delete-backups");
      return deleteBackupTask(services, caller, id, query.with_backups);
    },
  }),
  undeleteEndpoint(backupTask, {
    access: "delete-backup-tasks",
    description:
      "Restores the task as it was, with its secrets, tags, streams, scripts and trigger. Its logs and backups belong to " +
      "it again, also backups that went to the trash with it.",
    errors: { 409: "Its server, its destination or one of its scripts is deleted." },
    undelete: undeleteBackupTask,
  }),
];
