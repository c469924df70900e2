/** Starts a control plane as an operator does: `main.ts` in a separate process. */
import { fileURLToPath } from "node:url";
import { LOOPBACK_ALLOWED } from "./loopback.ts";
import { rightsOf } from "../assertions/rights.ts";

export interface ServerOptions {
  /** The path of the data directory, for DATA_DIR. */
  readonly dataDirectory: string;
  /**
   * Additional variables of the process's environment. The process inherits only a few variables of the
   * tests.
   */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** The permissions for `deno run`. By default, the permissions of `deno task start`. */
  readonly rights?: readonly string[];
}

const READY = /^Rearguard is ready at (\S+)$/m;
const TOKEN = /^The first administrator's API token, shown only now: (\S+)$/m;

/** A started process that records its output. */
export class ServerProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  readonly #watchers = new Set<() => void>();
  readonly #ended: Promise<Deno.CommandStatus>;
  #hasEnded = false;
  stdout = "";
  stderr = "";

  constructor({ dataDirectory, env = {}, args = [], rights = rightsOf("start") }: ServerOptions) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...rights, fileURLToPath(new URL("../../../main.ts", import.meta.url)), ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
      env: { ...inherited(), ...LOOPBACK_ALLOWED, DATA_DIR: dataDirectory, PORT: "0", ...env },
    }).spawn();
    this.#reading = Promise.all([
      this.#read(this.#child.stdout, (text) => this.stdout += text),
      this.#read(this.#child.stderr, (text) => this.stderr += text),
    ]);
    this.#ended = this.#child.status.then(async (status) => {
      await this.#reading;
      this.#hasEnded = true;
      this.#notice();
      return status;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /**
   * Resolves with the URL that the process prints when it is ready. Rejects with the process's output if the
   * process ends earlier.
   */
  async ready(): Promise<string> {
    await this.until(() => READY.test(this.stdout));
    return READY.exec(this.stdout)![1]!;
  }

  /** The administrator's token that the process has printed; null if the process has printed no token. */
  get token(): string | null {
    return TOKEN.exec(this.stdout)?.[1] ?? null;
  }

  /** Resolves once `condition` holds. The condition is checked whenever there is new output. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#hasEnded) throw new Error(`The server has ended:\n${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  ended(): Promise<Deno.CommandStatus> {
    return this.#ended;
  }

  /** Stops the process with a signal, as an operator does, and waits for its end. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<Deno.CommandStatus> {
    if (!this.#hasEnded) this.kill(signal);
    return await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #read(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      add(text);
      this.#notice();
    }
  }

  #notice(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const resolve of watchers) resolve();
  }
}

function inherited(): Record<string, string> {
  const names = ["PATH", "HOME", "LANG", "TMPDIR", "DENO_DIR", "NO_COLOR"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
