import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../../../src/domain/clock.ts";
import { ObjectMissingError, RunFailedError } from "../../ports.ts";
import { RelayDestination } from "./relay.ts";

const CONTENT = new TextEncoder().encode("0123456789");

/**
 * A clock on which sleeps of less than a minute end at once. Longer sleeps are time limits for a silent
 * connection. They end only when they are aborted.
 */
class ShortWaits implements Clock {
  waited = 0;
  now = () => systemClock.now();
  monotonic = () => systemClock.monotonic() + this.waited;
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms < 60_000) return Promise.resolve(void (this.waited += ms));
    return new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason)));
  }
}

type Answer = (from: number, to: number) => Response;

/** Returns a relay that gives each of these answers once, and then repeats the last answer. */
function relayed(...answers: Answer[]) {
  const asked: string[] = [];
  const lines: string[] = [];
  const clock = new ShortWaits();
  const spec = { type: "relay", server: { id: 2, label: "web1" }, directory: "/backups" } as const;
  const destination = new RelayDestination(spec, {
    clock,
    signal: new AbortController().signal,
    output: { line: (text) => void lines.push(text) },
    uploads: null,
    downloads: null,
    relay: {
      get(name, from, to) {
        asked.push(`${name} ${from}-${to}`);
        const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
        return Promise.resolve(answer(from, to));
      },
    },
  });
  const read = async () => {
    let text = "";
    for await (const chunk of destination.read("a.zst", 0, 10)) text += new TextDecoder().decode(chunk);
    return text;
  };
  return { asked, lines, clock, read };
}

function partial(body: BodyInit, from: number): Response {
  return new Response(body, { status: 206, headers: { "content-range": `bytes ${from}-9/10` } });
}

const whole: Answer = (from, to) => partial(CONTENT.slice(from, to), from);

/** Sends three bytes, then breaks the connection. */
const cut: Answer = (from) =>
  partial(
    new ReadableStream({
      pull(controller) {
        controller.enqueue(CONTENT.slice(from, from + 3));
        controller.error(new Error("cut"));
      },
    }, { highWaterMark: 0 }),
    from,
  );

const refused = (status: number, message: string): Answer => () => Response.json({ message }, { status });

const AWAY =
  "The backup is on the disk of web1, whose agent is not connected. Start it there, and try again.";

Deno.test("what is cut is read on from where it ended", async () => {
  const { asked, lines, read } = relayed(cut, refused(503, AWAY), refused(503, AWAY), cut, whole);
  assert.equal(await read(), "0123456789");
  assert.deepEqual(asked, ["a.zst 0-10", "a.zst 3-10", "a.zst 3-10", "a.zst 3-10", "a.zst 6-10"]);
  assert.deepEqual(lines, [`Waiting for a.zst from the disk of server web1: ${AWAY}`]);
});

Deno.test("a page of something in front of the control plane is waited out", async () => {
  const page = (status: number): Answer => () => new Response("<html>Blocked</html>", { status });
  const { read } = relayed(page(404), page(403), page(200), whole);
  assert.equal(await read(), "0123456789");
});

Deno.test("an agent that stays away fails the run after some minutes, and is named", async () => {
  const { clock, read } = relayed(cut, refused(503, AWAY));
  await assert.rejects(read(), new RunFailedError(`Cannot read a.zst from the disk of server web1: ${AWAY}`));
  assert(clock.waited >= 14 * 60_000 && clock.waited <= 16 * 60_000, `${clock.waited} ms`);
});

Deno.test("what no waiting mends ends at once", async () => {
  const denied = "The agent there says: Cannot read a.zst: permission denied";
  const conflict = relayed(refused(409, denied));
  await assert.rejects(
    conflict.read(),
    new RunFailedError(`Cannot read a.zst from the disk of server web1: ${denied}`),
  );
  const gone = relayed(refused(410, "It does not exist. It was deleted or moved."));
  await assert.rejects(gone.read(), ObjectMissingError);
  const shorter = relayed(() =>
    new Response(null, { status: 416, headers: { "content-range": "bytes */4" } })
  );
  await assert.rejects(shorter.read(), RunFailedError);
  for (const { asked } of [conflict, gone, shorter]) assert.equal(asked.length, 1);
});
