/**
 * Downloads the control plane's state for a run that backs up this state. Makes one HTTP request with the
 * agent's key.
 */
import type { Clock } from "../../src/domain/clock.ts";
import { RunFailedError } from "../engine/ports.ts";

/** Time without a byte after which the download fails, in milliseconds. */
const STALL_TIMEOUT = 300_000;

export interface ExportSource {
  /** The control plane's URL, without a trailing slash. */
  readonly url: string;
  readonly key: string;
  readonly clock: Clock;
}

/**
 * Yields the bytes of the export. Throws a `RunFailedError` with the reason if the download fails, or the
 * signal's reason if the signal aborts.
 */
export async function* fetchExport(
  { url, key, clock }: ExportSource,
  { runId, attempt }: { runId: number; attempt: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stalled = new AbortController();
  const either = AbortSignal.any([signal, stalled.signal]);
  /**
   * When the wait for the next chunk began; null while the consumer processes a chunk. Processing does not
   * count as a stall, because it might take long if a destination is offline.
   */
  let heard: number | null = clock.monotonic();
  const over = new AbortController();
  const watch = async () => {
    for (
      let left = STALL_TIMEOUT;
      left > 0;
      left = STALL_TIMEOUT - (heard === null ? 0 : clock.monotonic() - heard)
    ) {
      await clock.sleep(left, over.signal);
    }
    stalled.abort(new Error(`nothing came for ${STALL_TIMEOUT / 1000} s`));
  };
  watch().catch(() => {});
  try {
    const response = await fetch(`${url}/api/agent/export?run_id=${runId}&attempt=${attempt}`, {
      headers: { authorization: `Bearer ${key}` },
      signal: either,
    });
    if (!response.ok) throw new Error(await refusal(response));
    for await (const chunk of response.body!) {
      heard = null;
      yield chunk;
      heard = clock.monotonic();
    }
  } catch (cause) {
    signal.throwIfAborted();
    const reason = stalled.signal.aborted ? stalled.signal.reason : cause;
    throw new RunFailedError(`Cannot fetch the control plane's state: ${(reason as Error).message}`, {
      cause,
    });
  } finally {
    over.abort();
  }
}

async function refusal(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return String(JSON.parse(text).message);
  } catch {
    return `it answers ${response.status}`;
  }
}
