/**
 * Agents that only talk: real links and journals, lines at a fixed rate. Reads `{url, keys, linesPerSecond,
 * seconds}` on standard input and ends when all is acknowledged.
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

/** Lines are gathered for this long, as an agent does. Milliseconds. */
const GATHER = 100;

const order = JSON.parse(await new Response(Deno.stdin.readable).text()) as Order;
await Promise.all(order.keys.map((key) => talk(key)));
Deno.exit(0);

async function talk(key: string): Promise<void> {
  const directory = await Deno.makeTempDir();
  const journal = await Journal.open(directory, systemClock);
  const offered = Promise.withResolvers<{ run_id: number; attempt: number }>();
  const link = new Link({
    url: order.url,
    key,
    clock: systemClock,
    journal,
    describe: () => AGENT,
    handlers: { start: offered.resolve, cancel() {}, forget() {}, request() {} },
  });
  const over = new AbortController();
  const running = link.run(over.signal);
  const { run_id, attempt } = await offered.promise;
  const run = journal.create(run_id, attempt, "backup");
  run.append({ kind: "accepted" });
  const start = systemClock.monotonic();
  let said = 0;
  for (let tick = 1; tick <= (order.seconds * 1000) / GATHER; tick++) {
    const wait = start + tick * GATHER - systemClock.monotonic();
    if (wait > 0) await systemClock.sleep(wait);
    let text = "";
    for (; said < (tick * GATHER * order.linesPerSecond) / 1000; said++) {
      text +=
        `2026-01-05T12:00:00.000Z line ${said} of what a backup program says while it works on its files\n`;
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
