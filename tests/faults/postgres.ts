/**
 * The Postgres server of the control planes. The server can be killed with all its processes, and started
 * again with its data.
 */
import { processTree, signalAll } from "../../agent/engine/programs/process_tree.ts";
import { systemClock } from "../../src/domain/clock.ts";
import { type EmbeddedPostgres, startEmbedded } from "../../src/store/embedded/embedded.ts";
import { clockEnvironment } from "./processes.ts";
import { freePort } from "../support/servers/ports.ts";

export class MortalPostgres implements AsyncDisposable {
  private constructor(readonly url: string, private readonly postgres: EmbeddedPostgres) {}

  /**
   * Starts Postgres.
   *
   * @param directory An absolute path; created if missing.
   * @param clockFile The path of the file with the offset of the server's clock.
   */
  static async open(directory: string, clockFile: string): Promise<MortalPostgres> {
    const postgres = await startEmbedded({
      directory,
      clock: systemClock,
      port: freePort(),
      durable: true,
      settings: { max_connections: 100 },
      env: clockEnvironment(clockFile),
    });
    const { password, port, username } = postgres.connection;
    await outliveNobody(postgres.location);
    return new MortalPostgres(
      `postgres://${username}:${password}@127.0.0.1:${port}/rearguard`,
      postgres,
    );
  }

  async kill(): Promise<void> {
    signalAll(await this.#processes(), "SIGKILL");
  }

  /**
   * Suspends the server's processes, so that connections stay open but get no response. Returns a function
   * that resumes the processes.
   */
  async freeze(): Promise<() => void> {
    const processes = await this.#processes();
    signalAll(processes, "SIGSTOP");
    return () => signalAll(processes, "SIGCONT");
  }

  async #processes() {
    const file = await Deno.readTextFile(`${this.postgres.location}/data/postmaster.pid`);
    return processTree(Number(file.split("\n")[0]));
  }

  async start(): Promise<void> {
    await this.postgres.revive();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.postgres.stop();
  }
}

/**
 * Starts a watching process, which ends Postgres once the test process has ended. Otherwise, Postgres would
 * keep running, because it is detached.
 */
async function outliveNobody(place: string): Promise<void> {
  const script =
    `while kill -0 ${Deno.pid}; do sleep 1; done; kill -QUIT $(head -n1 "$1/data/postmaster.pid")`;
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `setsid sh -c "$0" sh "$1" >/dev/null 2>&1 </dev/null &`, script, place],
    stdin: "null",
  }).output();
  if (!success) throw new Error("Cannot watch over Postgres: sh or setsid failed");
}
