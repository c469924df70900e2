/** Requests the signed download URLs of a run from the control plane, over the websocket. */
import type { Downloads } from "../engine/ports.ts";
import type { RunRequests } from "./run_requests.ts";

export class RunDownloads implements Downloads {
  constructor(
    private readonly calls: RunRequests,
    private readonly run: { runId: number; attempt: number },
  ) {}

  async sign(name: string, signal: AbortSignal) {
    const { runId: run_id, attempt } = this.run;
    const answer = await this.calls.request(
      { type: "download.sign", run_id, attempt, name },
      "download.signed",
      signal,
    );
    return { url: answer.url, expiresInMs: answer.expires_in_ms };
  }
}
