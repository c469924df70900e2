/**
 * An agent that makes no backups. Its link and its journal are real, but it sends lines of output only when a
 * test says so.
 */
import { enrol } from "../../../agent/enrolment.ts";
import { Journal, type RunJournal } from "../../../agent/journal.ts";
import { Link } from "../../../agent/link.ts";
import { systemClock } from "../../../src/domain/clock.ts";
import { output, success } from "./events.ts";
import { AGENT } from "../fixtures/planted.ts";

export class TalkingAgent implements AsyncDisposable {
  /** All output that the agent has sent. */
  said = "";
  #lines = 0;
  readonly #offered = Promise.withResolvers<{ run_id: number; attempt: number }>();
  readonly #over = new AbortController();
  readonly #link: Link;
  readonly #running: Promise<void>;
  #run: RunJournal | null = null;

  private constructor(
    url: string,
    key: string,
    private readonly journal: Journal,
    readonly directory: string,
  ) {
    this.#link = new Link({
      url,
      key,
      clock: systemClock,
      journal,
      describe: () => AGENT,
      handlers: { start: this.#offered.resolve, cancel() {}, forget() {}, request() {} },
    });
    this.#running = this.#link.run(this.#over.signal);
  }

  static async start(url: string, token: string): Promise<TalkingAgent> {
    const key = await enrol(url, token, AGENT, systemClock, AbortSignal.timeout(10_000));
    const directory = await Deno.makeTempDir({ prefix: "rearguard-talker-" });
    return new TalkingAgent(url, key, await Journal.open(directory, systemClock), directory);
  }

  /** Waits until a run is assigned, and accepts it. */
  async accept(): Promise<void> {
    const { run_id, attempt } = await this.#offered.promise;
    this.#run = this.journal.create(run_id, attempt, "backup");
    this.#run.append({ kind: "accepted" });
    this.#link.pump();
  }

  say(): void {
    const line = `${new Date(0).toISOString()} line ${this.#lines++}\n`;
    this.said += line;
    this.#run!.append(output(line));
    this.#link.pump();
  }

  /** Sends a line every `everyMs` milliseconds until the signal aborts. */
  async talk(everyMs: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.say();
      await systemClock.sleep(everyMs, signal).catch(() => {});
    }
  }

  /** The approximate number of lines that are acknowledged. Each line is an event. */
  get acknowledged(): number {
    return this.#run!.acknowledged;
  }

  /** Ends the run successfully. Resolves once the control plane has acknowledged the end. */
  async finish(): Promise<void> {
    await this.#run!.finish(success() as never);
    this.#link.pump();
    await this.#link.drained(AbortSignal.timeout(60_000));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#running;
    this.journal.close();
    await Deno.remove(this.directory, { recursive: true });
  }
}
