/** Defines `/api/live`, the stream of changes that the pages follow. */
import { z } from "@hono/zod-openapi";
import { id, integer } from "../../../definitions/formats/text.ts";
import { RECORD_KINDS } from "../../../services/live/live_changes.ts";
import { followLines } from "../../../services/runs/log_stream.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { liveStream } from "../../live_stream.ts";

const LiveQuery = z.object({
  log: id().optional().openapi({
    description: "The id of a backup task log whose lines are also sent, as events `lines`.",
    example: 8,
  }),
  after: integer(0, Number.MAX_SAFE_INTEGER).optional().openapi({
    description:
      "The `sequence` of the last line that the client has; the lines after it are sent. `Last-Event-ID` " +
      "replaces it. Default: 0, all lines.",
    example: 0,
  }),
});

export const liveEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "get",
    path: "/api/live",
    operationId: "followChanges",
    group: "Changes",
    summary: "Follow what changes",
    description: "Server-Sent Events. `refresh`: anything may have changed; it is the first event. " +
      `${RECORD_KINDS.map((kind) => `\`${kind}\``).join(", ")}: records of this kind have changed in the ` +
      "workspace, at most one event a second for each kind. These events have no data. With `log`, also " +
      "`lines`: `{lines: [{sequence, stream, text}], finished}`, whose id is the `sequence` of its last line. " +
      "`stream` is `output`, `warning` or `note`. `finished` is true when the run has ended and all its lines " +
      "were sent. The stream goes on after that.",
    access: "view-backup-tasks",
    query: LiveQuery,
    answer: {
      status: 200,
      description: "Events until the client disconnects, or its token or session ends.",
      content: {
        type: "text/event-stream",
        schema: z.string(),
        example: "event: refresh\ndata: {}\n\nevent: runs\ndata: {}\n\n",
      },
    },
    errors: { 404: "There is no such log.", 429: "The token or session follows too many streams already." },
    async handle({ services, caller, query, request, holdStream }) {
      const over = new AbortController();
      const run = query.log === undefined ? null : {
        runId: query.log,
        after: sequenceIn(request.headers.get("last-event-id")) ?? query.after ?? 0,
        signal: over.signal,
      };
      const lines = run === null ? null : await followLines(services, caller, run);
      const release = holdStream();
      const ended = () => {
        over.abort();
        release();
      };
      return liveStream({ live: services.live, caller, lines, ended });
    },
  }),
];

function sequenceIn(lastEventId: string | null): number | null {
  return /^\d{1,15}$/.test(lastEventId ?? "") ? Number(lastEventId) : null;
}
