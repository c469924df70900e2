/** Sends the control plane the requests about a run's uploads to S3. Uses the websocket. */
import type { Clock } from "../../src/domain/clock.ts";
import { RunFailedError, type Uploads } from "../engine/ports.ts";
import type { RunRequests } from "./run_requests.ts";

/**
 * Time limit for aborting an upload, in milliseconds. After this time, the agent leaves the upload to the
 * control plane, which aborts abandoned uploads by itself.
 */
const ABORT_TIMEOUT = 15_000;

export class RunUploads implements Uploads {
  constructor(
    private readonly calls: RunRequests,
    private readonly clock: Clock,
    private readonly run: { runId: number; attempt: number },
  ) {}

  async open(name: string, sizeHint: number | null, signal: AbortSignal) {
    const { runId: run_id, attempt } = this.run;
    const answer = await this.calls.request(
      { type: "upload.open", run_id, attempt, name, size_hint: sizeHint },
      "upload.opened",
      signal,
    );
    return { uploadId: answer.upload_id, partSize: answer.part_size };
  }

  async sign(uploadId: string, from: number, count: number, signal: AbortSignal) {
    const answer = await this.calls.request(
      { type: "upload.parts", upload_id: uploadId, from, count },
      "upload.signed",
      signal,
    );
    return {
      urls: answer.urls.map(({ part_number, url }) => ({ partNumber: part_number, url })),
      expiresInMs: answer.expires_in_ms,
    };
  }

  async complete(
    uploadId: string,
    size: number,
    parts: { partNumber: number; etag: string }[],
    signal: AbortSignal,
  ) {
    const answer = await this.calls.request(
      {
        type: "upload.complete",
        upload_id: uploadId,
        size,
        parts: parts.map(({ partNumber, etag }) => ({ part_number: partNumber, etag })),
      },
      "upload.completed",
      signal,
    );
    return { size: answer.size };
  }

  async abort(uploadId: string): Promise<void> {
    const over = new AbortController();
    const signal = over.signal;
    const timeout = this.clock.sleep(ABORT_TIMEOUT, signal).then(
      () => over.abort(new RunFailedError("Cannot abort an upload: the control plane does not answer")),
      () => {},
    );
    try {
      await this.calls.request({ type: "upload.abort", upload_id: uploadId }, "upload.aborted", signal);
    } finally {
      over.abort();
      await timeout;
    }
  }
}
