/** Endpoints that find files by name in all backups, of a task or of the workspace. */
import { z } from "@hono/zod-openapi";
import { integer } from "../../../definitions/formats/text.ts";
import { type FileVersion, findFiles, type FoundFiles } from "../../../services/backups/find_files.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { identity } from "../../input/secret_input.ts";
import { NamedRecord } from "../named_record.ts";
import { isoTime, Time } from "../../input/time.ts";
import { entryTime, EntryType } from "../backups/backup_files.ts";

const InBackup = z.object({ id: z.int(), created_at: Time });

const Version = z.object({
  type: EntryType,
  size: z.int(),
  modified_at: Time.nullable().openapi({
    description: "Null if its year is not between 0 and 9999. Versions may differ by less than a second.",
  }),
  backups: z.array(InBackup).openapi({ description: "All backups with this version, the newest first." }),
});

const FoundFile = z.object({
  path: z.string().openapi({
    description:
      "Relative to the source's root. With the id of one of the backups, `POST /api/backups/{id}/restore` takes it in " +
      "`paths`, and `GET /api/backups/{id}/files/download` as `path`. Bytes that are not UTF-8 are written as " +
      "`\\ooo`, in octal.",
  }),
  name: z.string(),
  backup_task: NamedRecord.nullable().openapi({ description: "Null once the task is deleted." }),
  versions: z.array(Version).openapi({
    description:
      "What the backups contain at this path, that of the newest backup first. Equal type, size and " +
      "modification time make one version.",
  }),
}).openapi("FoundFile");

const Answer = z.object({
  data: z.array(FoundFile).openapi({ description: "Sorted by path." }),
  truncated: z.boolean().openapi({
    description: "Whether more paths match. Those of newer backups are preferred.",
  }),
  searched_count: z.int().openapi({ description: "How many backups were searched." }),
  not_searched: z.array(z.object({ backup_id: z.int(), created_at: Time, reason: z.string() })).openapi({
    description: "The backups that could not be searched, and why: they may contain more.",
  }),
  older_count: z.int().openapi({
    description: "How many older backups were not searched: a search without a task covers the newest 1,000.",
  }),
  unlisted_count: z.int().openapi({
    description: "How many lines of indexes contain the text and can't be read: each may be a further file.",
  }),
});

const FindQuery = z.object({
  search: z.string().min(1).max(255).openapi({
    description:
      "A text that names contain, or a glob (`*.conf`, `?`, `[a-z]`), which matches whole names. Ignores " +
      "case. With a slash it applies to paths, and `**` also matches slashes.",
    example: "*.conf",
  }),
  limit: integer(1, 1000).default(100).openapi({ description: "Maximum number of paths.", example: 100 }),
});
const FindInput = FindQuery.extend({
  identity: identity().openapi({
    description: "Secret keys of recipients, one in a line. They are never stored.",
  }),
});

const shared = {
  access: "view-backup-tasks",
  answer: {
    status: 200,
    description: "What was found, and what could not be searched.",
    content: {
      type: "application/json",
      schema: Answer,
      example: {
        data: [{
          path: "etc/nginx/nginx.conf",
          name: "nginx.conf",
          backup_task: { id: 2, label: "Web server" },
          versions: [{
            type: "file" as const,
            size: 1482,
            modified_at: "2024-08-06T00:00:00Z",
            backups: [{ id: 7, created_at: "2024-08-07T02:00:04Z" }],
          }],
        }],
        truncated: false,
        searched_count: 1,
        not_searched: [{
          backup_id: 6,
          created_at: "2024-08-06T02:00:04Z",
          reason: "No connected agent can read the backup. Start one, and try again.",
        }],
        older_count: 0,
        unlisted_count: 0,
      },
    },
  },
} as const;
const ofTask = {
  ...shared,
  path: "/api/backup-tasks/{id}/files",
  group: "Backup tasks",
  ids: { id: "Backup task" },
} as const;
const ofAll = { ...shared, path: "/api/backups/files", group: "Backups" } as const;
const DESCRIPTION = "Agents search the indexes next to the archives, side by side, for at most 50 s.";
const EXAMPLE = { search: "*.conf", limit: 100, identity: "AGE-SECRET-KEY-1…" };

export const taskFileEndpoints: readonly Endpoint[] = [
  endpoint({
    ...ofTask,
    method: "get",
    operationId: "findTaskFiles",
    summary: "Find files in all backups of a task",
    description: DESCRIPTION,
    query: FindQuery,
    async handle({ services, caller, params, query }) {
      const { search: pattern, limit } = query;
      return { status: 200, body: present(await findFiles(services, caller, params.id, { pattern, limit })) };
    },
  }),
  endpoint({
    ...ofTask,
    method: "post",
    operationId: "findTaskFilesWithIdentity",
    summary: "Find files in backups that are encrypted to recipients",
    body: { schema: FindInput, example: EXAMPLE },
    async handle({ services, caller, params, body }) {
      const { search: pattern, limit, identity } = body;
      const query = { pattern, limit, identity };
      return { status: 200, body: present(await findFiles(services, caller, params.id, query)) };
    },
  }),
  endpoint({
    ...ofAll,
    method: "get",
    operationId: "findFiles",
    summary: "Find files in the backups of all tasks",
    description: DESCRIPTION,
    query: FindQuery,
    async handle({ services, caller, query }) {
      const { search: pattern, limit } = query;
      return { status: 200, body: present(await findFiles(services, caller, null, { pattern, limit })) };
    },
  }),
  endpoint({
    ...ofAll,
    method: "post",
    operationId: "findFilesWithIdentity",
    summary: "Find files in the backups of all tasks, also in those that are encrypted to recipients",
    body: { schema: FindInput, example: EXAMPLE },
    async handle({ services, caller, body }) {
      const { search: pattern, limit, identity } = body;
      return {
        status: 200,
        body: present(await findFiles(services, caller, null, { pattern, limit, identity })),
      };
    },
  }),
];

function present(found: FoundFiles): z.output<typeof Answer> {
  return {
    data: found.files.map(({ path, versions }) => ({
      path,
      name: path.slice(path.lastIndexOf("/") + 1),
      backup_task: taskOf(versions[0]!.backups[0]!),
      versions: versions.map(presentVersion),
    })),
    truncated: found.truncated,
    searched_count: found.searched,
    not_searched: found.notSearched.map(({ backup, reason }) => ({
      backup_id: backup.id,
      created_at: isoTime(backup.created_at),
      reason,
    })),
    older_count: found.older,
    unlisted_count: found.unlisted,
  };
}

function taskOf(backup: FileVersion["backups"][number]): z.output<typeof NamedRecord> | null {
  const { backup_task_id: id, backup_task_label: label } = backup;
  return id === null || label === null ? null : { id, label };
}

function presentVersion({ type, size, modified_at, backups }: FileVersion): z.output<typeof Version> {
  return {
    type,
    size,
    modified_at: entryTime(modified_at.replace(/\.\d+/, "")),
    backups: backups.map(({ id, created_at }) => ({ id, created_at: isoTime(created_at) })),
  };
}
