/** Endpoints that list the contents of a backup. */
import { z } from "@hono/zod-openapi";
import {
  type BackupEntry,
  type BackupListing,
  listBackupFiles,
} from "../../../services/backups/backup_files.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { pageAnswer, PageLinks, PageMeta, PageQuery, windowOf } from "../../input/pagination.ts";
import { integer } from "../../../definitions/formats/text.ts";
import { innerPathOrRoot } from "../../../definitions/formats/paths.ts";
import { identity } from "../../input/secret_input.ts";
import { Time } from "../../input/time.ts";

export const EntryType = z.enum([
  "file",
  "directory",
  "symlink",
  "hardlink",
  "fifo",
  "character_device",
  "block_device",
]);

const Entry = z.object({
  path: z.string().openapi({
    description: "Relative to the source's root. Bytes that are not UTF-8 are written as `\\ooo`, in octal.",
  }),
  name: z.string(),
  type: EntryType,
  size: z.int().openapi({ description: "Bytes; 0 for members without content." }),
  mode: z.string(),
  uid: z.int(),
  gid: z.int(),
  modified_at: Time.nullable().openapi({ description: "Null if its year is not between 0 and 9999." }),
  link_target: z.string().nullable().openapi({
    description: "The target of a symbolic link, or the other path of a hard link; otherwise null.",
  }),
}).openapi("BackupEntry");

const EXAMPLE: z.output<typeof Entry> = {
  path: "etc/nginx/nginx.conf",
  name: "nginx.conf",
  type: "file",
  size: 1482,
  mode: "0644",
  uid: 0,
  gid: 0,
  modified_at: "2024-08-07T00:00:00Z",
  link_target: null,
};

const FilesQuery = PageQuery.extend({
  path: innerPathOrRoot().default("").openapi({
    description:
      "A directory, whose direct children are listed; any other member is listed itself. Default: the root.",
    example: "etc/nginx",
  }),
  per_page: integer(1, 1000).default(15).openapi({ description: "Items per page.", example: 15 }),
  search: z.string().max(255).optional().openapi({
    description: "Only names in the directory that contain this text, ignoring case.",
    example: "nginx",
  }),
});
const FilesInput = FilesQuery.extend({
  identity: identity().openapi({
    description: "The secret key of one of the recipients. It is never stored.",
  }),
});

const IDENTITY = "AGE-SECRET-KEY-1…";

const shared = {
  path: "/api/backups/{id}/files",
  group: "Backups",
  access: "view-backup-tasks",
  ids: { id: "Backup" },
  answer: {
    status: 200,
    description: "One page, directories first, then by name.",
    content: {
      type: "application/json",
      schema: z.object({
        data: z.array(Entry),
        links: PageLinks,
        meta: PageMeta,
        unlisted_count: z.int().openapi({
          description: "How many further members may exist: the number of unreadable lines of the index. " +
            "Their members are in the archive, and are restored with the whole backup.",
        }),
      }),
      example: {
        ...pageAnswer([EXAMPLE], 1, { page: 1, per_page: 15 }, {
          path: "https://backup.example.com/api/backups/1/files",
          search: "?path=etc/nginx",
        }),
        unlisted_count: 0,
      },
    },
  },
  errors: {
    409:
      "It contains databases, has no index or a damaged one, or is encrypted to recipients: then send an identity by POST.",
    503: "No agent that can reach the backup is connected, or the agent can't read the index.",
  },
} as const;

export const backupFileEndpoints: readonly Endpoint[] = [
  endpoint({
    ...shared,
    method: "get",
    operationId: "listBackupFiles",
    summary: "List a backup's contents",
    description: "An agent reads the index next to the archive; it does not read the archive itself.",
    query: FilesQuery,
    async handle({ services, caller, params, query, request, baseUrl }) {
      const listing = await listBackupFiles(
        services,
        caller,
        params.id,
        { ...windowOf(query), path: query.path, search: query.search || null },
      );
      return { status: 200, body: page(listing, query, request, baseUrl) };
    },
  }),
  endpoint({
    ...shared,
    method: "post",
    operationId: "listBackupFilesWithIdentity",
    summary: "List the contents of a backup that is encrypted to recipients",
    body: { schema: FilesInput, example: { path: "etc/nginx", page: 1, per_page: 15, identity: IDENTITY } },
    async handle({ services, caller, params, body, request, baseUrl }) {
      const { path, identity } = body;
      const listing = await listBackupFiles(
        services,
        caller,
        params.id,
        { ...windowOf(body), path, identity, search: body.search || null },
      );
      return { status: 200, body: page(listing, body, request, baseUrl) };
    },
  }),
];

function page(
  { rows, total, unlisted }: BackupListing,
  query: PageQuery,
  request: Request,
  baseUrl: string,
) {
  const { pathname, search } = new URL(request.url);
  const answer = pageAnswer(rows.map(present), total, query, { path: `${baseUrl}${pathname}`, search });
  return { ...answer, unlisted_count: unlisted };
}

/** Matches times with years of four digits. Clients parse times by RFC 3339, which allows only such years. */
const RFC_3339 = /^\d{4}-/;

/** Returns a file's modification time for the response; null if clients could not parse it. */
export function entryTime(time: string): string | null {
  return RFC_3339.test(time) ? time : null;
}

function present(entry: BackupEntry): z.output<typeof Entry> {
  return {
    ...entry,
    name: entry.path.slice(entry.path.lastIndexOf("/") + 1),
    modified_at: entryTime(entry.modified_at),
  };
}
