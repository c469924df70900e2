/** Endpoint that lists the files of a server. */
import { z } from "@hono/zod-openapi";
import { absolutePath } from "../../../definitions/formats/paths.ts";
import { integer } from "../../../definitions/formats/text.ts";
import { listServerFiles, type ServerEntry } from "../../../services/servers/server_files.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { pageAnswer, PageLinks, PageMeta, PageQuery, windowOf } from "../../input/pagination.ts";
import { Time } from "../../input/time.ts";
import { entryTime } from "../backups/backup_files.ts";

const Entry = z.object({
  path: z.string().openapi({
    description: "Absolute. Bytes that are not UTF-8 are written as `\\ooo`, in octal.",
  }),
  name: z.string(),
  type: z.enum(["file", "directory", "symlink", "fifo", "socket", "character_device", "block_device"]),
  size: z.int().openapi({ description: "Bytes; 0 for everything but files." }),
  mode: z.string(),
  uid: z.int(),
  gid: z.int(),
  modified_at: Time.nullable().openapi({ description: "Null if its year is not between 0 and 9999." }),
  link_target: z.string().nullable().openapi({ description: "Of a symbolic link; otherwise null." }),
  is_readable: z.boolean().openapi({ description: "Whether the agent has the permission to read it." }),
}).openapi("ServerFile");

const EXAMPLE: z.output<typeof Entry> = {
  path: "/var/www",
  name: "www",
  type: "directory",
  size: 0,
  mode: "0755",
  uid: 0,
  gid: 0,
  modified_at: "2024-08-07T00:00:00Z",
  link_target: null,
  is_readable: true,
};

const FilesQuery = PageQuery.extend({
  path: absolutePath().default("/").openapi({
    description: "The directory whose entries are listed. It must not lead through a symbolic link.",
    example: "/var",
  }),
  per_page: integer(1, 1000).default(100).openapi({ description: "Items per page.", example: 100 }),
  search: z.string().max(255).optional().openapi({
    description: "Only names in the directory that contain this text, ignoring case.",
    example: "www",
  }),
});

export const serverFileEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/remote-servers/{id}/files",
    operationId: "listServerFiles",
    group: "Remote servers",
    summary: "List a directory of a server",
    description:
      "For choosing what to back up. The server's agent reads the directory with its own rights; it " +
      "opens no file, and follows no symbolic link.",
    access: "create-backup-tasks",
    ids: { id: "Remote server" },
    query: FilesQuery,
    errors: {
      409: "The agent is not connected, or too old.",
      422: "There is no directory at the path, or the agent can't read it.",
      503: "The agent did not answer in time.",
    },
    answer: {
      status: 200,
      description: "One page, directories first, then by name.",
      content: {
        type: "application/json",
        schema: z.object({
          data: z.array(Entry),
          links: PageLinks,
          meta: PageMeta,
          path: z.string().openapi({ description: "The listed directory." }),
          parent: z.string().nullable().openapi({ description: "The directory above; null for the root." }),
          is_truncated: z.boolean().openapi({
            description: "Whether the directory has more than 10,000 entries. The others are not listed.",
          }),
        }),
        example: {
          ...pageAnswer([EXAMPLE], 1, { page: 1, per_page: 100 }, {
            path: "https://backup.example.com/api/remote-servers/2/files",
            search: "?path=/var",
          }),
          path: "/var",
          parent: "/",
          is_truncated: false,
        },
      },
    },
    async handle({ services, caller, params, query, request, baseUrl }) {
      const { rows, total, path, isTruncated } = await listServerFiles(
        services,
        caller,
        params.id,
        { ...windowOf(query), path: query.path, search: query.search || null },
      );
      const { pathname, search } = new URL(request.url);
      const page = pageAnswer(rows.map(present), total, query, { path: `${baseUrl}${pathname}`, search });
      const parent = path === "/" ? null : path.slice(0, path.lastIndexOf("/")) || "/";
      return { status: 200, body: { ...page, path, parent, is_truncated: isTruncated } };
    },
  }),
];

function present(entry: ServerEntry): z.output<typeof Entry> {
  return {
    ...entry,
    name: entry.path.slice(entry.path.lastIndexOf("/") + 1),
    modified_at: entryTime(entry.modified_at),
  };
}
