/**
 * The types of the API: paths, parameters, requests and responses. Generated from the OpenAPI document by
 * `deno task client`; do not edit it.
 */

export interface paths {
  "/api/overview": {
    /** Whether everything is protected */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The verdict, and what it follows from. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Overview"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/health": {
    /** The verdict in one line, for monitors */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Every promise is kept. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/plain": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/history/days": {
    /** Count backup runs by day and outcome */
    get: {
      parameters: {
        query?: {
          /** The first day. */
          from?: string;
          /** The last day. */
          to?: string;
          /** The time zone of the days. */
          timezone?: string;
          /** Only runs of this backup task, which may be deleted. */
          backup_task_id?: number;
          /** Only runs on this remote server; not together with `backup_task_id`. */
          remote_server_id?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Ended runs of each day. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RunDays"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/history/storage": {
    /** Show stored bytes by day */
    get: {
      parameters: {
        query?: {
          /** The first day. */
          from?: string;
          /** The last day. */
          to?: string;
          /** The time zone of the days. */
          timezone?: string;
          /** Only backups of this backup task. */
          backup_task_id?: number;
          /** Only backups at this backup destination; not together with `backup_task_id`. */
          backup_destination_id?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Stored, added and removed bytes of each day. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["StorageDays"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/history": {
    /** Show the durations and sizes of a task's last runs */
    get: {
      parameters: {
        query?: {
          /** How many runs at most. */
          limit?: number;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Ended backup runs, the oldest first. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTaskRun"][];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/history/strips": {
    /** Show the outcomes of the last runs of many tasks */
    get: {
      parameters: {
        query?: {
          /** The ids of the tasks, separated by commas. */
          ids?: string;
          /** How many runs of a task at most. */
          limit?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Each task with its ended backup runs. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTaskStrip"][];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/history/proofs": {
    /** Show the verifications and drills of tasks, with what they proved */
    get: {
      parameters: {
        query?: {
          /** Only this backup task, with its last checks. */
          backup_task_id?: number;
          /** Several backup tasks, separated by commas, each with its last checks. */
          ids?: string;
          /** How many checks of a task. */
          limit?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Tasks with their checks. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTaskProofs"][];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/connectivity": {
    /** Show how much of each day the agents of servers were connected */
    get: {
      parameters: {
        query?: {
          /** The first day. */
          from?: string;
          /** The last day. */
          to?: string;
          /** The time zone of the days. */
          timezone?: string;
          /** The ids of the servers, separated by commas. */
          ids?: string;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Each server with its days. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RemoteServerUptime"][];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}/connectivity": {
    /** Show when a server's agent was connected */
    get: {
      parameters: {
        query?: {
          /** The first day. */
          from?: string;
          /** The last day. */
          to?: string;
          /** The time zone of the days. */
          timezone?: string;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The times of its connections, and their share of each day. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RemoteServerConnectivity"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/live": {
    /** Follow what changes */
    get: {
      parameters: {
        query?: {
          /** The id of a backup task log whose lines are also sent, as events `lines`. */
          log?: number;
          /** The `sequence` of the last line that the client has; the lines after it are sent. */
          after?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Events until the client disconnects, or its token or session ends. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/event-stream": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/upcoming": {
    /** List upcoming backup tasks */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Tasks with a scheduled run, soonest first. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["UpcomingBackupTask"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/pause": {
    /** Pause a backup task */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The task after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              data: components["schemas"]["BackupTask"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/resume": {
    /** Resume a backup task */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The task after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              data: components["schemas"]["BackupTask"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/schedules/preview": {
    /** Preview a schedule */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["TaskScheduleInput"];
        };
      };
      responses: {
        /** The schedule in words, and when it is due next. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["SchedulePreview"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/week": {
    /** Show the plan of a week */
    get: {
      parameters: {
        query?: {
          /** The first day. */
          start?: string;
          /** The time zone of the days. */
          timezone?: string;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The week, server by server. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["PlannedWeek"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/bulk": {
    /** Do the same with many backup tasks */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["BulkAction"];
        };
      };
      responses: {
        /** The result for each task, in the order of `ids`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BulkResult"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks": {
    /** List backup tasks */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only with this status; a paused task is also `ready` or `running`. */
          status?: "ready" | "running" | "paused";
          /** Only with this protection. */
          protection?: "never_backed_up" | "late" | "failing" | "paused" | "protected";
          /** Only of this type. */
          type?: "files" | "database" | "control_plane";
          /** Only tasks of this remote server. */
          remote_server_id?: number;
          /** Only tasks with this backup destination. */
          backup_destination_id?: number;
          /** Only tasks with this tag. */
          tag_id?: number;
          /** Created at this time or later. */
          since?: string;
          /** Created before this time. */
          until?: string;
          /** Only records with this text in the label or the description, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "label" | "-label" | "next_run_at" | "-next_run_at" | "updated_at" | "-updated_at" | "protection" | "-protection";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTask"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Create a backup task */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewBackupTask"];
        };
      };
      responses: {
        /** The new backup task. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTask"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}": {
    /** Show a backup task */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup task. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTask"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update a backup task */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["BackupTaskChanges"];
        };
      };
      responses: {
        /** The backup task after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTask"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a backup task */
    delete: {
      parameters: {
        query?: {
          /** Whether its backups are deleted too. */
          with_backups?: boolean;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is in the trash until `deletes_at`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["TrashedMessage"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/undelete": {
    /** Take a backup task out of the trash */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup task as it is now. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTask"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/status": {
    /** Get the status of a backup task */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** `running` from when a backup run is queued until it ends, otherwise `ready`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                id: number;
                status: "ready" | "running";
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/run": {
    /** Run a backup task */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["BackupTaskRunRequest"];
        };
      };
      responses: {
        /** The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              backup_task_log_id: number;
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/cancel": {
    /** Cancel the run of a backup task */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              backup_task_log_id: number;
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/tags/{tag_id}": {
    /** Add a tag to a backup task */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
          tag_id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The task after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              data: components["schemas"]["BackupTask"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Remove a tag from a backup task */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
          tag_id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The task after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              data: components["schemas"]["BackupTask"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/trigger": {
    /** Run a backup task with its trigger's token */
    post: {
      parameters: {
        query?: {
          /** The token. */
          token?: string;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["BackupTaskTriggerRequest"];
        };
      };
      responses: {
        /** The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              backup_task_log_id: number;
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/trigger-token": {
    /** Make or replace the token of a task's trigger */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The token, which is not shown again. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["TriggerToken"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete the token of a task's trigger */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is invalid from now on. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-task-logs": {
    /** List backup task logs */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only of this backup task. */
          backup_task_id?: number;
          /** Only runs in this state. */
          status?: "queued" | "running" | "successful" | "failed" | "cancelled";
          /** Only runs of this kind. */
          kind?: "backup" | "restore" | "verify" | "drill";
          /** Only runs on this remote server. */
          remote_server_id?: number;
          /** Only runs to or from this backup destination. */
          backup_destination_id?: number;
          /** Only runs that read this backup: restores, verifications and drills. */
          backup_id?: number;
          /** Only of backup tasks with this tag. */
          tag_id?: number;
          /** Created at this time or later. */
          since?: string;
          /** Created before this time. */
          until?: string;
          /** Whether the records contain the last 4 KB of their output (`tail`, the default) or none. */
          output?: "none" | "tail";
          /**
           * Only records with this text in the reason, or in the label of the backup task, ignoring case.
           */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTaskLog"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/logs": {
    /** List the logs of a backup task */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only runs in this state. */
          status?: "queued" | "running" | "successful" | "failed" | "cancelled";
          /** Only runs of this kind. */
          kind?: "backup" | "restore" | "verify" | "drill";
          /** Only runs on this remote server. */
          remote_server_id?: number;
          /** Only runs to or from this backup destination. */
          backup_destination_id?: number;
          /** Only runs that read this backup: restores, verifications and drills. */
          backup_id?: number;
          /** Only of backup tasks with this tag. */
          tag_id?: number;
          /** Created at this time or later. */
          since?: string;
          /** Created before this time. */
          until?: string;
          /** Whether the records contain the last 4 KB of their output (`tail`, the default) or none. */
          output?: "none" | "tail";
          /**
           * Only records with this text in the reason, or in the label of the backup task, ignoring case.
           */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at";
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTaskLog"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-task-logs/{id}": {
    /** Show a backup task log */
    get: {
      parameters: {
        query?: {
          /** How much of its output the record contains. */
          output?: "none" | "tail" | "all";
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup task log. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTaskLog"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a backup task log */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is gone. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/latest-log": {
    /** Get the latest backup task log */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The newest run's record. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTaskLog"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-task-logs/{id}/why": {
    /** Get what a run waits for */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Says what it waits for; `waiting_for` is null if it is running or has ended. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RunWait"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-task-logs/{id}/cancel": {
    /** Cancel the run of a log */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The run ends after its agent has cleaned up. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              backup_task_log_id: number;
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-task-logs/{id}/lines": {
    /** List lines of a log */
    get: {
      parameters: {
        query?: {
          /** Only lines before this `sequence`. */
          before?: number;
          /** Only lines after this `sequence`, and the first of them. */
          after?: number;
          /** Only records with this text in the line, ignoring case. */
          search?: string;
          /** Only lines of this kind. */
          stream?: "output" | "warning" | "note";
          /** Maximum number of lines. */
          limit?: number;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The lines, the oldest first. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupTaskLogLine"][];
              /** Whether there are lines before these. */
              has_older: boolean;
              /** Whether there are lines after these. */
              has_newer: boolean;
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-task-logs/{id}/output": {
    /** Download the output of a run */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** All of its output so far. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/plain": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/latest-log/stream": {
    /** Follow the latest backup task log */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Events until the run ends. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/event-stream": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-task-logs/{id}/stream": {
    /** Follow a backup task log */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Events until the run ends. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/event-stream": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-task-logs/{id}/warnings": {
    /** Download the warnings of a run */
    get: {
      parameters: {
        query?: {
          /** `jsonl`: a JSON object in each line, with `message`, or with `left_out` in the last one. */
          format?: "text" | "jsonl";
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The warnings, the oldest first. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/plain": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups": {
    /** List backups */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only with this status. */
          status?: "stored" | "deleting" | "damaged" | "held" | "suspicious" | "unverified" | "trash";
          /** Only backups made on this remote server. */
          remote_server_id?: number;
          /** Only backups at this backup destination. */
          backup_destination_id?: number;
          /** Only backups of tasks with this tag. */
          tag_id?: number;
          /** Created at this time or later. */
          since?: string;
          /** Created before this time. */
          until?: string;
          /**
           * Only records with this text in the file name, or in the label of the backup task, ignoring case.
           */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "size" | "-size";
          /** Only of this backup task. */
          backup_task_id?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Backup"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}": {
    /** Show a backup */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Backup"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a backup */
    delete: {
      parameters: {
        query?: {
          /** For a location that is gone for good. */
          forget?: boolean;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is in the trash until `deletes_at`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["TrashedMessage"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/undelete": {
    /** Take a backup out of the trash */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup as it is now. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Backup"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/backups": {
    /** List the backups of a task */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only with this status. */
          status?: "stored" | "deleting" | "damaged" | "held" | "suspicious" | "unverified" | "trash";
          /** Only backups made on this remote server. */
          remote_server_id?: number;
          /** Only backups at this backup destination. */
          backup_destination_id?: number;
          /** Only backups of tasks with this tag. */
          tag_id?: number;
          /** Created at this time or later. */
          since?: string;
          /** Created before this time. */
          until?: string;
          /**
           * Only records with this text in the file name, or in the label of the backup task, ignoring case.
           */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "size" | "-size";
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Backup"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/download": {
    /** Download an object of a backup */
    get: {
      parameters: {
        query?: {
          /** One of the backup's objects. */
          object?: string;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The bytes. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/octet-stream": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/files/download": {
    /** Download one file from inside a backup */
    get: {
      parameters: {
        query: {
          path: string;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The bytes. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/octet-stream": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/files": {
    /** List a backup's contents */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** A directory, whose direct children are listed; any other member is listed itself. */
          path?: string;
          /** Only names in the directory that contain this text, ignoring case. */
          search?: string;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, directories first, then by name. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupEntry"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
              /** How many further members may exist: the number of unreadable lines of the index. */
              unlisted_count: number;
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** List the contents of a backup that is encrypted to recipients */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": {
            /** Which page, from 1. */
            page?: number;
            /** Items per page. */
            per_page?: number;
            /** A directory, whose direct children are listed; any other member is listed itself. */
            path?: string;
            /** Only names in the directory that contain this text, ignoring case. */
            search?: string;
            /** The secret key of one of the recipients. */
            identity: string;
          };
        };
      };
      responses: {
        /** One page, directories first, then by name. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupEntry"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
              /** How many further members may exist: the number of unreadable lines of the index. */
              unlisted_count: number;
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/files": {
    /** Find files in all backups of a task */
    get: {
      parameters: {
        query: {
          /** A text that names contain, or a glob (`*.conf`, `?`, `[a-z]`), which matches whole names. */
          search: string;
          /** Maximum number of paths. */
          limit?: number;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Says what was found, and what could not be searched. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              /** Sorted by path. */
              data: components["schemas"]["FoundFile"][];
              /** Whether more paths match. */
              truncated: boolean;
              /** How many backups were searched. */
              searched_count: number;
              /** The backups that could not be searched, and why: they may contain more. */
              not_searched: {
                backup_id: number;
                created_at: string;
                reason: string;
              }[];
              /**
               * How many older backups were not searched: a search without a task covers the newest 1,000.
               */
              older_count: number;
              /**
               * How many lines of indexes contain the text and can't be read: each may be a further file.
               */
              unlisted_count: number;
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Find files in backups that are encrypted to recipients */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": {
            /** A text that names contain, or a glob (`*.conf`, `?`, `[a-z]`), which matches whole names. */
            search: string;
            /** Maximum number of paths. */
            limit?: number;
            /** Secret keys of recipients, one in a line. */
            identity: string;
          };
        };
      };
      responses: {
        /** Says what was found, and what could not be searched. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              /** Sorted by path. */
              data: components["schemas"]["FoundFile"][];
              /** Whether more paths match. */
              truncated: boolean;
              /** How many backups were searched. */
              searched_count: number;
              /** The backups that could not be searched, and why: they may contain more. */
              not_searched: {
                backup_id: number;
                created_at: string;
                reason: string;
              }[];
              /**
               * How many older backups were not searched: a search without a task covers the newest 1,000.
               */
              older_count: number;
              /**
               * How many lines of indexes contain the text and can't be read: each may be a further file.
               */
              unlisted_count: number;
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/files": {
    /** Find files in the backups of all tasks */
    get: {
      parameters: {
        query: {
          /** A text that names contain, or a glob (`*.conf`, `?`, `[a-z]`), which matches whole names. */
          search: string;
          /** Maximum number of paths. */
          limit?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Says what was found, and what could not be searched. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              /** Sorted by path. */
              data: components["schemas"]["FoundFile"][];
              /** Whether more paths match. */
              truncated: boolean;
              /** How many backups were searched. */
              searched_count: number;
              /** The backups that could not be searched, and why: they may contain more. */
              not_searched: {
                backup_id: number;
                created_at: string;
                reason: string;
              }[];
              /**
               * How many older backups were not searched: a search without a task covers the newest 1,000.
               */
              older_count: number;
              /**
               * How many lines of indexes contain the text and can't be read: each may be a further file.
               */
              unlisted_count: number;
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Find files in the backups of all tasks, also in those that are encrypted to recipients */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": {
            /** A text that names contain, or a glob (`*.conf`, `?`, `[a-z]`), which matches whole names. */
            search: string;
            /** Maximum number of paths. */
            limit?: number;
            /** Secret keys of recipients, one in a line. */
            identity: string;
          };
        };
      };
      responses: {
        /** Says what was found, and what could not be searched. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              /** Sorted by path. */
              data: components["schemas"]["FoundFile"][];
              /** Whether more paths match. */
              truncated: boolean;
              /** How many backups were searched. */
              searched_count: number;
              /** The backups that could not be searched, and why: they may contain more. */
              not_searched: {
                backup_id: number;
                created_at: string;
                reason: string;
              }[];
              /**
               * How many older backups were not searched: a search without a task covers the newest 1,000.
               */
              older_count: number;
              /**
               * How many lines of indexes contain the text and can't be read: each may be a further file.
               */
              unlisted_count: number;
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/restore": {
    /** Restore a backup */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": {
            /** Where to restore. */
            remote_server_id?: number;
            /** Files only. */
            target_path?: string;
            /** Files only. */
            paths?: string[];
            /** Databases only. */
            database_name?: string;
            /** Databases only. */
            databases?: string[];
            /** Databases only. */
            database_host?: string | null;
            database_port?: number | null;
            /** At `database_host`. */
            database_username?: string | null;
            /** PostgreSQL only. */
            owners?: boolean;
            /** Databases only. */
            continue_on_errors?: boolean;
            /** MySQL and MariaDB only. */
            definers?: "keep" | "login";
            /** Replaces existing files; without it they fail the run. */
            overwrite?: boolean;
            /** For a backup that is encrypted to recipients: the secret key of one of them. */
            identity?: string;
          };
        };
      };
      responses: {
        /** The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              backup_task_log_id: number;
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/restore/preview": {
    /** Preview a restore */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": {
            /** Where to restore. */
            remote_server_id?: number;
            /** Files only. */
            target_path?: string;
            /** Files only. */
            paths?: string[];
            /** Databases only. */
            database_name?: string;
            /** Databases only. */
            databases?: string[];
            /** Databases only. */
            database_host?: string | null;
            database_port?: number | null;
            /** At `database_host`. */
            database_username?: string | null;
            /** PostgreSQL only. */
            owners?: boolean;
            /** Databases only. */
            continue_on_errors?: boolean;
            /** MySQL and MariaDB only. */
            definers?: "keep" | "login";
            /** Replaces existing files; without it they fail the run. */
            overwrite?: boolean;
            /** For a backup that is encrypted to recipients: the secret key of one of them. */
            identity?: string;
          };
        };
      };
      responses: {
        /** The preview. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RestorePreview"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/verify": {
    /** Verify a backup */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": {
            /** The server whose agent reads it. */
            remote_server_id?: number;
          };
        };
      };
      responses: {
        /** The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              backup_task_log_id: number;
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/drill": {
    /** Restore a backup in a drill */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": {
            /** The server that it is restored on. */
            remote_server_id?: number;
            /** Databases only. */
            database_host?: string | null;
            database_port?: number | null;
            /** At `database_host`. */
            database_username?: string | null;
          };
        };
      };
      responses: {
        /** The record of the run is at `/api/backup-task-logs/{backup_task_log_id}`. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              message: string;
              backup_task_log_id: number;
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/hold": {
    /** Hold a backup */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["HoldRequest"];
        };
      };
      responses: {
        /** The backup after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Backup"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Release a held backup */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Backup"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/suspicion": {
    /** Clear a backup of suspicion */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Backup"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backups/{id}/damage": {
    /** Mark a damaged backup as intact */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Backup"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-tasks/{id}/retention-preview": {
    /** Preview what retention would remove */
    get: {
      parameters: {
        query?: {
          /** Keeps the newest n. */
          maximum_backups_to_keep?: number;
          /** Keeps the newest n. */
          keep_last?: number | null;
          /** Keeps the newest of each of the last n hours that have a backup. */
          keep_hourly?: number | null;
          /** Keeps the newest of each of the last n days that have a backup. */
          keep_daily?: number | null;
          /** Keeps the newest of each of the last n weeks, from Monday, that have a backup. */
          keep_weekly?: number | null;
          /** Keeps the newest of each of the last n months that have a backup. */
          keep_monthly?: number | null;
          /** Keeps the newest of each of the last n years that have a backup. */
          keep_yearly?: number | null;
          /** Backups younger than this many days are not removed. */
          minimum_age_days?: number | null;
          /** Default: the user's. */
          timezone?: string;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Every stored backup, and whether it would be kept. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RetentionPreview"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers": {
    /** List remote servers */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only with this `connectivity`. */
          status?: "unknown" | "connected" | "disconnected";
          /** Created at this time or later. */
          since?: string;
          /** Created before this time. */
          until?: string;
          /** Only records with this text in the label or the address, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "label" | "-label" | "last_connected_at" | "-last_connected_at";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RemoteServer"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Create a remote server */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewRemoteServer"];
        };
      };
      responses: {
        /** The new remote server. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RemoteServer"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}": {
    /** Show a remote server */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The remote server. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RemoteServer"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update a remote server */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["RemoteServerChanges"];
        };
      };
      responses: {
        /** The remote server after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RemoteServer"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a remote server */
    delete: {
      parameters: {
        query?: {
          /** For a location that is gone for good. */
          forget?: boolean;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is in the trash until `deletes_at`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["TrashedMessage"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}/files": {
    /** List a directory of a server */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** The directory whose entries are listed. */
          path?: string;
          /** Only names in the directory that contain this text, ignoring case. */
          search?: string;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, directories first, then by name. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["ServerFile"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
              /** The listed directory. */
              path: string;
              /** The directory above; null for the root. */
              parent: string | null;
              /** Whether the directory has more than 10,000 entries. */
              is_truncated: boolean;
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}/databases": {
    /** List the databases of a server */
    get: {
      parameters: {
        query?: {
          /** Default: the kind that is found on the server. */
          database_type?: "postgresql" | "mysql" | "sqlite";
          /** Default: the task's; without a task, the local socket. */
          database_host?: string;
          database_port?: number;
          database_username?: string;
          /** The system user that runs the database's programs. */
          isolated_username?: string;
          /** A task of this server. */
          backup_task_id?: number;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The databases that a task with the `database_name` `*` backs up. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["ServerDatabases"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** List the databases of a server with a password that is not stored */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": {
            /** Default: the kind that is found on the server. */
            database_type?: "postgresql" | "mysql" | "sqlite";
            /** Default: the task's; without a task, the local socket. */
            database_host?: string;
            database_port?: number;
            database_username?: string;
            /** The system user that runs the database's programs. */
            isolated_username?: string;
            /** A task of this server. */
            backup_task_id?: number;
            /** Never stored. */
            database_password?: string;
          };
        };
      };
      responses: {
        /** The databases that a task with the `database_name` `*` backs up. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["ServerDatabases"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}/unprotected": {
    /** List what of a server is not protected */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Databases first, then volumes, file systems and directories. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["UnprotectedItem"][];
              /** Without those that are dismissed. */
              unprotected_count: number;
              /** When the agent last looked; null before the first time. */
              inventoried_at: string | null;
              /** Says what the agent could not look at, and why. */
              notes: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}/inventory": {
    /** Take a server's inventory now */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Databases first, then volumes, file systems and directories. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["UnprotectedItem"][];
              /** Without those that are dismissed. */
              unprotected_count: number;
              /** When the agent last looked; null before the first time. */
              inventoried_at: string | null;
              /** Says what the agent could not look at, and why. */
              notes: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}/unprotected/dismiss": {
    /** Dismiss items that need no backup */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["ChosenUnprotectedItems"];
        };
      };
      responses: {
        /** Databases first, then volumes, file systems and directories. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["UnprotectedItem"][];
              /** Without those that are dismissed. */
              unprotected_count: number;
              /** When the agent last looked; null before the first time. */
              inventoried_at: string | null;
              /** Says what the agent could not look at, and why. */
              notes: string[];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}/unprotected/undismiss": {
    /** Undo the dismissal of items */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["ChosenUnprotectedItems"];
        };
      };
      responses: {
        /** Databases first, then volumes, file systems and directories. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["UnprotectedItem"][];
              /** Without those that are dismissed. */
              unprotected_count: number;
              /** When the agent last looked; null before the first time. */
              inventoried_at: string | null;
              /** Says what the agent could not look at, and why. */
              notes: string[];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}/enrolment-tokens": {
    /** Create an enrolment token */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["NewEnrolmentToken"];
        };
      };
      responses: {
        /** The token, which is not shown again. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["EnrolmentToken"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/remote-servers/{id}/agent": {
    /** Revoke the agent's key */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The key is revoked. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/agent/enrol": {
    /** Exchange an enrolment token for an agent's key */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewAgent"];
        };
      };
      responses: {
        /** The agent's key, which is not shown again. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["EnrolledAgent"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/agent/connect": {
    /** Open an agent's websocket */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The websocket is open. */
        101: {
          headers: {
            [name: string]: unknown;
          };
          content?: never;
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/agent/export": {
    /** Fetch the control plane's state */
    get: {
      parameters: {
        query: {
          run_id: number;
          attempt: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** SQL for `psql`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/sql": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/agent/objects": {
    /** Read an object on another server's disk */
    get: {
      parameters: {
        query: {
          run_id: number;
          attempt: number;
          name: string;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The bytes. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/octet-stream": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/agent/streams/{stream}": {
    /** Send the bytes of a download */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          stream: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** All bytes were received. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content?: never;
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-destinations": {
    /** List backup destinations */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** `trash`: only deleted records that can still be restored. */
          status?: "trash";
          /** Only of this type. */
          type?: "local" | "s3" | "custom_s3" | "sftp" | "webdav";
          /** Created at this time or later. */
          since?: string;
          /** Created before this time. */
          until?: string;
          /** Only records with this text in the label, or where it leads, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "label" | "-label";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupDestination"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Create a backup destination */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewBackupDestination"];
        };
      };
      responses: {
        /** The new backup destination. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupDestination"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-destinations/{id}": {
    /** Show a backup destination */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup destination. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupDestination"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update a backup destination */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["BackupDestinationChanges"];
        };
      };
      responses: {
        /** The backup destination after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupDestination"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a backup destination */
    delete: {
      parameters: {
        query?: {
          /** For a location that is gone for good. */
          forget?: boolean;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is in the trash until `deletes_at`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["TrashedMessage"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-destinations/{id}/undelete": {
    /** Take a backup destination out of the trash */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The backup destination as it is now. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupDestination"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-destinations/check": {
    /** Check a backup destination before it is saved */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["UnsavedBackupDestination"];
        };
      };
      responses: {
        /** The steps, up to the first one that failed. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupDestinationCheck"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-destinations/{id}/check": {
    /** Check a backup destination */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["BackupDestinationCheckRequest"];
        };
      };
      responses: {
        /** The steps, up to the first one that failed. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupDestinationCheck"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/backup-destinations/{id}/usage": {
    /** Show what is stored at a backup destination, by task */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** In total, and of each task. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["BackupDestinationUsageByTask"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/notification-streams": {
    /** List notification streams */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only of this type. */
          type?: "email" | "discord_webhook" | "slack_webhook" | "teams_webhook" | "pushover" | "ntfy" | "healthchecks" | "telegram" | "webhook";
          /** Only records with this text in the label, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "label" | "-label";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["NotificationStream"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Create a notification stream */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewNotificationStream"];
        };
      };
      responses: {
        /** The new notification stream. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["NotificationStream"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/notification-streams/{id}": {
    /** Show a notification stream */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The notification stream. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["NotificationStream"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update a notification stream */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["NotificationStreamChanges"];
        };
      };
      responses: {
        /** The notification stream after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["NotificationStream"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a notification stream */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is in the trash until `deletes_at`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["TrashedMessage"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/notification-streams/{id}/undelete": {
    /** Take a notification stream out of the trash */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The notification stream as it is now. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["NotificationStream"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/notification-streams/{id}/test": {
    /** Test a notification stream */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Whether the receiver accepted the message. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["NotificationStreamTest"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/notification-streams/{id}/deliveries": {
    /** List the deliveries of a notification stream */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only in this state. */
          state?: "waiting" | "sent" | "given_up";
          /** Only of this event. */
          event?: "backup.started" | "backup.succeeded" | "backup.failed" | "backup.lost" | "backup.recovered" | "backup.late" | "backup.overdue" | "backup.skipped" | "schedule.broken" | "backup.stalled" | "backup.slow" | "backup.damaged" | "backup.suspicious" | "backup.shrunken" | "backup.incomplete" | "verification.failed" | "drill.failed" | "agent.gone" | "agent.back" | "agent.duplicate" | "destination.nearly_full" | "destination.has_room" | "removal.failing" | "notifications.failing" | "trash.filled" | "token.expiring" | "certificate.expiring" | "access.ending" | "update.available" | "digest" | "summary" | "test";
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at";
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["NotificationDelivery"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/tags": {
    /** List tags */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only records with this text in the label or the description, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "label" | "-label";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Tag"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Create a tag */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewTag"];
        };
      };
      responses: {
        /** The new tag. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Tag"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/tags/{id}": {
    /** Show a tag */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The tag. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Tag"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update a tag */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["TagChanges"];
        };
      };
      responses: {
        /** The tag after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Tag"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a tag */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is in the trash until `deletes_at`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["TrashedMessage"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/tags/{id}/undelete": {
    /** Take a tag out of the trash */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The tag as it is now. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Tag"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/deleted-records": {
    /** List deleted records */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only of this kind. */
          kind?: "backup-tasks" | "notification-streams" | "scripts" | "tags";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The deleted records. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["DeletedRecord"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/scripts": {
    /** List scripts */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only of this type. */
          type?: "prescript" | "after_success" | "after_failure" | "postscript";
          /** Only records with this text in the label or the text, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "label" | "-label";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Script"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Create a script */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewScript"];
        };
      };
      responses: {
        /** The new script. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Script"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/scripts/{id}": {
    /** Show a script */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The script. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Script"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update a script */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["ScriptChanges"];
        };
      };
      responses: {
        /** The script after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Script"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a script */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is in the trash until `deletes_at`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["TrashedMessage"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/scripts/{id}/undelete": {
    /** Take a script out of the trash */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The script as it is now. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Script"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/tokens": {
    /** List tokens */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Only records with this text in the name, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "name" | "-name" | "last_used_at" | "-last_used_at" | "expires_at" | "-expires_at";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Token"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Create a token */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewToken"];
        };
      };
      responses: {
        /** The new token with its text, which can't be shown again. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["TokenWithText"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/tokens/{id}": {
    /** Show a token */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The token. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Token"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update a token */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["TokenChanges"];
        };
      };
      responses: {
        /** The token after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Token"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a token */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is gone. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login": {
    /** Log in with a password */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["Login"];
        };
      };
      responses: {
        /** The session and its user. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                user: components["schemas"]["User"];
                session: components["schemas"]["Session"];
                second_factor: components["schemas"]["SecondFactor"];
                /** The workspace in which the session works, and the user's role there. */
                workspace: {
                  id: number;
                  name: string;
                  role: components["schemas"]["Role"];
                };
                /** Says what the user's role allows at this moment. */
                abilities: string[];
                /** The value of the header `X-CSRF-Token`, for changes by forms. */
                csrf_token: string;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login/code": {
    /** Log in with a second factor */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["LoginCode"];
        };
      };
      responses: {
        /** The session and its user. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                user: components["schemas"]["User"];
                session: components["schemas"]["Session"];
                second_factor: components["schemas"]["SecondFactor"];
                /** The workspace in which the session works, and the user's role there. */
                workspace: {
                  id: number;
                  name: string;
                  role: components["schemas"]["Role"];
                };
                /** Says what the user's role allows at this moment. */
                abilities: string[];
                /** The value of the header `X-CSRF-Token`, for changes by forms. */
                csrf_token: string;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login/setup": {
    /** Set a password with a set-up link */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["PasswordSetup"];
        };
      };
      responses: {
        /** The session and its user. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                user: components["schemas"]["User"];
                session: components["schemas"]["Session"];
                second_factor: components["schemas"]["SecondFactor"];
                /** The workspace in which the session works, and the user's role there. */
                workspace: {
                  id: number;
                  name: string;
                  role: components["schemas"]["Role"];
                };
                /** Says what the user's role allows at this moment. */
                abilities: string[];
                /** The value of the header `X-CSRF-Token`, for changes by forms. */
                csrf_token: string;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login/setup/user": {
    /** Show whose password a set-up link sets */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["SetupToken"];
        };
      };
      responses: {
        /** The user's name and email address. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                name: string;
                email: string;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/logout": {
    /** Log out */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The session has ended. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/session": {
    /** Show the caller's own session */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The session and its user. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                user: components["schemas"]["User"];
                session: components["schemas"]["Session"];
                second_factor: components["schemas"]["SecondFactor"];
                /** The workspace in which the session works, and the user's role there. */
                workspace: {
                  id: number;
                  name: string;
                  role: components["schemas"]["Role"];
                };
                /** Says what the user's role allows at this moment. */
                abilities: string[];
                /** The value of the header `X-CSRF-Token`, for changes by forms. */
                csrf_token: string;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/session/step-up": {
    /** Prove again who the session's user is */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["StepUp"];
        };
      };
      responses: {
        /** The session and its user. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                user: components["schemas"]["User"];
                session: components["schemas"]["Session"];
                second_factor: components["schemas"]["SecondFactor"];
                /** The workspace in which the session works, and the user's role there. */
                workspace: {
                  id: number;
                  name: string;
                  role: components["schemas"]["Role"];
                };
                /** Says what the user's role allows at this moment. */
                abilities: string[];
                /** The value of the header `X-CSRF-Token`, for changes by forms. */
                csrf_token: string;
              };
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/user/password": {
    /** Change the caller's password */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["PasswordChange"];
        };
      };
      responses: {
        /** It is changed. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"] & {
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login/methods": {
    /** Show how users can log in */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The OpenID Connect provider; null if there is none. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                openid: {
                  label: string;
                } | null;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login/openid/start": {
    /** Begin a log-in with OpenID Connect */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["OpenidStart"];
        };
      };
      responses: {
        /** The address to which the browser has to go. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                url: string;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login/openid": {
    /** Finish a log-in with OpenID Connect */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["OpenidLogin"];
        };
      };
      responses: {
        /** The session and its user. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                user: components["schemas"]["User"];
                session: components["schemas"]["Session"];
                second_factor: components["schemas"]["SecondFactor"];
                /** The workspace in which the session works, and the user's role there. */
                workspace: {
                  id: number;
                  name: string;
                  role: components["schemas"]["Role"];
                };
                /** Says what the user's role allows at this moment. */
                abilities: string[];
                /** The value of the header `X-CSRF-Token`, for changes by forms. */
                csrf_token: string;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/sessions": {
    /** List sessions */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "last_used_at" | "-last_used_at";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Session"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/sessions/{id}": {
    /** Delete a session */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is gone. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/user/totp": {
    /** Begin to set up an authenticator app */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The secret in base 32, and as an `otpauth:` address for a QR code. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                secret: string;
                uri: string;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Remove the authenticator app */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** A log-in needs the password only. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/user/totp/confirm": {
    /** Confirm an authenticator app */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["TotpCode"];
        };
      };
      responses: {
        /** Ten recovery codes, each of which replaces one code. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                recovery_codes: string[];
              };
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/user/recovery-codes": {
    /** Make new recovery codes */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Ten codes, which are not shown again. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                recovery_codes: string[];
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login-settings": {
    /** Show the settings of log-ins */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The settings. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                second_factor_required: boolean;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Change the settings of log-ins */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["LoginSettings"];
        };
      };
      responses: {
        /** The settings after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                second_factor_required: boolean;
              };
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/user/passkeys": {
    /** List passkeys */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "last_used_at" | "-last_used_at";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Passkey"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Add a passkey */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewPasskey"];
        };
      };
      responses: {
        /** The new passkey. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Passkey"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/user/passkeys/{id}": {
    /** Delete a passkey */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is gone. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/user/passkeys/options": {
    /** Begin to add a passkey */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The argument of `navigator.credentials.create`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                challenge: string;
              } & {
                [key: string]: unknown;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login/passkey/options": {
    /** Begin a log-in with a passkey */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The argument of `navigator.credentials.get`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                challenge: string;
              } & {
                [key: string]: unknown;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/login/passkey": {
    /** Log in with a passkey */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["PasskeyLogin"];
        };
      };
      responses: {
        /** The session and its user. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                user: components["schemas"]["User"];
                session: components["schemas"]["Session"];
                second_factor: components["schemas"]["SecondFactor"];
                /** The workspace in which the session works, and the user's role there. */
                workspace: {
                  id: number;
                  name: string;
                  role: components["schemas"]["Role"];
                };
                /** Says what the user's role allows at this moment. */
                abilities: string[];
                /** The value of the header `X-CSRF-Token`, for changes by forms. */
                csrf_token: string;
              };
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/user": {
    /** Show the caller's own account */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The account and the number of its records. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["OwnUser"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update the caller's own account */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["OwnUserChanges"];
        };
      };
      responses: {
        /** The account after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["OwnUser"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/users": {
    /** List users */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** `trash`: only deleted records that can still be restored. */
          status?: "trash";
          /** Only records with this text in the name or the email, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "name" | "-name" | "email" | "-email";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["User"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Create a user */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewUser"];
        };
      };
      responses: {
        /** The new user. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["User"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/users/{id}": {
    /** Show a user */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The user. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["User"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update a user */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["UserChanges"];
        };
      };
      responses: {
        /** The user after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["User"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a user */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is in the trash until `deletes_at`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["TrashedMessage"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/users/{id}/undelete": {
    /** Take a user out of the trash */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The user as it is now. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["User"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/users/{id}/setup-link": {
    /** Make a set-up link for a user */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["NewSetupLink"];
        };
      };
      responses: {
        /** The link, which can't be shown again. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: {
                url: string;
                expires_at: string;
              };
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/users/{id}/tokens": {
    /** Create a token for a user */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewUserToken"];
        };
      };
      responses: {
        /** The new token with its text, which can't be shown again. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["TokenWithText"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/workspaces": {
    /** List workspaces */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          /** Also workspaces of which the caller is not a member; for administrators. */
          all?: boolean;
          /** Only records with this text in the name, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at" | "name" | "-name";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Workspace"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Create a workspace */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewWorkspace"];
        };
      };
      responses: {
        /** The new workspace. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Workspace"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/workspaces/{id}": {
    /** Show a workspace */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The workspace. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Workspace"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Update a workspace */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          "application/json": components["schemas"]["WorkspaceChanges"];
        };
      };
      responses: {
        /** The workspace after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Workspace"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Delete a workspace */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is gone. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/session/workspace": {
    /** Choose the session's workspace */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["WorkspaceChoice"];
        };
      };
      responses: {
        /** The workspace. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Workspace"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/workspaces/{id}/members": {
    /** List the members of a workspace */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["WorkspaceMember"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Add a user to a workspace */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["NewWorkspaceMember"];
        };
      };
      responses: {
        /** The new member. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["WorkspaceMember"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/workspaces/{id}/members/{user_id}": {
    /** Change the role of a member */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
          user_id: string;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          "application/json": components["schemas"]["WorkspaceMemberChanges"];
        };
      };
      responses: {
        /** The member after the change. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["WorkspaceMember"];
              /**
               * Fields that were sent and ignored, because the operation does not know them, and effects of
               * the change that may be unwanted.
               */
              warnings?: string[];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
    /** Remove a member from a workspace */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
          user_id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The user is not a member any more. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/workspaces/{id}/membership": {
    /** Leave a workspace */
    delete: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The caller is not a member any more. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Message"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/ssh-key": {
    /** Show the control plane's public SSH key */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The public key. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["SshKey"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/healthz": {
    /** Check whether the process is up */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It is. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Status"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/readyz": {
    /** Check whether the process is ready */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** It does. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["Status"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/metrics": {
    /** Get metrics for Prometheus */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** Prometheus' text format. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "text/plain": string;
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/openapi.json": {
    /** Get this document */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** OpenAPI 3.1. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["OpenApiDocument"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/openapi.json": {
    /** Get this document */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** OpenAPI 3.1. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": components["schemas"]["OpenApiDocument"];
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/installation": {
    /** Show the control planes, the queue, the database and the keys */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The state of the whole installation. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["Installation"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/recovery-kit": {
    /** Show the recovery kit */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The recovery kit, of all users. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RecoveryKit"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/recovery-kit/status": {
    /** Show whether a copy of the recovery kit is kept */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** When a copy was kept, and what it lacks. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RecoveryKitStatus"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/recovery-kit/kept": {
    /** Confirm that a copy of the recovery kit is kept elsewhere */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** A retry with the same key and body within 24 hours gets the first response again. */
          "Idempotency-Key"?: components["parameters"]["Idempotency-Key"];
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** The status afterwards. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["RecoveryKitStatus"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/audit-log": {
    /** List the audit log */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          user_id?: number;
          workspace_id?: number;
          resource_id?: number;
          actor?: "user" | "agent" | "system" | "command" | "trigger" | "unknown";
          action?: string;
          resource?: string;
          result?: components["schemas"]["AuditResult"];
          /** At this time or later. */
          from?: string;
          /** Before this moment. */
          to?: string;
          /** Created at this time or later. */
          since?: string;
          /** Created before this time. */
          until?: string;
          /** Only records with this text in who did what to what, from where and why, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at";
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["AuditLogEntry"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
  "/api/workspaces/{id}/audit-log": {
    /** List the audit log of a workspace */
    get: {
      parameters: {
        query?: {
          /** Which page, from 1. */
          page?: number;
          /** Items per page. */
          per_page?: number;
          actor?: "user" | "agent" | "system" | "command" | "trigger" | "unknown";
          action?: string;
          resource?: string;
          result?: components["schemas"]["AuditResult"];
          /** At this time or later. */
          from?: string;
          /** Before this moment. */
          to?: string;
          /** Created at this time or later. */
          since?: string;
          /** Created before this time. */
          until?: string;
          /** Only records with this text in who did what to what, from where and why, ignoring case. */
          search?: string;
          /** The sort field; a leading dash reverses the order: `-id` shows the newest first. */
          sort?: "id" | "-id" | "created_at" | "-created_at";
        };
        header?: never;
        path: {
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** One page, oldest first unless sorted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            "application/json": {
              data: components["schemas"]["AuditLogEntry"][];
              links: components["schemas"]["PageLinks"];
              meta: components["schemas"]["PageMeta"];
            };
          };
        };
        default: components["responses"]["Failure"];
      };
    };
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    Overview: {
      verdict: string;
      /** Whether there is a task that is not paused, and none is late. */
      is_protected: boolean;
      tasks_by_status: {
        never_backed_up: number;
        late: number;
        failing: number;
        paused: number;
        protected: number;
      };
      /** Tasks, without paused ones, whose newest backup has warnings, whatever their status. */
      tasks_with_warnings: number;
      /** Late, never backed up or failing; the worst first, at most 100. */
      unprotected_tasks: {
        id: number;
        label: string;
        type: "files" | "database" | "control_plane";
        remote_server: components["schemas"]["NamedRecord"];
        protection: components["schemas"]["Protection"];
        next_run_at: string | null;
      }[];
      runs: {
        running: number;
        queued: number;
      };
      due_within_24_hours: number;
      servers: {
        connected: number;
        disconnected: number;
        /** Intermittent ones whose agent is away. */
        asleep: number;
        /** No agent was ever connected. */
        unknown: number;
      };
      backups: {
        count: number;
        /** Stored bytes. */
        size: number;
      };
      /** The last drill that restored a backup; null: none did yet. */
      last_proven: {
        backup_task_id: number;
        label: string;
        at: string;
        restore_duration_ms: number | null;
      } | null;
      /** Items on servers that no task covers, see `/api/remote-servers/{id}/unprotected`. */
      unprotected_items: {
        items_count: number;
        servers_count: number;
      };
    };
    NamedRecord: {
      id: number;
      label: string;
    };
    Protection: {
      /** By the age of the newest backup, not by the last run alone. */
      status: "never_backed_up" | "late" | "failing" | "paused" | "protected";
      /** Null if the task is protected or paused. */
      reason: string | null;
      /** When the task becomes late unless a backup is stored before, or became it. */
      late_at: string | null;
      /** The newest backup that is stored, not damaged, and of the task's current source. */
      newest_backup_id: number | null;
      newest_backup_at: string | null;
      /** Warnings of that backup. */
      warnings_count: number;
    };
    RunDays: {
      timezone: string;
      from: string;
      to: string;
      /** Every day, the oldest first. */
      days: {
        date: string;
        /** Without warnings. */
        succeeded: number;
        /** Succeeded with warnings. */
        warnings: number;
        /** Also lost, timed out, or not accepted by an agent in time. */
        failed: number;
        /** By a person. */
        cancelled: number;
        /** Due times at which the task's earlier run was still active. */
        skipped: number;
      }[];
      totals: {
        /** Without warnings. */
        succeeded: number;
        /** Succeeded with warnings. */
        warnings: number;
        /** Also lost, timed out, or not accepted by an agent in time. */
        failed: number;
        /** By a person. */
        cancelled: number;
        /** Due times at which the task's earlier run was still active. */
        skipped: number;
      };
    };
    StorageDays: {
      timezone: string;
      from: string;
      to: string;
      /**
       * Removals before this time are not known, because an older version ran: earlier days show only backups
       * that were still stored then.
       */
      exact_since: string | null;
      /** Every day, the oldest first. */
      days: {
        date: string;
        /** At the end of the day; today: now. */
        stored_bytes: number;
        backups_count: number;
        added_bytes: number;
        removed_bytes: number;
      }[];
    };
    BackupTaskRun: {
      /** The id of the run's log. */
      id: number;
      created_at: string;
      started_at: string | null;
      finished_at: string;
      /** From start to end; null if no agent began it. */
      duration_ms: number | null;
      /** Null: a person cancelled it. */
      outcome: "succeeded" | "warnings" | "failed" | null;
      trigger: "manual" | "schedule" | "webhook";
      /** Bytes read from the source. */
      read_bytes: number;
      /** Bytes of its backup; 0: it stored none. */
      stored_bytes: number;
      files_count: number | null;
      warnings_count: number;
      /** Null: it stored none, or the backup is deleted. */
      backup_id: number | null;
      reason: string | null;
    };
    BackupTaskStrip: {
      backup_task_id: number;
      /** The oldest first. */
      runs: {
        id: number;
        outcome: "succeeded" | "warnings" | "failed" | "cancelled";
        created_at: string;
      }[];
    };
    BackupTaskProofs: {
      backup_task_id: number;
      label: string;
      /** `proven`: a drill succeeded within `drill_every` days and one more. */
      status: "damaged" | "never_proven" | "overdue" | "no_backup" | "not_drilled" | "proven";
      /** Why no drill starts by itself; null if drills do. */
      note: string | null;
      /** Without backups that are being deleted. */
      newest_backup_id: number | null;
      /** Whether a drill of the newest backup is possible. */
      is_drillable: boolean;
      damaged_backups_count: number;
      proven: {
        /** The last drill that restored a backup. */
        last_at: string | null;
        /** How long its restore took. */
        restore_ms: number | null;
        /** `drill_every` of the task. */
        every_days: number;
        /** The next drill; null if none starts by itself. */
        due_at: string | null;
      };
      checked: {
        /** The last verification with a result. */
        last_at: string | null;
        /** `verify_every` of the task. */
        every_days: number;
        /** The next verification; null if none starts by itself. */
        due_at: string | null;
      };
      /** The oldest first. */
      checks: {
        /** The id of the run's log. */
        id: number;
        kind: "verify" | "drill";
        /** Null: the backup is deleted. */
        backup_id: number | null;
        backup_created_at: string | null;
        started_at: string | null;
        finished_at: string;
        /** `damaged`: the backup is. */
        outcome: "proven" | "verified" | "damaged" | "failed" | "cancelled";
        reason: string | null;
        evidence: components["schemas"]["Evidence"];
      }[];
    };
    /** Null unless it is `proven` or `verified`. */
    Evidence: {
      /** Files and directories that were compared; null if there are none, or they are not counted. */
      files_count: number | null;
      /** Restored and compared databases; null of files or of an older agent. */
      databases: {
        name: string;
        tables_count: number;
        /** Compared rows; null: the backup has no counts. */
        rows_count: number | null;
      }[] | null;
      /** Stored objects whose size and SHA-256 were compared; null of a drill or of an older agent. */
      objects_count: number | null;
      /** False: the control plane has no key, so that only sizes and SHA-256 were compared. */
      is_opened: boolean;
      /** Bytes that were read from the destination. */
      read_bytes: number;
      /** The restore alone; null of a verification. */
      restore_ms: number | null;
      duration_ms: number;
    } | null;
    RemoteServerUptime: {
      remote_server_id: number;
      label: string;
      /** Share of the recorded time; null: nothing is recorded. */
      uptime: number | null;
      /** The oldest first. */
      days: {
        date: string;
        uptime: number | null;
      }[];
    };
    RemoteServerConnectivity: {
      timezone: string;
      from: string;
      to: string;
      /** Nothing is known of the time before. */
      recorded_since: string | null;
      /** Share of the recorded time; null: nothing is recorded. */
      uptime: number | null;
      /** The oldest first. */
      days: {
        date: string;
        uptime: number | null;
      }[];
      /** When the agent was connected, the oldest first, at most the last 1,000. */
      intervals: {
        connected_at: string;
        disconnected_at: string | null;
      }[];
    };
    UpcomingBackupTask: {
      backup_task_id: number;
      label: string;
      type: "files" | "database" | "control_plane";
      next_run: string;
      next_run_human: string;
    };
    /** Absolute URLs that keep the other query parameters. */
    PageLinks: {
      first: string;
      last: string;
      prev: string | null;
      next: string | null;
    };
    PageMeta: {
      current_page: number;
      /** Number of the first item here; null on an empty page. */
      from: number | null;
      last_page: number;
      path: string;
      per_page: number;
      /** Number of the last item here; null on an empty page. */
      to: number | null;
      total: number;
    };
    BackupTask: {
      id: number;
      user_id: number;
      /** Name of the task. */
      label: string;
      /** Notes about the task. */
      description: string | null;
      /** Server that owns the data. */
      remote_server_id: number;
      /** Destination that backups go to. */
      backup_destination_id: number;
      /** Kind of source. */
      type: "files" | "database" | "control_plane";
      /** Database to back up: a name, several names separated by commas, or * for all. */
      database_name: string | null;
      /** Kind of database; by default the kind that is found. */
      database_type: "postgresql" | "mysql" | "sqlite" | null;
      /** Directory or file to back up. */
      source_path: string | null;
      /** Paths and patterns to exclude. */
      excluded_paths: string[];
      /** Warn of unreadable files instead of failing the run. */
      allow_unreadable: boolean;
      /** Host of the database server; by default its local socket. */
      database_host: string | null;
      /** Port of the database server. */
      database_port: number | null;
      /** User that logs in to the database server. */
      database_username: string | null;
      has_database_password: boolean;
      /** Format of PostgreSQL dumps. */
      database_format: "custom" | "plain";
      /** Tables whose rows a dump leaves out, separated by commas. */
      excluded_database_tables: string | null;
      /** System user that runs the source's programs. */
      isolated_username: string | null;
      has_isolated_password: boolean;
      /** How often it runs, unless a cron expression is set. */
      frequency: "daily" | "weekly" | null;
      /** Time of day, in the task's time zone. */
      time_to_run_at: string | null;
      /** Day of a weekly task, Sunday 0; by default the weekday of its creation. */
      weekday: number | null;
      /** Schedule in place of frequency and time, such as "0 2 * * MON-FRI". */
      custom_cron_expression: string | null;
      /** Time zone of the schedule, such as Europe/Berlin. */
      timezone: string;
      /** How many backups are kept; 0 keeps all. */
      maximum_backups_to_keep: number;
      /** How many of the newest backups are kept. */
      keep_last: number | null;
      /** How many hours keep their newest backup. */
      keep_hourly: number | null;
      /** How many days keep their newest backup. */
      keep_daily: number | null;
      /** How many weeks keep their newest backup. */
      keep_weekly: number | null;
      /** How many months keep their newest backup. */
      keep_monthly: number | null;
      /** How many years keep their newest backup. */
      keep_yearly: number | null;
      /** Days that every backup is kept. */
      minimum_age_days: number | null;
      /** Directory below the destination's own path. */
      store_path: string | null;
      /** Text that file names start with. */
      appended_file_name: string | null;
      has_encryption_password: boolean;
      /** Age public keys that backups are encrypted to, instead of a password. */
      encryption_recipients: string[];
      /** Seconds after which a run is stopped. */
      run_timeout: number | null;
      /** Seconds without progress after which a run is reported; by default 15 minutes. */
      stall_warning: number | null;
      /** Seconds without progress after which a run fails; by default 6 hours. */
      stall_timeout: number | null;
      /** Seconds that a dump waits for a lock; by default 30 minutes. */
      lock_wait_timeout: number | null;
      /** Seconds in the queue after which a run is reported; by default an hour. */
      overdue_after: number | null;
      /** Seconds that the newest backup may be old; by default as the schedule promises. */
      max_age: number | null;
      /** Says what happens if a guard finds a backup wrong, by guard. */
      guards: {
        incompressible: "warn" | "fail" | "ignore";
        shrink: "warn" | "fail" | "ignore";
        too_long: "warn" | "fail" | "ignore";
      };
      /** Says what happens if a backup is much smaller than the last ones. */
      on_shrink: "warn" | "fail" | "ignore";
      /** Says what happens if a backup compresses much worse than the last ones. */
      on_incompressible: "warn" | "fail" | "ignore";
      /** Zstd level of archives, from 1 (fast) to 19 (small); 0 stores them uncompressed. */
      compression_level: number;
      /** Threads that compress; above level 9 each needs up to 170 MB of memory. */
      compression_threads: number | null;
      /** Days after which each stored backup is read back; 0 for never. */
      verify_every: number;
      /** Days after which the newest backup is restored as a drill; 0 for never. */
      drill_every: number;
      /** Scripts that backup runs execute on the server, in order. */
      script_ids: number[];
      /** Tags of the task. */
      tag_ids: number[];
      /** Notification streams that report the task's runs. */
      notification_stream_ids: number[];
      remote_server: components["schemas"]["NamedRecord"];
      backup_destination: components["schemas"]["NamedRecord"];
      source: components["schemas"]["TaskSource"];
      schedule: components["schemas"]["TaskSchedule"];
      storage: components["schemas"]["TaskStorage"];
      status: "ready" | "running";
      protection: components["schemas"]["Protection"];
      has_isolated_credentials: boolean;
      notification_streams_count: number;
      last_run_utc_time: string | null;
      /** ISO 8601 with the offset of `schedule.timezone`. */
      last_run_local_time: string | null;
      /** How the last backup run that ended turned out. */
      last_run_outcome: "succeeded" | "warnings" | "failed" | null;
      /**
       * Number of due times in the last 30 days that were skipped because an earlier run of the task was
       * active.
       */
      skipped_schedules: {
        count: number;
        last_at: string | null;
      };
      /** Whether other systems can start runs with the token of the task's trigger. */
      has_trigger_token: boolean;
      /** When that token was last used, to the minute. */
      trigger_token_last_used_at: string | null;
      paused_at: string | null;
      tags: {
        id: number;
        label: string;
        colour: string | null;
      }[];
      /** Its backups, without those that are in the trash or being deleted. */
      backups: {
        count: number;
        /** Stored bytes. */
        size: number;
      };
      /** When a drill last restored a backup of the task. */
      last_proven_at: string | null;
      /** Duration of that restore. */
      restore_duration_ms: number | null;
      /** Backups from before this time are not compared with later ones. */
      source_changed_at: string | null;
      created_at: string;
      updated_at: string;
    };
    TaskSource: {
      /** Kind of source. */
      type: "files" | "database" | "control_plane";
      /** Database to back up: a name, several names separated by commas, or * for all. */
      database_name: string | null;
      /** Directory or file to back up. */
      path: string | null;
      /** Tables whose rows a dump leaves out, separated by commas. */
      excluded_tables: string | null;
      /** Says what is backed up, in words. */
      description: string;
    };
    TaskSchedule: {
      /** How often it runs, unless a cron expression is set. */
      frequency: "daily" | "weekly" | null;
      /** Time of day, in the task's time zone. */
      time: string | null;
      /** Schedule in place of frequency and time, such as "0 2 * * MON-FRI". */
      custom_cron: string | null;
      /** Time zone of the schedule, such as Europe/Berlin. */
      timezone: string;
      /** The schedule in words. */
      description: string;
      /** Time of the next run, `HH:MM`. */
      scheduled_utc_time: string | null;
      /** Time of the next run, `HH:MM`. */
      scheduled_local_time: string | null;
      /** Null while the task is paused. */
      next_run_at: string | null;
    };
    TaskStorage: {
      /** How many backups are kept; 0 keeps all. */
      max_backups: number;
      /** Directory below the destination's own path. */
      path: string | null;
      /** Text that file names start with. */
      appended_filename: string | null;
    };
    SchedulePreview: {
      description: string;
      /** The schedule with its defaults. */
      schedule: {
        /** How often it runs, unless a cron expression is set. */
        frequency: "daily" | "weekly" | null;
        /** Time of day, in the task's time zone. */
        time_to_run_at: string | null;
        /** Day of a weekly task, Sunday 0; by default the weekday of its creation. */
        weekday: number | null;
        /** Schedule in place of frequency and time, such as "0 2 * * MON-FRI". */
        custom_cron_expression: string | null;
        /** Time zone of the schedule, such as Europe/Berlin. */
        timezone: string;
      };
      /** The next five due times; fewer if there are no more. */
      next_runs: {
        at: string;
        /** ISO 8601 with the offset of `timezone` at that time. */
        local: string;
      }[];
      /** A sentence for each clock change of the next year that skips or repeats a due time. */
      notes: string[];
    };
    TaskScheduleInput: {
      /** Needed unless `custom_cron_expression` is given; clears it. */
      frequency?: "daily" | "weekly" | null;
      /** `HH:MM` in `timezone`. */
      time_to_run_at?: string | null;
      /** Day of a weekly task, Sunday 0. */
      weekday?: number | null;
      /**
       * Five fields, or a nickname such as `@daily`; `L`, `W` and `#` as the library croner supports them.
       */
      custom_cron_expression?: string | null;
      /** Default: the user's. */
      timezone?: string | null;
    };
    PlannedWeek: {
      timezone: string;
      from: string;
      until: string;
      /** The seven local days. */
      days: string[];
      /** Servers with tasks, by label. */
      servers: {
        id: number;
        label: string;
        runs_at_once: number;
        tasks: {
          backup_task_id: number;
          label: string;
          type: "files" | "database" | "control_plane";
          /** The schedule in words. */
          description: string;
          is_paused: boolean;
          /** Median duration of the runs that made the newest ten backups. */
          expected_duration_ms: number | null;
          /**
           * Set if the task is due more than 28 times in the week: the shortest time between two due times.
           */
          interval_ms: number | null;
          /** The interval in words. */
          interval: string | null;
          runs: {
            at: string;
            /** ISO 8601 with the offset of `timezone`. */
            local: string;
            /** `at` if the duration is not known. */
            until: string;
          }[];
        }[];
        /** Times at which several tasks are expected to run. */
        overlaps: {
          from: string;
          until: string;
          backup_task_ids: number[];
          most_at_once: number;
          /** Whether runs have to wait: more are due at once than `runs_at_once`. */
          waits: boolean;
        }[];
      }[];
    };
    BulkResult: {
      action: "run" | "pause" | "resume" | "add-tag" | "remove-tag" | "delete";
      /** Number of tasks for which it succeeded. */
      ok: number;
      failed: number;
      results: {
        id: number;
        ok: boolean;
        /** The status that the call for this task alone would have had. */
        status: number;
        message: string;
        backup_task_log_id?: number;
        deletes_at?: string;
      }[];
    };
    BulkAction: {
      /** The tasks. */
      ids: number[];
      action: "run" | "pause" | "resume" | "add-tag" | "remove-tag" | "delete";
      /** Needed by `add-tag` and `remove-tag`. */
      tag_id?: number | null;
      /** For `run`: whether a run waits for a slot if its server is at its limit. */
      queue?: boolean | null;
      /** For `delete`: whether the backups of the tasks go to the trash too. */
      with_backups?: boolean | null;
    };
    NewBackupTask: {
      /** Name of the task. */
      label: string;
      /** Notes about the task. */
      description?: string | null;
      /** Server that owns the data. */
      remote_server_id: number;
      /** Destination that backups go to. */
      backup_destination_id: number;
      /** `control_plane` is this control plane's own database: for tokens with the `admin` ability. */
      type: "files" | "database" | "control_plane";
      /**
       * Needed when `type` is `database`: one name, several separated by commas, or `*` for all of the
       * server's.
       */
      database_name?: string | null;
      /** Default: the kind that is found on the server. */
      database_type?: "postgresql" | "mysql" | "sqlite" | null;
      /** Absolute; needed when `type` is `files`. */
      source_path?: string | null;
      /** Paths and patterns to exclude: absolute paths in the source, or patterns. */
      excluded_paths?: string[] | null;
      /** Whether an unreadable file causes a warning, instead of failing the run. */
      allow_unreadable?: boolean | null;
      /** A host, or the absolute path of the directory with the server's socket. */
      database_host?: string | null;
      /** Port of the database server. */
      database_port?: number | null;
      /** Default on a socket: `postgres`, run as the system user `postgres`, or `root` for MySQL. */
      database_username?: string | null;
      /** Overrides the remote server's. */
      database_password?: string | null;
      /** PostgreSQL only: `pg_dump -Fc`, or SQL text. */
      database_format?: "custom" | "plain" | null;
      /** Separated by commas. */
      excluded_database_tables?: string | null;
      /** The system user that runs the source's programs. */
      isolated_username?: string | null;
      /** Exists for clients that send it. */
      isolated_password?: string | null;
      /** Needed unless `custom_cron_expression` is given; clears it. */
      frequency?: "daily" | "weekly" | null;
      /** `HH:MM` in `timezone`. */
      time_to_run_at?: string | null;
      /** Day of a weekly task, Sunday 0. */
      weekday?: number | null;
      /**
       * Five fields, or a nickname such as `@daily`; `L`, `W` and `#` as the library croner supports them.
       */
      custom_cron_expression?: string | null;
      /** Default: the user's. */
      timezone?: string | null;
      /** Keeps the newest n. */
      maximum_backups_to_keep?: number | null;
      /** Keeps the newest n. */
      keep_last?: number | null;
      /** Keeps the newest of each of the last n hours that have a backup. */
      keep_hourly?: number | null;
      /** Keeps the newest of each of the last n days that have a backup. */
      keep_daily?: number | null;
      /** Keeps the newest of each of the last n weeks, from Monday, that have a backup. */
      keep_weekly?: number | null;
      /** Keeps the newest of each of the last n months that have a backup. */
      keep_monthly?: number | null;
      /** Keeps the newest of each of the last n years that have a backup. */
      keep_yearly?: number | null;
      /** Backups younger than this many days are not removed. */
      minimum_age_days?: number | null;
      /** Below the destination's own path. */
      store_path?: string | null;
      /** Text that file names start with. */
      appended_file_name?: string | null;
      /** Encrypts backups with age. */
      encryption_password?: string | null;
      /** age public keys that backups are encrypted to, instead of a password. */
      encryption_recipients?: string[] | null;
      /** Seconds after which a run is stopped. */
      run_timeout?: number | null;
      /**
       * Seconds without progress of a run after which its owner is notified, and `why` shows what it waits
       * for.
       */
      stall_warning?: number | null;
      /** Seconds without progress after which a run fails. */
      stall_timeout?: number | null;
      /** Seconds that a dump waits for a lock in its database before the run fails. */
      lock_wait_timeout?: number | null;
      /** Seconds that a run may be queued before its owner is notified. */
      overdue_after?: number | null;
      /** Seconds that the task's newest backup may be old before the task is `late`. */
      max_age?: number | null;
      /** `warn`, `fail` or `ignore` by guard; docs/guide/anomalies.md lists the guards. */
      guards?: {
        incompressible?: "warn" | "fail" | "ignore";
        shrink?: "warn" | "fail" | "ignore";
        too_long?: "warn" | "fail" | "ignore";
      } | null;
      /**
       * When a backup has fewer files, or fewer bytes read or stored, than half of the median of the task's
       * last 7 backups (at least 3, of the source as it is defined now): warn, fail the run and store
       * nothing, or ignore it.
       */
      on_shrink?: "warn" | "fail" | "ignore" | null;
      /**
       * When data that used to compress no longer does, as after ransomware: the stored size per byte read,
       * or the share of frames that don't compress, is at least 0.25 above that median, and more is stored
       * than the median.
       */
      on_incompressible?: "warn" | "fail" | "ignore" | null;
      /** zstd level of archives, from 1 (fast) to 19 (small). */
      compression_level?: number | null;
      /** Threads that compress, at most one for each processor. */
      compression_threads?: number | null;
      /** Days after which each stored backup is read back and verified, one at a time on a server. */
      verify_every?: number | null;
      /**
       * Days after which the newest backup is restored in a drill, compared with what was stored, and removed
       * again: files in a temporary directory, databases in scratch databases.
       */
      drill_every?: number | null;
      /** Scripts that backup runs execute on the server, in order. */
      script_ids?: number[] | null;
      /** Tags of the task. */
      tag_ids?: number[] | null;
      /** Notification streams that report the task's runs. */
      notification_stream_ids?: number[] | null;
    };
    BackupTaskChanges: {
      /** Name of the task. */
      label?: string;
      /** Notes about the task. */
      description?: string | null;
      /** Server that owns the data. */
      remote_server_id?: number;
      /** Destination that backups go to. */
      backup_destination_id?: number;
      /** `control_plane` is this control plane's own database: for tokens with the `admin` ability. */
      type?: "files" | "database" | "control_plane";
      /**
       * Needed when `type` is `database`: one name, several separated by commas, or `*` for all of the
       * server's.
       */
      database_name?: string | null;
      /** Default: the kind that is found on the server. */
      database_type?: "postgresql" | "mysql" | "sqlite" | null;
      /** Absolute; needed when `type` is `files`. */
      source_path?: string | null;
      /** Paths and patterns to exclude: absolute paths in the source, or patterns. */
      excluded_paths?: string[] | null;
      /** Whether an unreadable file causes a warning, instead of failing the run. */
      allow_unreadable?: boolean | null;
      /** A host, or the absolute path of the directory with the server's socket. */
      database_host?: string | null;
      /** Port of the database server. */
      database_port?: number | null;
      /** Default on a socket: `postgres`, run as the system user `postgres`, or `root` for MySQL. */
      database_username?: string | null;
      /** Overrides the remote server's. */
      database_password?: string | null;
      /** PostgreSQL only: `pg_dump -Fc`, or SQL text. */
      database_format?: "custom" | "plain" | null;
      /** Separated by commas. */
      excluded_database_tables?: string | null;
      /** The system user that runs the source's programs. */
      isolated_username?: string | null;
      /** Exists for clients that send it. */
      isolated_password?: string | null;
      /** Needed unless `custom_cron_expression` is given; clears it. */
      frequency?: "daily" | "weekly" | null;
      /** `HH:MM` in `timezone`. */
      time_to_run_at?: string | null;
      /** Day of a weekly task, Sunday 0. */
      weekday?: number | null;
      /**
       * Five fields, or a nickname such as `@daily`; `L`, `W` and `#` as the library croner supports them.
       */
      custom_cron_expression?: string | null;
      /** Default: the user's. */
      timezone?: string | null;
      /** Keeps the newest n. */
      maximum_backups_to_keep?: number | null;
      /** Keeps the newest n. */
      keep_last?: number | null;
      /** Keeps the newest of each of the last n hours that have a backup. */
      keep_hourly?: number | null;
      /** Keeps the newest of each of the last n days that have a backup. */
      keep_daily?: number | null;
      /** Keeps the newest of each of the last n weeks, from Monday, that have a backup. */
      keep_weekly?: number | null;
      /** Keeps the newest of each of the last n months that have a backup. */
      keep_monthly?: number | null;
      /** Keeps the newest of each of the last n years that have a backup. */
      keep_yearly?: number | null;
      /** Backups younger than this many days are not removed. */
      minimum_age_days?: number | null;
      /** Below the destination's own path. */
      store_path?: string | null;
      /** Text that file names start with. */
      appended_file_name?: string | null;
      /** Encrypts backups with age. */
      encryption_password?: string | null;
      /** age public keys that backups are encrypted to, instead of a password. */
      encryption_recipients?: string[] | null;
      /** Seconds after which a run is stopped. */
      run_timeout?: number | null;
      /**
       * Seconds without progress of a run after which its owner is notified, and `why` shows what it waits
       * for.
       */
      stall_warning?: number | null;
      /** Seconds without progress after which a run fails. */
      stall_timeout?: number | null;
      /** Seconds that a dump waits for a lock in its database before the run fails. */
      lock_wait_timeout?: number | null;
      /** Seconds that a run may be queued before its owner is notified. */
      overdue_after?: number | null;
      /** Seconds that the task's newest backup may be old before the task is `late`. */
      max_age?: number | null;
      /** `warn`, `fail` or `ignore` by guard; docs/guide/anomalies.md lists the guards. */
      guards?: {
        incompressible?: "warn" | "fail" | "ignore";
        shrink?: "warn" | "fail" | "ignore";
        too_long?: "warn" | "fail" | "ignore";
      } | null;
      /**
       * When a backup has fewer files, or fewer bytes read or stored, than half of the median of the task's
       * last 7 backups (at least 3, of the source as it is defined now): warn, fail the run and store
       * nothing, or ignore it.
       */
      on_shrink?: "warn" | "fail" | "ignore" | null;
      /**
       * When data that used to compress no longer does, as after ransomware: the stored size per byte read,
       * or the share of frames that don't compress, is at least 0.25 above that median, and more is stored
       * than the median.
       */
      on_incompressible?: "warn" | "fail" | "ignore" | null;
      /** zstd level of archives, from 1 (fast) to 19 (small). */
      compression_level?: number | null;
      /** Threads that compress, at most one for each processor. */
      compression_threads?: number | null;
      /** Days after which each stored backup is read back and verified, one at a time on a server. */
      verify_every?: number | null;
      /**
       * Days after which the newest backup is restored in a drill, compared with what was stored, and removed
       * again: files in a temporary directory, databases in scratch databases.
       */
      drill_every?: number | null;
      /** Scripts that backup runs execute on the server, in order. */
      script_ids?: number[] | null;
      /** Tags of the task. */
      tag_ids?: number[] | null;
      /** Notification streams that report the task's runs. */
      notification_stream_ids?: number[] | null;
    };
    TrashedMessage: {
      message: string;
      /** The time at which deletion begins; until then it can be undone. */
      deletes_at?: string;
      /** Effects of the deletion that may be unwanted. */
      warnings?: string[];
    };
    BackupTaskRunRequest: {
      /** Whether the run waits for a slot if its server is at its limit of concurrent runs. */
      queue?: boolean | null;
    };
    BackupTaskTriggerRequest: {
      /** Whether the run waits for a slot if its server is at its limit of concurrent runs. */
      queue?: boolean | null;
    };
    TriggerToken: {
      /** It is not shown again. */
      token: string;
      /** Where it is sent to, by POST. */
      url: string;
    };
    Message: {
      message: string;
    };
    BackupTaskLog: {
      id: number;
      /** Null once the task is deleted. */
      backup_task_id: number | null;
      output: string;
      finished_at: string | null;
      status: "queued" | "running" | "successful" | "failed" | "cancelled";
      created_at: string;
      kind: "backup" | "restore" | "verify" | "drill";
      /** `webhook`: a request with the token of the task's trigger started it. */
      trigger: "manual" | "schedule" | "webhook";
      /** The due time that made it; null without one. */
      scheduled_for: string | null;
      started_at: string | null;
      /** Why it failed or was cancelled, in one line. */
      reason: string | null;
      /** Null until it ends, and if a person cancelled it. */
      outcome: "succeeded" | "warnings" | "failed" | null;
      warnings_count: number;
      remote_server_id: number | null;
      backup_destination_id: number | null;
      /** The backup that a restore reads; else null. */
      backup_id: number | null;
      /** The backup that the run stored; else null. */
      stored_backup_id: number | null;
      evidence: components["schemas"]["Evidence"] & unknown;
      backup_task: components["schemas"]["NamedRecord"] | null;
      remote_server: components["schemas"]["NamedRecord"] | null;
      backup_destination: components["schemas"]["NamedRecord"] | null;
      /** The phases of a run with scripts, in order; empty without scripts. */
      phases: {
        phase: "prescript" | "backup" | "after_success" | "after_failure" | "postscript";
        started_at: string;
      }[];
      progress: components["schemas"]["BackupTaskLogProgress"];
      restored: components["schemas"]["BackupTaskLogRestored"];
      /** Characters of output in all, whether or not they are here. */
      output_size: number;
    };
    BackupTaskLogProgress: {
      bytes_read: number;
      bytes_written: number;
      files_count: number | null;
      bytes_per_second: number | null;
      eta_seconds: number | null;
      /** Says what a run with scripts is doing: a type of script, or `backup`. */
      phase: "prescript" | "backup" | "after_success" | "after_failure" | "postscript" | null;
    };
    BackupTaskLogRestored: {
      requested: components["schemas"]["RestoreAmounts"];
      written: components["schemas"]["RestoreAmounts"];
      /** Files and directories that could not be written; the output names them. */
      skipped_count: number;
      /** The first 100 of the paths, or of the names of databases, that were written. */
      targets: string[];
      targets_count: number;
    } | null;
    /** Null is what is not known, or what there is none of. */
    RestoreAmounts: {
      /** Everything but directories. */
      files_count: number | null;
      directories_count: number | null;
      bytes: number | null;
      databases_count: number | null;
      /** Rows in the databases. */
      rows_count: number | null;
    };
    RunWait: {
      status: "queued" | "running" | "successful" | "failed" | "cancelled";
      waiting_for: "agent" | "capacity" | "dispatch" | "acceptance" | "progress" | "cancellation" | null;
      /** Text that says what it waits for, and what can be done. */
      message: string;
      /** When the wait ends by itself; for an active run, the end of its run timeout. */
      until: string | null;
      /** Says what happens at `until`. */
      then: string | null;
      /** Ids of the logs of the runs before it in the queue. */
      runs_ahead: number[];
      /** For a running run: the time of its last progress. */
      moved_at: string | null;
    };
    BackupTaskLogLine: {
      /** The position of its event; lines of one event have the same. */
      sequence: number;
      text: string;
      /** `warning`: a warning of the run; `note`: says that output was cut out here. */
      stream: "output" | "warning" | "note";
    };
    Backup: {
      id: number;
      /** Null once the task is deleted. */
      backup_task_id: number | null;
      backup_task: components["schemas"]["NamedRecord"] | null;
      backup_task_log_id: number | null;
      backup_destination_id: number;
      backup_destination: components["schemas"]["NamedRecord"];
      remote_server_id: number | null;
      remote_server: components["schemas"]["NamedRecord"] | null;
      /**
       * Files only: the directory that a restore without `target_path` restores into; null if it is not
       * known.
       */
      original_directory: string | null;
      /** Name of the first archive. */
      file_name: string;
      /** Where the objects are: a path, or a key prefix in the bucket. */
      directory: string;
      /** Bytes of all archives, as stored. */
      size: number;
      /** `size` of the task's backup before this one; null if there is none. */
      previous_size: number | null;
      /** Checksum of the first archive, as stored. */
      sha256: string;
      engine: string;
      /** Says what it contains, such as `PostgreSQL databases`. */
      source_label: string;
      /** Whether `/api/backups/{id}/files` lists its contents. */
      is_listed: boolean;
      /**
       * The fields that a restore of it takes besides `remote_server_id`, `overwrite` and `identity`; empty
       * if agents can't restore it.
       */
      restore_fields: string[];
      /** Why agents can't restore it. */
      restore_refusal: string | null;
      encrypted: boolean;
      encryption: "none" | "password" | "recipients";
      /** The public keys that it is encrypted to. */
      encryption_recipients: string[];
      bytes_read: number;
      files_count: number | null;
      /** `warnings` if its run warned, or if something is missing from it; otherwise `succeeded`. */
      outcome: "succeeded" | "warnings" | "failed";
      warnings_count: number;
      duration_ms: number;
      /** From 0 to 1: the part of `bytes_read` in frames that did not compress. */
      incompressible_share: number | null;
      /** `damaged`: damage was found when it was read back; `deleting`: its objects are being deleted. */
      status: "stored" | "deleting" | "damaged";
      /** Why the last attempt to delete it failed. */
      removal_error: string | null;
      /** Number of failed attempts to delete it. */
      removal_attempts: number;
      /** Set when a user deletes it: until then it is in the trash and can be restored from there. */
      deletes_at: string | null;
      /** Whether it is kept until it is released. */
      held: boolean;
      hold_reason: string | null;
      /** Set when it is released: it stays held until then. */
      hold_ends_at: string | null;
      damaged_at: string | null;
      damage_reason: string | null;
      /** Findings of the guards when it was made. */
      findings: {
        name: string;
        message: string;
        severity: "critical" | "warning";
      }[];
      /** While it is set, retention removes neither this backup nor older ones of its task. */
      suspicious_at: string | null;
      /** Why it is suspicious: it may contain files that ransomware encrypted, or it shrank. */
      suspicion: string | null;
      /** Whether something is missing from it. */
      incomplete: boolean;
      /** Parts that are missing, such as a database that could not be dumped, and why. */
      missing: {
        name: string;
        reason: string;
      }[];
      /** Number of files that could not be read. */
      unreadable_count: number;
      objects: {
        role: "archive" | "index" | "manifest";
        name: string;
        size: number;
        sha256: string;
        database_name: string | null;
      }[];
      created_at: string;
      verified_at: string | null;
      /** When a drill last restored it. */
      proven_at: string | null;
      /** Duration of that restore. */
      drill_duration_ms: number | null;
    };
    BackupEntry: {
      /** Relative to the source's root. */
      path: string;
      name: string;
      type: "file" | "directory" | "symlink" | "hardlink" | "fifo" | "character_device" | "block_device";
      /** Bytes; 0 for members without content. */
      size: number;
      mode: string;
      uid: number;
      gid: number;
      /** Null if its year is not between 0 and 9999. */
      modified_at: string | null;
      /** The target of a symbolic link, or the other path of a hard link; otherwise null. */
      link_target: string | null;
    };
    FoundFile: {
      /** Relative to the source's root. */
      path: string;
      name: string;
      /** Null once the task is deleted. */
      backup_task: components["schemas"]["NamedRecord"] | null;
      /** Says what the backups contain at this path, that of the newest backup first. */
      versions: {
        type: "file" | "directory" | "symlink" | "hardlink" | "fifo" | "character_device" | "block_device";
        size: number;
        /** Null if its year is not between 0 and 9999. */
        modified_at: string | null;
        /** All backups with this version, the newest first. */
        backups: {
          id: number;
          created_at: string;
        }[];
      }[];
    };
    RestorePreview: {
      /** Where it is restored. */
      remote_server: {
        id: number;
        label: string;
      };
      type: "files" | "database" | "control_plane";
      /** The first 100. */
      targets: {
        /** Path or database in the backup. */
        source: string;
        /** Where it will be; null for a database of a server. */
        path: string | null;
        database_name: string | null;
        /** State of the location now; null if it is not known. */
        state: "missing" | "empty" | "occupied" | null;
      }[];
      targets_count: number;
      /** The database server; null for files. */
      server: string | null;
      requested: components["schemas"]["RestoreAmounts"];
      /** Free space where files are unpacked. */
      free_bytes: number | null;
      /** Everything that would fail the restore, at most 100. */
      obstacles: {
        path: string | null;
        problem: string;
        solution: string;
      }[];
      obstacles_count: number;
      warnings: string[];
      /** Whether there are no obstacles. */
      is_possible: boolean;
    };
    HoldRequest: {
      reason?: string | null;
    };
    RetentionPreview: {
      backup_task_id: number;
      /** The time zone of hours, days, weeks, months and years. */
      timezone: string;
      policy: {
        /** How many backups are kept; 0 keeps all. */
        maximum_backups_to_keep: number;
        /** How many of the newest backups are kept. */
        keep_last: number | null;
        /** How many hours keep their newest backup. */
        keep_hourly: number | null;
        /** How many days keep their newest backup. */
        keep_daily: number | null;
        /** How many weeks keep their newest backup. */
        keep_weekly: number | null;
        /** How many months keep their newest backup. */
        keep_monthly: number | null;
        /** How many years keep their newest backup. */
        keep_yearly: number | null;
        /** Days that every backup is kept. */
        minimum_age_days: number | null;
      };
      kept: number;
      removed: number;
      /** Bytes of the archives that would be removed. */
      removed_size: number;
      /** When the oldest of them was made. */
      removed_oldest_at: string | null;
      removed_newest_at: string | null;
      /** A summary of the removals in sentences, for a person who confirms them. */
      summary: string;
      /** The differences that the parameters make, compared with the saved fields. */
      change: {
        /** Backups that the saved rules would keep. */
        removed: number;
        removed_size: number;
        oldest_at: string | null;
        newest_at: string | null;
        /** Backups that the saved rules would remove. */
        kept: number;
      };
      /** Until then at least, removed backups would stay in the trash, if the parameters were saved now. */
      deletes_at: string | null;
      /** Every stored backup, newest first, except those that are being deleted. */
      backups: {
        id: number;
        file_name: string;
        size: number;
        created_at: string;
        action: "keep" | "remove";
        /** The reasons to keep it; empty if it would be removed. */
        reasons: {
          rule: "maximum_backups_to_keep" | "keep_last" | "keep_hourly" | "keep_daily" | "keep_weekly" | "keep_monthly" | "keep_yearly" | "minimum_age_days" | "no_rule" | "newest_good" | "held" | "damaged" | "suspicious";
          text: string;
        }[];
        /** Whether the saved fields give another action. */
        is_changed: boolean;
      }[];
    };
    RemoteServer: {
      id: number;
      user_id: number;
      label: string;
      connection: {
        ip_address: string;
        username: string | null;
        port: number;
        is_database_password_set: boolean;
      };
      status: {
        /** State of its agent; `unknown` before its first connection. */
        connectivity: "unknown" | "connected" | "disconnected";
        last_connected_at: string | null;
      };
      /** Last report of its agent about itself; null before one is enrolled. */
      agent: {
        version: string;
        hostname: string;
        os: string;
        arch: string;
        protocol: number | null;
        tools: {
          [key: string]: string;
        };
      } | null;
      /**
       * Another agent with the same key, for example on a cloned machine, that was refused within the last 24
       * hours because the server's own agent was connected.
       */
      duplicate_agent: {
        hostname: string;
        ip_address: string | null;
        first_refused_at: string;
        last_refused_at: string;
        refused_count: number;
      } | null;
      runs_at_once: number;
      class: "always_on" | "intermittent";
      offline_alert_after: number | null;
      /** How much of it no task covers: see `GET …/unprotected`. */
      unprotected_count: number | null;
      created_at: string;
      updated_at: string;
    };
    NewRemoteServer: {
      /** Name of the server. */
      label: string;
      /** IPv4, IPv6 or a host name; unique with `port`. */
      ip_address: string;
      /** User on the server; a note that nothing uses. */
      username?: string | null;
      /** Default 22. */
      port?: number | null;
      /** Password of the server's databases, for tasks without one. */
      database_password?: string | null;
      /** Maximum number of parallel backup runs. */
      runs_at_once?: number | null;
      /** `always_on`: an absent agent is reported. */
      class?: "always_on" | "intermittent" | null;
      /**
       * Seconds that its agent may be disconnected before the `on_failure` streams of its tasks are notified;
       * 0: never.
       */
      offline_alert_after?: number | null;
    };
    RemoteServerChanges: {
      /** Name of the server. */
      label?: string;
      /** IPv4, IPv6 or a host name; unique with `port`. */
      ip_address?: string;
      /** User on the server; a note that nothing uses. */
      username?: string | null;
      /** Default 22. */
      port?: number | null;
      /** Password of the server's databases, for tasks without one. */
      database_password?: string | null;
      /** Maximum number of parallel backup runs. */
      runs_at_once?: number | null;
      /** `always_on`: an absent agent is reported. */
      class?: "always_on" | "intermittent" | null;
      /**
       * Seconds that its agent may be disconnected before the `on_failure` streams of its tasks are notified;
       * 0: never.
       */
      offline_alert_after?: number | null;
    };
    ServerFile: {
      /** Absolute. */
      path: string;
      name: string;
      type: "file" | "directory" | "symlink" | "fifo" | "socket" | "character_device" | "block_device";
      /** Bytes; 0 for everything but files. */
      size: number;
      mode: string;
      uid: number;
      gid: number;
      /** Null if its year is not between 0 and 9999. */
      modified_at: string | null;
      link_target: string | null;
      /** Whether the agent has the permission to read it. */
      is_readable: boolean;
    };
    ServerDatabases: {
      /** The type of server that answered. */
      database_type: "postgresql" | "mysql" | "sqlite";
      /** The server and the login, for people. */
      server: string;
      databases: {
        name: string;
        /** Bytes; null if it is not known. */
        size: number | null;
        /** Why a backup of it would fail; null if it would not. */
        problem: string | null;
      }[];
    };
    UnprotectedItem: {
      /** The same in every inventory of the server. */
      id: string;
      kind: "database" | "docker_volume" | "file_system" | "directory";
      name: string;
      /** Null for databases. */
      path: string | null;
      database_type: "postgresql" | "mysql" | "sqlite" | null;
      /** Bytes; null if it takes long to find out. */
      size: number | null;
      /** Whether a task backs up something in it. */
      is_partly_protected: boolean;
      /** Whether a person said that it is not needed. */
      is_dismissed: boolean;
      /** Fields of a task that would back it up. */
      prefill: {
        type: "files" | "database" | "control_plane";
        source_path?: string;
        database_type?: "postgresql" | "mysql" | "sqlite";
        database_name?: string;
      };
    };
    ChosenUnprotectedItems: {
      /** Ids of items. */
      ids: string[];
    };
    EnrolmentToken: {
      /** Enrols one agent, once. */
      token: string;
      expires_at: string;
      /** Command for the server, which installs the agent and enrols it. */
      install_command: string;
    };
    NewEnrolmentToken: {
      /** Seconds. */
      expires_in?: number;
    };
    EnrolledAgent: {
      /** The agent's own key. */
      agent_key: string;
      remote_server: components["schemas"]["NamedRecord"];
    };
    NewAgent: {
      agent: {
        version: string;
        hostname: string;
        os: string;
        arch: string;
        tools: {
          [key: string]: string;
        };
        sources?: string[];
      };
    };
    /** Contains only the fields of its type. */
    BackupDestination: {
      id: number;
      user_id: number;
      label: string;
      type: "local" | "s3" | "custom_s3" | "sftp" | "webdav";
      type_human: "Local" | "Amazon S3" | "Custom S3" | "SFTP" | "WebDAV";
      local_path?: string | null;
      nearly_full_below?: number | null;
      price_per_gb_month?: number | null;
      currency?: string | null;
      is_s3_access_key_set?: boolean;
      is_s3_secret_key_set?: boolean;
      s3_bucket_name?: string | null;
      path_style_endpoint?: boolean;
      s3_region?: string | null;
      s3_endpoint?: string | null;
      sftp_host?: string | null;
      sftp_port?: number | null;
      sftp_username?: string | null;
      is_sftp_password_set?: boolean;
      is_sftp_private_key_set?: boolean;
      sftp_host_key?: string | null;
      sftp_path?: string | null;
      webdav_url?: string | null;
      webdav_username?: string | null;
      is_webdav_password_set?: boolean;
      webdav_path?: string | null;
      /**
       * The space that an agent last measured, after a backup or a check; of a local destination on that
       * agent's server, of WebDAV the account's quota.
       */
      space: {
        free_bytes: number;
        total_bytes: number;
        measured_at: string;
      } | null;
      usage: components["schemas"]["BackupDestinationUsage"];
      /** Set while it is in the trash: until then it can be restored from there. */
      deletes_at?: string;
      created_at: string;
      updated_at: string;
    };
    BackupDestinationUsage: {
      /** Stored bytes of its backups, also of those in the trash. */
      stored_bytes: number;
      backups_count: number;
      /** Over the last 30 days, or since the first backup there; null in the first day. */
      growth_bytes_per_day: number | null;
      /** Free space divided by growth. */
      days_until_full: number | null;
      /** `stored_bytes` at `price_per_gb_month`, in `currency`; null without a price. */
      cost_per_month: number | null;
    };
    NewBackupDestination: {
      label: string;
      type: "local" | "s3" | "custom_s3" | "sftp" | "webdav";
      /** On the remote server. */
      local_path?: string | null;
      /** Percent of free space: below it, `destination.nearly_full` is sent. */
      nearly_full_below?: number | null;
      /** From it follows `usage.cost_per_month`. */
      price_per_gb_month?: number | null;
      /** The currency of the price: three letters, such as EUR. */
      currency?: string | null;
      /** The id of an access key. */
      s3_access_key?: string | null;
      /** The secret half of the access key. */
      s3_secret_key?: string | null;
      /** The name of an existing bucket. */
      s3_bucket_name?: string | null;
      /**
       * Whether the bucket is part of the path instead of the host name; most self-hosted services need this.
       */
      path_style_endpoint?: boolean | null;
      /** Needed when `type` is `s3`. */
      s3_region?: string | null;
      /** Another name of `s3_region`. */
      custom_s3_region?: string | null;
      /** Needed when `type` is `custom_s3`. */
      custom_s3_endpoint?: string | null;
      /** The SSH server. */
      sftp_host?: string | null;
      /** Default 22. */
      sftp_port?: number | null;
      /** The user to log in as. */
      sftp_username?: string | null;
      /** The password; required unless `sftp_private_key` is set. */
      sftp_password?: string | null;
      /** In OpenSSH's format, PKCS#8 or PEM: Ed25519, ECDSA or RSA. */
      sftp_private_key?: string | null;
      /** Decrypts `sftp_private_key` before that is stored, encrypted by the control plane. */
      sftp_private_key_passphrase?: string | null;
      /** The fingerprint of the server's host key. */
      sftp_host_key?: string | null;
      /** Default: the account's home directory. */
      sftp_path?: string | null;
      /** The URL of the WebDAV server; of Nextcloud the one that its file settings show. */
      webdav_url?: string | null;
      /** The user to log in as. */
      webdav_username?: string | null;
      /** The user's password; of Nextcloud an app password. */
      webdav_password?: string | null;
      /** Default: the directory that the URL names. */
      webdav_path?: string | null;
    };
    BackupDestinationChanges: {
      label?: string;
      type?: "local" | "s3" | "custom_s3" | "sftp" | "webdav";
      /** On the remote server. */
      local_path?: string | null;
      /** Percent of free space: below it, `destination.nearly_full` is sent. */
      nearly_full_below?: number | null;
      /** From it follows `usage.cost_per_month`. */
      price_per_gb_month?: number | null;
      /** The currency of the price: three letters, such as EUR. */
      currency?: string | null;
      /** The id of an access key. */
      s3_access_key?: string | null;
      /** The secret half of the access key. */
      s3_secret_key?: string | null;
      /** The name of an existing bucket. */
      s3_bucket_name?: string | null;
      /**
       * Whether the bucket is part of the path instead of the host name; most self-hosted services need this.
       */
      path_style_endpoint?: boolean | null;
      /** Needed when `type` is `s3`. */
      s3_region?: string | null;
      /** Another name of `s3_region`. */
      custom_s3_region?: string | null;
      /** Needed when `type` is `custom_s3`. */
      custom_s3_endpoint?: string | null;
      /** The SSH server. */
      sftp_host?: string | null;
      /** Default 22. */
      sftp_port?: number | null;
      /** The user to log in as. */
      sftp_username?: string | null;
      /** The password; required unless `sftp_private_key` is set. */
      sftp_password?: string | null;
      /** In OpenSSH's format, PKCS#8 or PEM: Ed25519, ECDSA or RSA. */
      sftp_private_key?: string | null;
      /** Decrypts `sftp_private_key` before that is stored, encrypted by the control plane. */
      sftp_private_key_passphrase?: string | null;
      /** The fingerprint of the server's host key. */
      sftp_host_key?: string | null;
      /** Default: the account's home directory. */
      sftp_path?: string | null;
      /** The URL of the WebDAV server; of Nextcloud the one that its file settings show. */
      webdav_url?: string | null;
      /** The user to log in as. */
      webdav_username?: string | null;
      /** The user's password; of Nextcloud an app password. */
      webdav_password?: string | null;
      /** Default: the directory that the URL names. */
      webdav_path?: string | null;
      /** Whether everything stored there was copied to the location of the new settings. */
      objects_moved?: boolean | null;
    };
    BackupDestinationCheck: {
      ok: boolean;
      steps: {
        name: string;
        ok: boolean;
        message: string;
        ms: number;
      }[];
    };
    UnsavedBackupDestination: {
      label?: string;
      type?: "local" | "s3" | "custom_s3" | "sftp" | "webdav";
      /** On the remote server. */
      local_path?: string | null;
      /** Percent of free space: below it, `destination.nearly_full` is sent. */
      nearly_full_below?: number | null;
      /** From it follows `usage.cost_per_month`. */
      price_per_gb_month?: number | null;
      /** The currency of the price: three letters, such as EUR. */
      currency?: string | null;
      /** The id of an access key. */
      s3_access_key?: string | null;
      /** The secret half of the access key. */
      s3_secret_key?: string | null;
      /** The name of an existing bucket. */
      s3_bucket_name?: string | null;
      /**
       * Whether the bucket is part of the path instead of the host name; most self-hosted services need this.
       */
      path_style_endpoint?: boolean | null;
      /** Needed when `type` is `s3`. */
      s3_region?: string | null;
      /** Another name of `s3_region`. */
      custom_s3_region?: string | null;
      /** Needed when `type` is `custom_s3`. */
      custom_s3_endpoint?: string | null;
      /** The SSH server. */
      sftp_host?: string | null;
      /** Default 22. */
      sftp_port?: number | null;
      /** The user to log in as. */
      sftp_username?: string | null;
      /** The password; required unless `sftp_private_key` is set. */
      sftp_password?: string | null;
      /** In OpenSSH's format, PKCS#8 or PEM: Ed25519, ECDSA or RSA. */
      sftp_private_key?: string | null;
      /** Decrypts `sftp_private_key` before that is stored, encrypted by the control plane. */
      sftp_private_key_passphrase?: string | null;
      /** The fingerprint of the server's host key. */
      sftp_host_key?: string | null;
      /** Default: the account's home directory. */
      sftp_path?: string | null;
      /** The URL of the WebDAV server; of Nextcloud the one that its file settings show. */
      webdav_url?: string | null;
      /** The user to log in as. */
      webdav_username?: string | null;
      /** The user's password; of Nextcloud an app password. */
      webdav_password?: string | null;
      /** Default: the directory that the URL names. */
      webdav_path?: string | null;
      /** The saved destination that the fields would change. */
      id?: number | null;
      /** The server whose agent checks a local path, an SFTP or a WebDAV server. */
      remote_server_id?: number | null;
    };
    BackupDestinationCheckRequest: {
      remote_server_id?: number | null;
    };
    BackupDestinationUsageByTask: {
      /** Stored bytes of its backups, also of those in the trash. */
      stored_bytes: number;
      backups_count: number;
      /** Over the last 30 days, or since the first backup there; null in the first day. */
      growth_bytes_per_day: number | null;
      /** Free space divided by growth. */
      days_until_full: number | null;
      /** `stored_bytes` at `price_per_gb_month`, in `currency`; null without a price. */
      cost_per_month: number | null;
      /** The largest first. */
      tasks: {
        /** Null: backups of deleted tasks. */
        backup_task_id: number | null;
        label: string | null;
        stored_bytes: number;
        backups_count: number;
      }[];
    };
    NotificationStream: {
      id: number;
      user_id: number;
      label: string;
      type: components["schemas"]["NotificationStreamType"];
      type_human: string;
      /** The value itself is never shown. */
      is_value_set: boolean;
      is_signing_secret_set: boolean;
      /** Whether it gets the classes of each group that are on by default. */
      notifications: {
        on_success: boolean;
        on_failure: boolean;
      };
      /** Whether it gets the events of each class. */
      events: {
        success: boolean;
        warnings: boolean;
        failure: boolean;
        recovered: boolean;
        late: boolean;
        could_not_start: boolean;
        stalled: boolean;
        damaged: boolean;
        anomaly: boolean;
        drill_failed: boolean;
        agent_gone: boolean;
        destination_full: boolean;
        removal_failing: boolean;
        delivery_failing: boolean;
        deletion: boolean;
        expiring: boolean;
        update_available: boolean;
      };
      /** Seconds between two messages about the same problem; 0: never again; by default 23 hours. */
      remind_after: number | null;
      /** Time zone of quiet hours and summaries, such as Europe/Berlin; by default the user's. */
      timezone: string | null;
      /** Time of day at which quiet hours begin: messages wait until they end. */
      quiet_from: string | null;
      /** Time of day at which quiet hours end, on the next day if it is before their begin. */
      quiet_to: string | null;
      /** Weekdays on which quiet hours begin, Sunday 0; by default every day. */
      quiet_days: number[];
      /** Class of events that is sent in quiet hours too. */
      quiet_except: ("success" | "warnings" | "failure" | "recovered" | "late" | "could_not_start" | "stalled" | "damaged" | "anomaly" | "drill_failed" | "agent_gone" | "destination_full" | "removal_failing" | "delivery_failing" | "deletion" | "expiring" | "update_available")[];
      /** How often it gets a summary of all tasks. */
      summary: "off" | "daily" | "weekly";
      /** Time of day at which summaries are sent. */
      summary_time: string;
      /** Day of weekly summaries, Sunday 0. */
      summary_weekday: number;
      last_delivery: components["schemas"]["NotificationStreamLastDelivery"];
      /** Since when it accepts no message; null if the last one was accepted. */
      failing_since: string | null;
      /**
       * Nothing is sent before this time: at most one message per minute, and increasingly rarely while it
       * fails.
       */
      next_attempt_at: string | null;
      created_at: string;
      updated_at: string;
    };
    NotificationStreamType: "email" | "discord_webhook" | "slack_webhook" | "teams_webhook" | "pushover" | "ntfy" | "healthchecks" | "telegram" | "webhook";
    /** Outcome of the last attempt to send a message. */
    NotificationStreamLastDelivery: {
      at: string;
      ok: boolean;
      error: string | null;
    } | null;
    NewNotificationStream: {
      /** Whether the stream gets the events of each class; docs/guide/notifications.md lists the classes. */
      events?: {
        success?: boolean;
        warnings?: boolean;
        failure?: boolean;
        recovered?: boolean;
        late?: boolean;
        could_not_start?: boolean;
        stalled?: boolean;
        damaged?: boolean;
        anomaly?: boolean;
        drill_failed?: boolean;
        agent_gone?: boolean;
        destination_full?: boolean;
        removal_failing?: boolean;
        delivery_failing?: boolean;
        deletion?: boolean;
        expiring?: boolean;
        update_available?: boolean;
      } | null;
      /** Seconds after which a problem that lasts is reported again. */
      remind_after?: number | null;
      /** Time zone of quiet hours and summaries. */
      timezone?: string | null;
      /** `HH:MM`: from then until `quiet_to`, messages wait. */
      quiet_from?: string | null;
      /** Time of day at which quiet hours end, on the next day if it is before their begin. */
      quiet_to?: string | null;
      /** Weekdays on which quiet hours begin, Sunday 0; by default every day. */
      quiet_days?: number[] | null;
      /** Class of events that is sent in quiet hours too. */
      quiet_except?: ("success" | "warnings" | "failure" | "recovered" | "late" | "could_not_start" | "stalled" | "damaged" | "anomaly" | "drill_failed" | "agent_gone" | "destination_full" | "removal_failing" | "delivery_failing" | "deletion" | "expiring" | "update_available")[] | null;
      /** How often it gets a summary of all tasks of the workspace. */
      summary?: "off" | "daily" | "weekly" | null;
      /** Time of day at which summaries are sent. */
      summary_time?: string | null;
      /** Day of weekly summaries, Sunday 0. */
      summary_weekday?: number | null;
      label: string;
      type: components["schemas"]["NotificationStreamType"];
      /** Stored encrypted. */
      value: string;
      /** For a `webhook`: messages are signed with it (HMAC-SHA-256, as Standard Webhooks specifies). */
      signing_secret?: string | null;
      notifications?: {
        on_success?: boolean;
        on_failure?: boolean;
      };
    };
    NotificationStreamChanges: {
      /** Whether the stream gets the events of each class; docs/guide/notifications.md lists the classes. */
      events?: {
        success?: boolean;
        warnings?: boolean;
        failure?: boolean;
        recovered?: boolean;
        late?: boolean;
        could_not_start?: boolean;
        stalled?: boolean;
        damaged?: boolean;
        anomaly?: boolean;
        drill_failed?: boolean;
        agent_gone?: boolean;
        destination_full?: boolean;
        removal_failing?: boolean;
        delivery_failing?: boolean;
        deletion?: boolean;
        expiring?: boolean;
        update_available?: boolean;
      } | null;
      /** Seconds after which a problem that lasts is reported again. */
      remind_after?: number | null;
      /** Time zone of quiet hours and summaries. */
      timezone?: string | null;
      /** `HH:MM`: from then until `quiet_to`, messages wait. */
      quiet_from?: string | null;
      /** Time of day at which quiet hours end, on the next day if it is before their begin. */
      quiet_to?: string | null;
      /** Weekdays on which quiet hours begin, Sunday 0; by default every day. */
      quiet_days?: number[] | null;
      /** Class of events that is sent in quiet hours too. */
      quiet_except?: ("success" | "warnings" | "failure" | "recovered" | "late" | "could_not_start" | "stalled" | "damaged" | "anomaly" | "drill_failed" | "agent_gone" | "destination_full" | "removal_failing" | "delivery_failing" | "deletion" | "expiring" | "update_available")[] | null;
      /** How often it gets a summary of all tasks of the workspace. */
      summary?: "off" | "daily" | "weekly" | null;
      /** Time of day at which summaries are sent. */
      summary_time?: string | null;
      /** Day of weekly summaries, Sunday 0. */
      summary_weekday?: number | null;
      label?: string;
      type?: components["schemas"]["NotificationStreamType"];
      /** Stored encrypted. */
      value?: string;
      /** For a `webhook`: messages are signed with it (HMAC-SHA-256, as Standard Webhooks specifies). */
      signing_secret?: string | null;
      notifications?: {
        on_success?: boolean;
        on_failure?: boolean;
      };
    };
    NotificationStreamTest: {
      ok: boolean;
      message: string;
    };
    NotificationDelivery: {
      id: number;
      /** Id of the message that contains the event. */
      message_id: string;
      event: string;
      task: components["schemas"]["NamedRecord"] | null;
      server: components["schemas"]["NamedRecord"] | null;
      backup_task_log_id: number | null;
      reason: string | null;
      /** `given_up`: it was not accepted for more than a day. */
      state: "waiting" | "sent" | "given_up";
      attempts: number;
      /** Why the last attempt failed; null if none has. */
      error: string | null;
      created_at: string;
      first_attempt_at: string | null;
      /** Earliest time of the next attempt; null if there is none. */
      next_attempt_at: string | null;
      /** When it was accepted or given up. */
      finished_at: string | null;
    };
    Tag: {
      id: number;
      user_id: number;
      /** Name of the tag. */
      label: string;
      /** Notes about the tag. */
      description: string | null;
      /** Colour as `#rrggbb`. */
      colour: string | null;
      created_at: string;
      updated_at: string;
    };
    NewTag: {
      /** Name of the tag. */
      label: string;
      /** Notes about the tag. */
      description?: string | null;
      /** Colour as `#rrggbb`. */
      colour?: string | null;
    };
    TagChanges: {
      /** Name of the tag. */
      label?: string;
      /** Notes about the tag. */
      description?: string | null;
      /** Colour as `#rrggbb`. */
      colour?: string | null;
    };
    DeletedRecord: {
      /** The type of the record, as in the API's paths. */
      kind: "backup-tasks" | "notification-streams" | "scripts" | "tags";
      /** Take it out of the trash with `POST /api/{kind}/{id}/undelete`. */
      id: number;
      label: string;
      deleted_at: string;
      /** Until then the deletion can be undone. */
      deletes_at: string;
      /** Null: this user is deleted. */
      deleted_by: {
        id: number;
        email: string;
      } | null;
    };
    Script: {
      id: number;
      user_id: number;
      /** Name of the script. */
      label: string;
      /** When it runs. */
      type: "prescript" | "after_success" | "after_failure" | "postscript";
      /** Its text; `#!` in the first line names the interpreter, by default `/bin/sh`. */
      script: string;
      /** Seconds after which it is ended, with all that it started. */
      timeout_seconds: number;
      /** System user that it runs as; by default the agent's own. */
      run_as: string | null;
      /** Whether the run fails with it, or counts a warning. */
      on_failure: "fail" | "warn";
      sha256: string;
      /** Tasks that use it. */
      backup_tasks_count: number;
      created_at: string;
      updated_at: string;
    };
    NewScript: {
      /** Name of the script. */
      label: string;
      /** When it runs. */
      type: "prescript" | "after_success" | "after_failure" | "postscript";
      /** Its text, at most 64 KiB. */
      script: string;
      /** Seconds after which it is ended, with all that it started. */
      timeout_seconds?: number | null;
      /** System user that it runs as. */
      run_as?: string | null;
      /** Whether a failure of it fails the run (`fail`, the default) or counts a warning (`warn`). */
      on_failure?: "fail" | "warn" | null;
    };
    ScriptChanges: {
      /** Name of the script. */
      label?: string;
      /** When it runs. */
      type?: "prescript" | "after_success" | "after_failure" | "postscript";
      /** Its text, at most 64 KiB. */
      script?: string;
      /** Seconds after which it is ended, with all that it started. */
      timeout_seconds?: number | null;
      /** System user that it runs as. */
      run_as?: string | null;
      /** Whether a failure of it fails the run (`fail`, the default) or counts a warning (`warn`). */
      on_failure?: "fail" | "warn" | null;
    };
    Token: {
      id: number;
      user_id: number;
      /** The only workspace that the token reaches. */
      workspace_id: number;
      name: string;
      abilities: components["schemas"]["Ability"][];
      /** Null: it never expires. */
      expires_at: string | null;
      /** To the minute. */
      last_used_at: string | null;
      created_at: string;
      updated_at: string;
    };
    Ability: "view-tags" | "manage-tags" | "view-backup-destinations" | "create-backup-destinations" | "update-backup-destinations" | "delete-backup-destinations" | "view-remote-servers" | "create-remote-servers" | "update-remote-servers" | "delete-remote-servers" | "view-notification-streams" | "create-notification-streams" | "update-notification-streams" | "delete-notification-streams" | "view-backup-tasks" | "create-backup-tasks" | "update-backup-tasks" | "delete-backup-tasks" | "view-scripts" | "create-scripts" | "update-scripts" | "delete-scripts" | "run-backup-tasks" | "pause-backup-tasks" | "restore-backups" | "delete-backups" | "manage-tokens" | "manage-workspace" | "admin";
    TokenWithText: components["schemas"]["Token"] & {
      /** Shown only once; only its hash is stored. */
      token: string;
    };
    NewToken: {
      name: string;
      abilities: components["schemas"]["Ability"][];
      expires_at?: string | null;
      workspace_id?: number;
    };
    TokenChanges: {
      name?: string;
      abilities?: components["schemas"]["Ability"][];
      expires_at?: string | null;
    };
    User: {
      id: number;
      personal_info: {
        name: string;
        first_name: string;
        last_name: string | null;
        email: string;
        /** Null: no pictures are kept. */
        avatar_url: string | null;
      };
      account_settings: {
        timezone: string;
        language: string;
        is_admin: boolean;
        /** Whether a notification stream of the user's own workspace gets a weekly summary. */
        weekly_summary_enabled: boolean;
      };
      timestamps: {
        account_created: string;
      };
      /** Set while the user is in the trash. */
      deletes_at?: string;
    };
    Session: {
      id: number;
      user_id: number;
      /** Whether the request itself came with this session. */
      is_current: boolean;
      /** The address from which the user logged in. */
      address: string | null;
      /** The browser, as it describes itself. */
      user_agent: string | null;
      created_at: string;
      /** When the user last entered the password. */
      authenticated_at: string;
      /** To the minute. */
      last_used_at: string;
      /** Later, if the session is used; 14 days after the log-in at most. */
      expires_at: string;
    };
    SecondFactor: {
      /** Whether the user has an authenticator app. */
      enabled: boolean;
      /** Whether the user has a passkey, which counts too. */
      has_passkey: boolean;
      /** Whether everybody must have a second factor. */
      required: boolean;
      recovery_codes_left: number;
    };
    Role: "viewer" | "operator" | "restorer" | "manager";
    Login: {
      email: string;
      password: string;
    };
    LoginCode: {
      challenge: string;
      code: string;
    };
    PasswordSetup: {
      setup_token: string;
      password: string;
    };
    SetupToken: {
      setup_token: string;
    };
    StepUp: {
      password: string;
      code?: string;
    };
    PasswordChange: {
      current_password: string;
      password: string;
    };
    OpenidStart: {
      /** Comes back in `state`, after its first full stop. */
      note?: string;
      /** Whether the user has to authenticate at the provider again. */
      fresh?: boolean;
    };
    OpenidLogin: {
      query: string;
    };
    TotpCode: {
      code: string;
    };
    LoginSettings: {
      second_factor_required: boolean;
    };
    Passkey: {
      id: number;
      name: string;
      created_at: string;
      last_used_at: string | null;
    };
    NewPasskey: {
      name: string;
      /** The browser's credential, as its `toJSON()` returns it. */
      response: {
        [key: string]: unknown;
      };
    };
    PasskeyLogin: {
      /** The browser's credential, as its `toJSON()` returns it. */
      response: {
        [key: string]: unknown;
      };
    };
    OwnUser: components["schemas"]["User"] & {
      /** The workspace of the calling token. */
      workspace: {
        id: number;
        name: string;
        role: components["schemas"]["Role"];
      };
      backup_tasks: {
        total: number;
        /** Not paused. */
        active: number;
        logs: {
          total: number;
          /** Since midnight in the user's time zone. */
          today: number;
        };
      };
      related_entities: {
        remote_servers: number;
        backup_destinations: number;
        tags: number;
        notification_streams: number;
      };
    };
    OwnUserChanges: {
      name?: string;
      timezone?: string;
      language?: string;
    };
    NewUser: {
      name: string;
      email: string;
      is_admin?: boolean;
    };
    UserChanges: {
      name?: string;
      email?: string;
      is_admin?: boolean;
    };
    NewSetupLink: {
      /** Whether the use of the link removes the user's second factor, because it is lost. */
      reset_second_factor?: boolean;
    };
    NewUserToken: {
      name: string;
      abilities?: components["schemas"]["Ability"][];
      expires_at?: string | null;
      workspace_id?: number;
    };
    Workspace: {
      id: number;
      name: string;
      /** The user whose own workspace this is. */
      own_of_user_id: number | null;
      /** The caller's. */
      role: components["schemas"]["Role"] | null;
      members_count: number;
      created_at: string;
      updated_at: string;
    };
    NewWorkspace: {
      name: string;
    };
    WorkspaceChanges: {
      name?: string;
    };
    WorkspaceChoice: {
      workspace_id: number;
    };
    WorkspaceMember: {
      user_id: number;
      name: string;
      email: string;
      role: components["schemas"]["Role"];
      created_at: string;
    };
    NewWorkspaceMember: {
      email: string;
      role: components["schemas"]["Role"];
    };
    WorkspaceMemberChanges: {
      role: components["schemas"]["Role"];
    };
    SshKey: {
      public_key: string;
    };
    Status: {
      status: string;
    };
    OpenApiDocument: {
      openapi: string;
    } & {
      [key: string]: unknown;
    };
    Installation: {
      version: string;
      /** All control planes that share the database. */
      replicas: {
        id: string;
        /** Host and port; null of an older version. */
        name: string | null;
        /** Null of an older version. */
        version: string | null;
        /** Whether it is the one that answers. */
        is_this: boolean;
        /** Whether it has sent a heartbeat in the last 30 s. */
        is_alive: boolean;
        started_at: string;
        heartbeat_at: string;
        /** Agents that are connected to it. */
        agents_count: number;
        /** Runs that these agents work on. */
        running_runs_count: number;
        /** Ids of its secret keys. */
        key_ids: string[];
        /** Whether another one is running that has the same keys and is not older. */
        is_safe_to_stop: boolean;
        /** Says what happens if it is stopped. */
        stop_note: string;
      }[];
      /** Background work of the control plane that answers. */
      loops: {
        name: string;
        seconds_since_step: number;
      }[];
      /** Why the one that answers is not healthy. */
      problem: string | null;
      queue: {
        queued_runs_count: number;
        oldest_queued_at: string | null;
        running_runs_count: number;
        waiting_notifications_count: number;
        /** Backups, and objects of failed runs, to be deleted now. */
        due_removals_count: number;
      };
      database: {
        place: string;
        server_version: string;
        size_bytes: number;
      };
      migrations: {
        applied_count: number;
        expected_count: number;
        newest: string;
        newest_applied_at: string;
      };
      keys: {
        /** The key that encrypts new values. */
        current_id: string;
        ids: string[];
        /** An unfinished rotation. */
        rotation: {
          new_key_id: string;
          started_at: string;
        } | null;
      };
    };
    RecoveryKit: {
      made_at: string;
      program: {
        version: string;
        deno: string;
        /** Directory of its source, on the control plane's machine. */
        directory: string;
      };
      database: string;
      secret_key: {
        /** Where the control plane reads it. */
        place: string;
        /** Ids of the keys that stored secrets are sealed with. */
        key_ids: string[];
      };
      destinations: {
        id: number;
        label: string;
        owner: string;
        place: string;
        backups_count: number;
        newest_backup_at: string | null;
        needs_password: boolean;
        recipients: string[];
      }[];
      /** The newest backup of the control plane itself at each destination. */
      control_plane: {
        place: string;
        file_name: string;
        encryption: string;
        created_at: string;
      }[];
      commands: {
        purpose: string;
        lines: string[];
      }[];
    };
    RecoveryKitStatus: {
      /** When an administrator last confirmed that a copy is kept elsewhere. */
      kept_at: string | null;
      /** Whether that copy names every destination and key. */
      is_current: boolean;
      /** Says what that copy lacks, one sentence each. */
      missing: string[];
    };
    AuditLogEntry: {
      id: number;
      at: string;
      actor: {
        /** `command`: an admin command on the control plane's machine. */
        type: "user" | "agent" | "system" | "command" | "trigger" | "unknown";
        /** The name at that time. */
        name: string | null;
        user_id: number | null;
        token_id: number | null;
        session_id: number | null;
        remote_server_id: number | null;
      };
      /** The workspace of the actor's token or server. */
      workspace_id: number | null;
      /** The operation's id in this document, or the action of an admin command. */
      action: string;
      /** As in the paths. */
      resource: string | null;
      resource_id: number | null;
      /** Names of the fields that were sent, without their values. */
      fields: string[];
      result: components["schemas"]["AuditResult"];
      reason: string | null;
      /** The client's. */
      address: string | null;
      /** The response's `X-Request-Id`. */
      request_id: string | null;
    };
    /**
     * `refused` or `failed` after `done` with the same `request_id`: the change was made, but a later step
     * was not.
     */
    AuditResult: "done" | "refused" | "failed";
    Failure: {
      error?: string;
      message: string;
      /** True if the password is right and a second factor is needed; absent otherwise. */
      second_factor_required?: boolean;
      /** Says what to send to `POST /api/login/code` with the code. */
      challenge?: string;
      /** True if the session needs a fresh log-in; absent otherwise. */
      step_up_required?: boolean;
      /** True if the user must set up a second factor first; absent otherwise. */
      second_factor_setup_required?: boolean;
      /** The errors of each invalid field, by the name under which it was sent (`a.b` for a nested one). */
      errors?: {
        [key: string]: string[];
      };
    };
  };
  responses: {
    /** Any unsuccessful response. */
    Failure: {
      headers: {
        [name: string]: unknown;
      };
      content: {
        "application/json": components["schemas"]["Failure"];
      };
    };
  };
  parameters: {
    /** A retry with the same key and body within 24 hours gets the first response again. */
    "Idempotency-Key": string;
  };
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
