/**
 * Reads a backup on another server's disk. Sends HTTP requests to the control plane, authorized by the
 * agent's key.
 */
import type { ExportSource } from "./run_exports.ts";
import type { Relay } from "../engine/ports.ts";

export class RunRelay implements Relay {
  constructor(
    private readonly source: ExportSource,
    private readonly run: { runId: number; attempt: number },
  ) {}

  get(name: string, from: number, to: number, signal: AbortSignal): Promise<Response> {
    const { url, key } = this.source;
    const query = new URLSearchParams({
      run_id: String(this.run.runId),
      attempt: String(this.run.attempt),
      name,
    });
    return fetch(`${url.replace(/\/+$/, "")}/api/agent/objects?${query}`, {
      headers: { authorization: `Bearer ${key}`, range: `bytes=${from}-${to - 1}` },
      signal,
    });
  }
}
