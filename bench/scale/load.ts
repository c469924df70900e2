/**
 * Simulates any number of agents in one process. The agents send output over real links and journals. Reads
 * an {@link Order} from standard input, and runs until it is killed.
 */
import { Journal } from "../../agent/journal.ts";
import { Link } from "../../agent/link.ts";
import { systemClock } from "../../src/domain/clock.ts";
import type { RunEvent } from "../../src/protocol/wire_messages.ts";
import { success } from "../../tests/support/clients/events.ts";
import { AGENT } from "../../tests/support/fixtures/planted.ts";

export interface Order {
  url: string;
  keys: string[];
  /** Lines of output of each run per second. They are sent once a second, as agents under load do. */
  linesPerSecond: number;
  seconds: number;
  /** Whether each run also reports its progress once a second. */
  reportsProgress?: boolean;
}

if (import.meta.main) {
  const order = JSON.parse(await new Response(Deno.stdin.readable).text()) as Order;
  // All journals can be in one directory, because run ids are unique.
  const directory = await Deno.makeTempDir({ prefix: "rearguard-load-" });
  setInterval(() => {}, 1000); // the clock's own timers keep no process alive
  for (const key of order.keys) void connect(order, key, directory);
}

async function connect(order: Order, key: string, directory: string): Promise<void> {
  const journal = await Journal.open(directory, systemClock);
  const link: Link = new Link({
    url: order.url,
    key,
    clock: systemClock,
    journal,
    describe: () => AGENT,
    handlers: {
      start: ({ run_id, attempt }) => void sendOutput(order, journal, link, run_id, attempt),
      cancel() {},
      forget() {},
      request() {},
    },
  });
  await link.run(new AbortController().signal);
}

async function sendOutput(
  order: Order,
  journal: Journal,
  link: Link,
  runId: number,
  attempt: number,
): Promise<void> {
  if (journal.find(runId, attempt) !== undefined) return;
  const run = journal.create(runId, attempt, "backup");
  run.append({ kind: "accepted" });
  link.pump();
  let sent = 0;
  for (let second = 1; second <= order.seconds; second++) {
    await systemClock.sleep(1000);
    let text = "";
    for (; sent < second * order.linesPerSecond; sent++) {
      text += `${systemClock.now().toISOString()} line ${sent} of the output of a backup program\n`;
    }
    run.append({ kind: "output", text });
    if (order.reportsProgress === true) run.append(progressAfter(second));
    link.pump();
  }
  await run.finish(success() as never);
  link.pump();
}

function progressAfter(second: number): RunEvent {
  return {
    kind: "progress",
    bytes_read: second * 50_000_000,
    bytes_written: second * 20_000_000,
    files_count: second * 1000,
    bytes_per_second: 50_000_000,
    eta_seconds: 5,
  };
}
