/** A run's log as the API's event stream tells it, until the run is over. */

export interface RunProgress {
  readonly bytes_read: number;
  readonly bytes_written: number;
  readonly files_count: number | null;
  readonly bytes_per_second: number | null;
  readonly eta_seconds: number | null;
}

export interface RunState {
  readonly status: "queued" | "running" | "successful" | "failed" | "cancelled";
  readonly reason: string | null;
  readonly progress: RunProgress;
}

/** Resolves with the final state. `open` asks for the stream. Rejects when it ends before the run does. */
export async function followLog(
  open: () => Promise<Response>,
  onOutput: (text: string) => void,
  onProgress: (progress: RunProgress) => void,
): Promise<RunState> {
  for await (const { event, data } of eventsOf(await open())) {
    if (event === "output") onOutput((data as { text: string }).text);
    if (event === "state") onProgress((data as RunState).progress);
    if (event === "finished") return data as RunState;
  }
  throw new Error("the log's stream has ended before the run");
}

async function* eventsOf(response: Response): AsyncGenerator<{ event: string; data: unknown }> {
  let rest = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split("\n\n");
    rest = frames.pop()!;
    for (const frame of frames) {
      const event = /^event: (.*)$/m.exec(frame)?.[1];
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) };
    }
  }
}
