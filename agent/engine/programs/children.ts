/**
 * Starts a run's programs. Ends each program together with its descendants, at the latest when the run ends.
 *
 * All programs stay in the agent's session. If the programs had sessions of their own, the kernel's
 * autogroups would schedule them like separate users. Programs joined by a pipe would then need up to a sixth
 * more processor time.
 */
import type { Clock } from "../../../src/domain/clock.ts";
import { failSpan, startChildSpan } from "../../../src/telemetry/tracing.ts";
import { basename } from "node:path";
import { readAhead } from "./read_ahead.ts";
import { LineSplitter } from "./line.ts";
import { noteProgram } from "./program_activity.ts";
import { processTree, type RunningProcess, signalAll } from "./process_tree.ts";
import { switchUser, type SystemUser, userEnvironment } from "./system_user.ts";

/**
 * A program and its arguments. No shell interprets the arguments. A program with redirects ends when the
 * agent is killed.
 */
export interface Command {
  program: string;
  args: string[];
  /**
   * Environment variables in addition to `PATH`, `HOME`, `USER`, `LOGNAME` and `LC_ALL`. The program inherits
   * no other variables.
   */
  env?: Record<string, string>;
  /** The program runs as this user, with the user's permissions and groups. Null for the agent's own user. */
  user?: SystemUser | null;
  /**
   * Files that the program gets as open descriptors. They are opened with the agent's permissions before
   * switching to `user`, so that this user needs no permissions on the path.
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
  /** Called with every line of the program's stderr. */
  onMessage(line: string): void;
}

export interface Exit {
  code: number;
  signal: string | null;
}

/** Time between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 2000;

/**
 * A group of programs, such as those of one run. When `signal` aborts, all of them are ended and no more can
 * be started.
 */
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

  /** Ends every program and its descendants. Resolves when all have ended. */
  terminate(): Promise<void> {
    return this.#terminating ??= this.#terminate();
  }

  /**
   * Starts {@link terminate} without waiting. Never throws, because the callers of `terminate` get its error.
   */
  readonly stop = (): void => void this.terminate().catch(() => {});

  /**
   * Returns a group for the programs of one part of the run. The group can be ended while the run's other
   * programs continue. It ends with the run at the latest. The caller must dispose of it.
   */
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
   * Resolves when the program has ended and its stderr was read. If `onMessage` throws, the program is ended
   * and this promise rejects with the error.
   */
  readonly exited: Promise<Exit>;
  /** The program's stdout; null if it is not piped. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  readonly #process: Deno.ChildProcess;

  constructor(command: Command, options: SpawnOptions, private readonly clock: Clock) {
    const { program, args } = launch(command);
    this.program = command.program;
    this.#process = new Deno.Command(program, {
      args,
      // Start the program in a directory that every user can enter. The program's user might have no access
      // to the agent's working directory.
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

  /**
   * Writes the program's whole input. Also resolves if the program stops reading: the program's exit then
   * shows the reason.
   */
  async feed(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const writer = this.#process.stdin.getWriter();
    try {
      for await (const chunk of readAhead(chunks)) await writer.write(chunk);
      await writer.close();
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return;
      // Close the input, because the program would wait for more.
      await writer.abort(error).catch(() => {});
      throw error;
    }
  }

  /** Starts {@link terminate} without waiting. Never throws. */
  stop(): void {
    this.terminate().catch(() => this.#kill());
  }

  /**
   * Sends SIGTERM to the program and its descendants, and SIGKILL after `GRACE_MS`. Resolves when the program
   * has ended.
   */
  async terminate(): Promise<void> {
    const tree = this.#tree();
    signalAll(tree, "SIGTERM");
    const ended = new AbortController();
    const killing = this.#killAfterGrace(ended.signal);
    // Ignore an error of `exited`: other code that awaits `exited` gets the error.
    await this.exited.catch(() => {});
    ended.abort();
    await killing;
    // Kill descendants that have survived the program.
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
      // Reading /proc fails if the agent has no free file descriptor. Kill at least the program itself.
      this.#kill();
      return [];
    }
  }

  #kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // A TypeError means that the program has ended already.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  async #follow(onMessage: (line: string) => void): Promise<Exit> {
    // Leave the arguments out of the span, because they name what is backed up.
    const span = startChildSpan(basename(this.program), { "process.pid": this.pid });
    const splitter = new LineSplitter(onMessage);
    const [{ code, signal }] = await Promise.all([this.#process.status, this.#readMessages(splitter)]);
    span?.setAttribute("process.exit.code", code);
    if (span !== null && code !== 0) {
      failSpan(span, signal === null ? `It ended with ${code}` : `${signal} ended it`);
    }
    span?.end();
    return { code, signal };
  }

  /**
   * Reads stderr to its end, because a program blocks on a full pipe. Goes on reading if the handler of a
   * line throws, and then throws the handler's first error.
   */
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
 * Returns a command line that runs the program. If necessary, the command line first switches the user and
 * opens the redirects.
 *
 * If there are redirects, one process runs three programs, one after another, each by exec: setpriv, a shell
 * that opens the files, and the program.
 * - setpriv sets a parent-death signal, which ends the process when the agent ends. The signal is set before
 *   the shell starts, because the shell blocks until the other side of a FIFO is opened.
 * - Switching the user clears the signal, so a second setpriv sets it again.
 * - If the agent is killed before setpriv sets the signal, the shell finds that its parent is not the agent,
 *   and exits.
 *
 * Paths and arguments are the shell's parameters, never part of its code. The shell ignores SIGINT, because
 * the agent handles a terminal's Ctrl-C.
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
