import assert from "node:assert/strict";
import { CommandError, EXIT } from "./command_error.ts";
import { followLog, type OpenStream, type RunState } from "./log_follower.ts";

const PATIENCE = { silence: 60_000, outage: 60_000, retry: 1 };
const SUCCESS = { status: "successful", reason: null } as RunState;

function event(id: string, event: string, data: unknown): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

function line(sequence: number): string {
  return event(`7-${sequence}`, "output", { sequence, text: `line ${sequence}\n` });
}

/** Returns a response that sends these frames and then loses its connection. */
function stream(...frames: string[]): Response {
  const bytes = new TextEncoder().encode(frames.join(""));
  return new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(bytes);
      },
      pull: (controller) => controller.error(new TypeError("connection reset")),
    }, { highWaterMark: 0 }),
  );
}

/** Follows run 7 with these responses, one for each connection. Returns what the follower reported. */
async function follow(answers: (Response | Error)[], patience = PATIENCE, last?: OpenStream) {
  const lastEventIds: (string | null)[] = [];
  let output = "";
  let lost = 0;
  const state = await followLog(
    7,
    async (lastEventId, signal) => {
      lastEventIds.push(lastEventId);
      const answer = answers.shift() ?? await last?.(lastEventId, signal);
      if (answer instanceof Error) throw answer;
      return answer!;
    },
    { output: (text) => output += text, state() {}, lost: () => lost++ },
    patience,
  );
  return { state, output, lastEventIds, lost };
}

Deno.test("a lost connection is resumed after the last event, without a lost or repeated line", async () => {
  const unreachable = new CommandError(EXIT.unreachable, "Cannot follow: unreachable");
  const result = await follow([
    stream("retry: 1\n\n", line(1), line(2)),
    unreachable,
    stream(),
    stream(line(3), event("7-end", "finished", SUCCESS)),
  ]);
  assert.deepEqual(result, {
    state: SUCCESS,
    output: "line 1\nline 2\nline 3\n",
    lastEventIds: [null, "7-2", "7-2", "7-2"],
    lost: 3,
  });
});

Deno.test("events of another run, or an end that was already seen, are not this run's", async () => {
  const later = await follow([
    stream(line(1)),
    stream(event("8-1", "output", { sequence: 1, text: "other\n" })),
  ]);
  assert.deepEqual([later.state, later.output], [null, "line 1\n"]);
  const ended = await follow([new Response(null, { status: 204 })]);
  assert.equal(ended.state, null);
});

Deno.test("a refusal ends it at once, an outage after the limit", async () => {
  const refused = new CommandError(EXIT.refused, "Cannot follow: refused");
  await assert.rejects(follow([stream(line(1)), refused]), refused);
  const unreachable = new CommandError(EXIT.unreachable, "Cannot follow: unreachable");
  const closed = () => Promise.reject(unreachable);
  await assert.rejects(follow([stream(line(1))], { ...PATIENCE, outage: 20 }, closed), unreachable);
});

Deno.test("a silent connection counts as lost", async () => {
  let signal: AbortSignal | undefined;
  const silent = new Response(
    new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode(line(1)));
      },
    }),
  );
  const result = await follow([], { ...PATIENCE, silence: 20 }, (_, given) => {
    if (signal !== undefined) return Promise.resolve(stream(event("7-end", "finished", SUCCESS)));
    signal = given;
    // Aborting the signal ends the body, as it does for a response of `fetch`.
    return Promise.resolve(new Response(silent.body!.pipeThrough(new TransformStream(), { signal })));
  });
  assert.deepEqual([result.state, result.output, result.lastEventIds], [SUCCESS, "line 1\n", [null, "7-1"]]);
  assert.equal(signal!.aborted, true);
});
