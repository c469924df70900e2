/** Defines the endpoints that list the lines of a run's log, and download its output. */
import { z } from "@hono/zod-openapi";
import { integer } from "../../../definitions/formats/text.ts";
import { LINE_STREAMS, listLines } from "../../../services/runs/log_lines.ts";
import { readOutput } from "../../../services/runs/logs.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { searchParameter } from "../../input/list_filters.ts";

const LogLine = z.object({
  sequence: z.int().openapi({ description: "The position of its event; lines of one event have the same." }),
  text: z.string(),
  stream: z.enum(LINE_STREAMS).openapi({
    description: "`warning`: a warning of the run; `note`: says that output was cut out here.",
  }),
}).openapi("BackupTaskLogLine");

const LINE = {
  sequence: 12,
  text: "2026-01-05T12:00:00.000Z Warning: etc/shadow: Cannot open: Permission denied",
  stream: "warning" as const,
};

const position = () => integer(0, Number.MAX_SAFE_INTEGER).optional();

export const logLineEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/backup-task-logs/{id}/lines",
    operationId: "listBackupTaskLogLines",
    group: "Backup task logs",
    summary: "List lines of a log",
    description: "The last lines of the log, or the lines before or after a position. Whole events are " +
      "returned, so there can be a few more lines than `limit`.",
    access: "view-backup-tasks",
    ids: { id: "Backup task log" },
    query: z.object({
      before: position().openapi({ description: "Only lines before this `sequence`.", example: 12 }),
      after: position().openapi({
        description:
          "Only lines after this `sequence`, and the first of them. 0: the first lines of the log.",
        example: 0,
      }),
      search: searchParameter("the line"),
      stream: z.enum(LINE_STREAMS).optional().openapi({
        description: "Only lines of this kind.",
        example: "warning",
      }),
      limit: integer(1, 5000).default(1000).openapi({
        description: "Maximum number of lines.",
        example: 100,
      }),
    }),
    answer: {
      status: 200,
      description: "The lines, the oldest first.",
      content: {
        type: "application/json",
        schema: z.object({
          data: z.array(LogLine),
          has_older: z.boolean().openapi({ description: "Whether there are lines before these." }),
          has_newer: z.boolean().openapi({ description: "Whether there are lines after these." }),
        }),
        example: { data: [LINE], has_older: true, has_newer: false },
      },
    },
    async handle({ services, caller, params, query }) {
      const { lines, hasOlder, hasNewer } = await listLines(services, caller, params.id, query);
      return { status: 200, body: { data: lines, has_older: hasOlder, has_newer: hasNewer } };
    },
  }),
  endpoint({
    method: "get",
    path: "/api/backup-task-logs/{id}/output",
    operationId: "downloadBackupTaskLogOutput",
    group: "Backup task logs",
    summary: "Download the output of a run",
    access: "view-backup-tasks",
    ids: { id: "Backup task log" },
    answer: {
      status: 200,
      description: "All of its output so far.",
      content: { type: "text/plain", schema: z.string(), example: `${LINE.text}\n` },
    },
    async handle({ services, caller, params }) {
      return new Response(await readOutput(services, caller, params.id), {
        headers: {
          "Content-Type": "text/plain; charset=utf-8",
          "Content-Disposition": `attachment; filename="log-${params.id}.txt"`,
          "Cache-Control": "no-store",
        },
      });
    },
  }),
];
