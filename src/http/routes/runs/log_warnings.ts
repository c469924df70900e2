/** Defines the endpoint that downloads the warnings of a run. */
import { z } from "@hono/zod-openapi";
import { listWarnings, type RunWarnings } from "../../../services/runs/logs.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";

export const logWarningEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/backup-task-logs/{id}/warnings",
    operationId: "listBackupTaskLogWarnings",
    group: "Backup task logs",
    summary: "Download the warnings of a run",
    description:
      "All warnings, such as the files that could not be read, one in a line, also those that the log's " +
      "output no longer contains. A last line says how many more were counted and are not kept: up to 4 million " +
      "characters are.",
    access: "view-backup-tasks",
    ids: { id: "Backup task log" },
    query: z.object({
      format: z.enum(["text", "jsonl"]).default("text").openapi({
        description:
          "`jsonl`: a JSON object in each line, with `message`, or with `left_out` in the last one.",
        example: "text",
      }),
    }),
    answer: {
      status: 200,
      description: "The warnings, the oldest first.",
      content: {
        type: "text/plain",
        schema: z.string(),
        example: "etc/shadow: Cannot open: Permission denied\n",
      },
    },
    async handle({ services, caller, params, query }) {
      return warningsFile(params.id, query.format, await listWarnings(services, caller, params.id));
    },
  }),
];

function warningsFile(id: number, format: "text" | "jsonl", { warnings, leftOut }: RunWarnings): Response {
  const isText = format === "text";
  const lines = isText ? [...warnings] : warnings.map((message) => JSON.stringify({ message }));
  if (leftOut > 0) {
    lines.push(isText ? `[${leftOut} more warnings are not kept]` : JSON.stringify({ left_out: leftOut }));
  }
  return new Response(lines.map((line) => `${line}\n`).join(""), {
    headers: {
      "Content-Type": isText ? "text/plain; charset=utf-8" : "application/x-ndjson",
      "Content-Disposition": `attachment; filename="warnings-${id}.${isText ? "txt" : "jsonl"}"`,
      "Cache-Control": "no-store",
    },
  });
}
