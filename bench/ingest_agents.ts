/**
 * Simulates agents that send lines of output at a fixed rate. Each simulated agent uses the real {@link Link}
 * and {@link Journal}. Reads `{url, keys, linesPerSecond, seconds}` from standard input. Ends when the
 * control plane has acknowledged every line.
 */
import { Journal } from "../agent/journal.ts";
import { Link } from "../agent/link.ts";
import { systemClock } from "../src/domain/clock.ts";
import { success } from "../tests/support/clients/events.ts";
import { AGENT } from "../tests/support/fixtures/planted.ts";

interface Order {
  url: string;
  keys: string[];
  linesPerSecond: number;
  seconds: number;
}

/** Milliseconds for which an agent collects lines, before it sends them as one event, as real agents do. */
const BATCH_INTERVAL = 100;

const order = JSON.parse(await new Response(Deno.stdin.readable).text()) as Order;
await Promise.all(order.keys.map((key) => sendOutput(key)));
Deno.exit(0);

async function sendOutput(key: string): Promise<void> {
  const directory = await Deno.makeTempDir();
  const journal = await Journal.open(directory, systemClock);
  const assigned = Promise.withResolvers<{ run_id: number; attempt: number }>();
  const link = new Link({
    url: order.url,
    key,
    clock: systemClock,
    journal,
    describe: () => AGENT,
    handlers: { start: assigned.resolve, cancel() {}, forget() {}, request() {} },
  });
  const over = new AbortController();
  const running = link.run(over.signal);
  const { run_id, attempt } = await assigned.promise;
  const run = journal.create(run_id, attempt, "backup");
  run.append({ kind: "accepted" });
  const start = systemClock.monotonic();
  let sent = 0;
  for (let tick = 1; tick <= (order.seconds * 1000) / BATCH_INTERVAL; tick++) {
    const wait = start + tick * BATCH_INTERVAL - systemClock.monotonic();
    if (wait > 0) await systemClock.sleep(wait);
    let text = "";
    for (; sent < (tick * BATCH_INTERVAL * order.linesPerSecond) / 1000; sent++) {
      text += `2026-01-05T12:00:00.000Z line ${sent} of the output of a backup program that works on files\n`;
    }
    run.append({ kind: "output", text });
    link.pump();
  }
  await run.finish(success() as never);
  link.pump();
  await link.drained(AbortSignal.timeout(60_000));
  over.abort();
  await running;
  await Deno.remove(directory, { recursive: true });
}
