/**
 * The programs a run starts; each is ended with whatever it started, and none outlives the run. They stay in
 * the agent's session: with one each, the kernel's autogroups share the processor among them as if they were
 * users, and programs that feed each other through a pipe take up to a sixth more of it.
 */
import type { Clock } from "../../../src/domain/clock.ts";
import { failSpan, startInnerSpan } from "../../../src/telemetry/tracing.ts";
import { basename } from "node:path";
import { readAhead } from "./read_ahead.ts";
import { LineSplitter } from "./line.ts";
import { noteProgram } from "./program_activity.ts";
import { processTree, type RunningProcess, signalAll } from "./process_tree.ts";
import { switchUser, type SystemUser, userEnvironment } from "./system_user.ts";

/**
 * A program, without a shell's reading of its arguments. One with redirects does not outlive an agent that is
 * killed.
 */
export interface Command {
  program: string;
  args: string[];
  /** Beside `PATH`, `HOME`, `USER`, `LOGNAME` and `LC_ALL`: nothing else is inherited. */
  env?: Record<string, string>;
  /** Runs the program with this user's rights and groups; null: the agent's own. */
  user?: SystemUser | null;
  /**
   * Opened with the agent's rights before `user` takes over: the user needs none on the path's directories.
   */
  redirects?: Redirect[];
}

export interface Redirect {
  descriptor: number;
  direction: "<" | ">";
  path: string;
}

export interface SpawnOptions {
  stdin?: "null" | "piped";
  stdout: "null" | "piped";
  /** Gets every line of stderr. */
  onMessage(line: string): void;
}

export interface Exit {
  code: number;
  signal: string | null;
}

/** SIGKILL follows SIGTERM after this long. */
const GRACE_MS = 2000;

/** The programs of one run. Aborting `signal` ends them all; after that none starts. */
export class Children {
  readonly #running = new Set<Child | Children>();
  readonly #onAbort = () => this.stop();
  #terminating: Promise<void> | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
    private readonly onEnd: () => void = () => {},
  ) {
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  spawn(command: Command, options: SpawnOptions): Child {
    this.#checkOpen(command.program);
    const child = new Child(command, options, this.clock);
    this.#running.add(child);
    const forget = noteProgram(this.signal, command.program, child.pid);
    child.exited.finally(() => {
      forget();
      this.#running.delete(child);
    }).catch(() => {});
    return child;
  }

  /** Ends every program and its descendants. Resolves when none is left. */
  terminate(): Promise<void> {
    return this.#terminating ??= this.#terminate();
  }

  /** Begins what {@link terminate} waits for. Never throws: whoever waits gets the error. */
  readonly stop = (): void => void this.terminate().catch(() => {});

  /** Programs of a part of the run, which can be ended without the rest, and end with it. Dispose of them. */
  nest(): Children {
    this.#checkOpen("more programs");
    const part: Children = new Children(this.clock, this.signal, () => this.#running.delete(part));
    this.#running.add(part);
    return part;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal.removeEventListener("abort", this.#onAbort);
    await this.terminate();
    this.onEnd();
  }

  #checkOpen(what: string): void {
    this.signal.throwIfAborted();
    if (this.#terminating !== null) throw new Error(`Cannot start ${what}: the run is ending`);
  }

  async #terminate(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.terminate()));
  }
}

export class Child {
  readonly program: string;
  readonly pid: number;
  /**
   * Settles when the program has ended and its stderr is read. Rejects with what `onMessage` threw, which
   * ends the program.
   */
  readonly exited: Promise<Exit>;
  /** Null unless piped. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly #process: Deno.ChildProcess;

  constructor(command: Command, options: SpawnOptions, private readonly clock: Clock) {
    const { program, args } = launch(command);
    this.program = command.program;
    this.#process = new Deno.Command(program, {
      args,
      // A directory that every user may enter; programs look at their own otherwise.
      cwd: "/",
      clearEnv: true,
      env: { ...userEnvironment(command.user ?? null), ...command.env },
      stdin: options.stdin ?? "null",
      stdout: options.stdout,
      stderr: "piped",
    }).spawn();
    this.pid = this.#process.pid;
    this.stdout = options.stdout === "piped" ? this.#process.stdout : null;
    this.exited = this.#follow(options.onMessage);
  }

  /** Writes all of the program's input. A program that stops reading tells why by its exit, not here. */
  async feed(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const writer = this.#process.stdin.getWriter();
    try {
      for await (const chunk of readAhead(chunks)) await writer.write(chunk);
      await writer.close();
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      // Else the program would wait for more.
      await writer.abort(error).catch(() => {});
      throw error;
    }
  }

  /** Begins what {@link terminate} waits for. Never throws. */
  stop(): void {
    this.terminate().catch(() => this.#kill());
  }

  /** SIGTERM to the program and what it started, SIGKILL after a moment. Resolves when it has ended. */
  async terminate(): Promise<void> {
    const tree = this.#tree();
    signalAll(tree, "SIGTERM");
    const ended = new AbortController();
    const killing = this.#killAfterGrace(ended.signal);
    // Whoever waits for the program gets its error.
    await this.exited.catch(() => {});
    ended.abort();
    await killing;
    // What it had started and left behind.
    signalAll(tree, "SIGKILL");
    if (this.stdout !== null && !this.stdout.locked) await this.stdout.cancel();
  }

  async #killAfterGrace(ended: AbortSignal): Promise<void> {
    await this.clock.sleep(GRACE_MS, ended).catch(() => {});
    if (!ended.aborted) signalAll(this.#tree(), "SIGKILL");
  }

  #tree(): RunningProcess[] {
    try {
      return processTree(this.pid);
    } catch {
      // Without a free file descriptor nobody can read /proc. The program itself can still be ended.
      this.#kill();
      return [];
    }
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #follow(onMessage: (line: string) => void): Promise<Exit> {
    // Its arguments are nobody's business: they name what is backed up.
    const span = startInnerSpan(basename(this.program), { "process.pid": this.pid });
    const splitter = new LineSplitter(onMessage);
    const [{ code, signal }] = await Promise.all([this.#process.status, this.#readMessages(splitter)]);
    span?.setAttribute("process.exit.code", code);
    if (span !== null && code !== 0) {
      failSpan(span, signal === null ? `It ended with ${code}` : `${signal} ended it`);
    }
    span?.end();
    return { code, signal };
  }

  /** Reads stderr to its end, whatever becomes of the lines: a program blocks on a full pipe. */
  async #readMessages(splitter: LineSplitter): Promise<void> {
    const failures: unknown[] = [];
    const attempt = (work: () => void) => {
      try {
        work();
      } catch (error) {
        if (failures.push(error) === 1) this.stop();
      }
    };
    for await (const chunk of this.#process.stderr) {
      if (failures.length === 0) attempt(() => splitter.push(chunk));
    }
    attempt(() => splitter.end());
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * setpriv gives way to a shell, which opens the files and gives way to the program: one process all along,
 * which ends with the agent. The shell waits until a FIFO's other side is opened, so it is under setpriv too;
 * one whose agent was killed before that has another parent. A change of user takes the signal away, and a
 * second setpriv brings it back. Paths and arguments are the shell's parameters, never its code. A terminal's
 * Ctrl-C is the agent's to act upon.
 */
function launch(command: Command): { program: string; args: string[] } {
  const { user, redirects = [] } = command;
  const own = [command.program, ...command.args];
  if (redirects.length === 0) {
    if (!user) return command;
    return { program: "setpriv", args: [...switchUser(user), "--", ...own] };
  }
  const dying = ["setpriv", "--pdeathsig=KILL"];
  const inner = user ? [...dying, ...switchUser(user), "--", ...own] : own;
  const take = redirects.map((_, index) => `path${index}=$${index + 2}`);
  const open = redirects.map(({ descriptor, direction }, index) =>
    `${descriptor}${direction}"$path${index}"`
  );
  const script =
    `[ "$PPID" = "$1" ] || exit 1; trap '' INT; ${take.join("; ")}; shift ${redirects.length + 1}; ` +
    `exec "$@" ${open.join(" ")}`;
  const paths = redirects.map(({ path }) => path);
  const [program, ...options] = dying;
  return {
    program: program!,
    args: [...options, "--", "sh", "-c", script, "sh", String(Deno.pid), ...paths, ...inner],
  };
}
