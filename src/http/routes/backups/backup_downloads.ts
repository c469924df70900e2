/** Endpoints that download a backup's objects, and files from inside a backup. */
import { z } from "@hono/zod-openapi";
import { parseRange } from "../../../domain/byte_range.ts";
import {
  type ChooseRange,
  type Download,
  downloadFile,
  downloadObject,
  type Unsatisfiable,
} from "../../../services/transfers/backup_downloads.ts";
import { type Endpoint, endpoint } from "../../endpoint.ts";
import { HttpError } from "../../errors.ts";
import { literal } from "../../../definitions/formats/text.ts";
import { innerPath } from "../../../definitions/formats/paths.ts";

const DESCRIPTION =
  "A single `Range` gets a 206; `If-Range` accepts the `ETag`. A transfer that can't continue is cut off.";

const shared = {
  method: "get",
  group: "Backups",
  access: "restore-backups",
  audited: true,
  ids: { id: "Backup" },
  answer: {
    status: 200,
    description: "The bytes.",
    content: {
      type: "application/octet-stream",
      schema: z.string().openapi({ format: "binary" }),
      example: "…",
    },
  },
} as const;

export const backupDownloadEndpoints: readonly Endpoint[] = [
  endpoint({
    ...shared,
    path: "/api/backups/{id}/download",
    operationId: "downloadBackup",
    summary: "Download an object of a backup",
    description:
      `The object as stored: compressed, and possibly encrypted. The \`ETag\` is its SHA-256. ${DESCRIPTION}`,
    query: z.object({
      object: literal(1024).optional().openapi({
        description: "One of the backup's objects. Default: its first archive.",
        example: "backup_2_20240807020000.tar.zst",
      }),
    }),
    errors: {
      409: "The backup is being deleted, or its bucket no longer has the object.",
      416: "The range is beyond the end.",
      503: "Its destination, or the agent that reads it, can't be reached.",
    },
    async handle({ services, caller, params, query, request }) {
      const object = { name: query.object ?? null, headOnly: request.method === "HEAD" };
      return answer(await downloadObject(services, caller, params.id, object, rangeOf(request)), request);
    },
  }),
  endpoint({
    ...shared,
    path: "/api/backups/{id}/files/download",
    operationId: "downloadBackupFile",
    summary: "Download one file from inside a backup",
    description:
      `An agent reads the part of the archive that contains the file, and decrypts and unpacks it. ${DESCRIPTION}`,
    query: z.object({
      path: innerPath().openapi({ description: "Of a regular file.", example: "etc/nginx/nginx.conf" }),
    }),
    errors: {
      409: "There is no regular file at the path, or the backup can't be decrypted here.",
      416: "The range is beyond the end.",
      503: "No agent that can reach the backup is connected, or the agent can't read it.",
    },
    async handle({ services, caller, params, query, request }) {
      return answer(
        await downloadFile(services, caller, params.id, query.path, rangeOf(request)),
        request,
      );
    },
  }),
];

/**
 * Returns a function that takes an object's ETag. The function returns the requested range; null for the
 * whole object. If `If-Range` names an ETag other than the object's, the client already has bytes of a
 * different object. The function then ignores the range and returns null.
 */
function rangeOf({ headers, method }: Request): ChooseRange {
  return (etag) => {
    // RFC 9110, section 14.2: a range applies to GET only.
    if (method === "HEAD") return null;
    const onlyIf = headers.get("if-range");
    return onlyIf === null || onlyIf === `"${etag}"` ? parseRange(headers.get("range")) : null;
  };
}

function answer(download: Download | Unsatisfiable, request: Request): Response {
  if ("unsatisfiable" in download) {
    const { size } = download;
    throw new HttpError(416, `There are ${size} bytes; request a range within them.`, {
      "Content-Range": `bytes */${size}`,
    });
  }
  const { name, etag, size, from, to, body } = download;
  const isPart = rangeOf(request)(etag) !== null;
  const headers = new Headers({
    "Accept-Ranges": "bytes",
    "Content-Disposition": disposition(name),
    "Content-Length": String(to - from),
    "Content-Type": "application/octet-stream",
    ETag: `"${etag}"`,
    // Without this header, nginx would buffer the response on its disk.
    "X-Accel-Buffering": "no",
  });
  if (isPart) headers.set("Content-Range", `bytes ${from}-${to - 1}/${size}`);
  return new Response(body, { status: isPart ? 206 : 200, headers });
}

/** Builds the value of `Content-Disposition` (RFC 6266), with the name encoded as in RFC 8187. */
function disposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
