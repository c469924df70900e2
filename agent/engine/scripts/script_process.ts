/** Runs one script to its end. */
import { constants } from "node:os";
import type { Clock } from "../../../src/domain/clock.ts";
import { LineSplitter } from "../programs/line.ts";
import { switchUser, type SystemUser, userEnvironment } from "../programs/system_user.ts";
import { exists } from "../exists.ts";
import { endProcesses } from "./script_processes.ts";

/**
 * Maximum time to read the output after a script has ended, in milliseconds. Without this limit, reading
 * might not end, because another process might keep the output open.
 */
const DRAIN = 500;

/**
 * Shell text that starts a script. It renames the script's file from `$1` to `$2` and runs the interpreter.
 * When the interpreter has ended, the shell writes the exit code to a file that the next agent process can
 * read.
 *
 * The script's text is never an argument: the interpreter reads the script's file. The script's user might
 * not be allowed to enter the directory of that file. So the file is also open as descriptor 3. Output and
 * error output become one stream, so that lines stay in order.
 */
const START = `exec 2>&1; umask 022; started=$2; mv -f -- "$1" "$2" 2>/dev/null || exit 125; ` +
  'sync "${2%/*}" 2>/dev/null; shift 2; exec 3<"$started"; "$@"; code=$?; ' +
  'echo "$code" >"$started.exit"; exit "$code"';
/** Exit codes above this number mean that a signal ended the script. */
const SIGNALLED = 128;

export interface ScriptStart {
  /** Path of the script's file before the start. `startedPath` is the path after the start. */
  readonly readyPath: string;
  readonly startedPath: string;
  readonly interpreter: readonly string[];
  readonly user: SystemUser | null;
  /** Environment variables of the script, in addition to `PATH`, `HOME`, `USER`, `LOGNAME` and `LC_ALL`. */
  readonly variables: Readonly<Record<string, string>>;
  /** Value of the environment variable {@link INVOCATION}. `variables` contains this variable too. */
  readonly invocation: string;
  readonly timeoutMs: number;
  /** Aborting this signal ends the script. If the signal is null, only the time limit ends the script. */
  readonly stop: AbortSignal | null;
}

/**
 * Runs a script. Once the script has ended, resolves with the reason of its failure; null if it succeeded. If
 * the script ends by itself, its background processes keep running. If the script is stopped or reaches its
 * time limit, they are ended too. Rejects with an `AlreadyStartedError` if another process has started the
 * script.
 *
 * @param onLine Called with each line of the output, in which control characters are escaped.
 */
export async function runScript(
  start: ScriptStart,
  clock: Clock,
  onLine: (line: string) => void,
): Promise<string | null> {
  const { readyPath, startedPath, user, invocation } = start;
  const command = user === null
    ? [...start.interpreter, startedPath]
    : ["setpriv", ...switchUser(user), "--", ...start.interpreter, "/dev/fd/3"];
  const script = new Deno.Command("sh", {
    args: ["-c", START, "sh", readyPath, startedPath, ...command],
    cwd: "/",
    clearEnv: true,
    env: { ...userEnvironment(user), ...start.variables },
    stdin: "null",
    stdout: "piped",
    stderr: "null",
    // Give the script a session of its own. The script then has no terminal, and the session shows which
    // processes belong to the script.
    detached: true,
  }).spawn();
  const output = new ScriptOutput(script.stdout, onLine);
  const over = new AbortController();
  let ending: Promise<string> | null = null;
  const limit = limitOf(start, clock, over.signal).then((why) => ending = end(why));
  const end = async (why: string) => {
    const areEnded = await endProcesses({ leader: script.pid, invocation }, clock);
    return areEnded ? why : `${why}; a process of it can't be killed`;
  };
  const ended = await Promise.race([limit, script.status.then(({ code }) => describeExit(code))]);
  const problem = ending === null ? ended : await ending;
  over.abort();
  await output.close(clock);
  if (problem === null || await exists(startedPath)) return problem;
  if (!await exists(readyPath)) throw new AlreadyStartedError();
  return `it could not be started: ${readyPath} can't be renamed`;
}

/** Error if a process of an earlier agent has already started the script. */
export class AlreadyStartedError extends Error {}

/**
 * Resolves once the script reaches its time limit or is to be stopped. The value says which of the two
 * happened. If `signal` aborts earlier, the promise stays pending.
 */
async function limitOf(
  { stop, timeoutMs }: Pick<ScriptStart, "stop" | "timeoutMs">,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  const limit = AbortSignal.any(stop === null ? [signal] : [signal, stop]);
  await clock.sleep(timeoutMs, limit).catch(() => {});
  if (signal.aborted) return await new Promise<never>(() => {});
  return stop?.aborted === true
    ? "it was ended because the run was stopped"
    : `it did not end within ${timeoutMs / 1000} s and was ended`;
}

/** Returns why a script failed, by its exit code; null if it succeeded. */
function describeExit(code: number): string | null {
  if (code === 0) return null;
  const [signal] = Object.entries(constants.signals).find(([, number]) => code === SIGNALLED + number) ?? [];
  if (signal !== undefined) return `${signal} ended it`;
  if (code === 127) return "it ended with exit code 127: a program was not found";
  if (code === 126) return "it ended with exit code 126: a program can't be executed";
  return `it ended with exit code ${code}`;
}

/**
 * Returns the result of a script that an earlier agent process started: why the script failed, or null if it
 * succeeded. Returns undefined if no result was kept.
 */
export async function findEnd(startedPath: string): Promise<string | null | undefined> {
  const kept = await Deno.readTextFile(`${startedPath}.exit`).catch(() => "");
  const [code] = /^\d+(?=\n)/.exec(kept) ?? [];
  return code === undefined ? undefined : describeExit(Number(code));
}

/** Reads a script's output while the script runs. */
class ScriptOutput {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #splitter: LineSplitter;
  readonly #read: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
    this.#reader = stream.getReader();
    this.#splitter = new LineSplitter(onLine);
    this.#read = this.#follow();
  }

  /**
   * Reads the rest of the output. If a process in the background keeps the output open, waits for at most
   * {@link DRAIN} milliseconds.
   */
  async close(clock: Clock): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#read, clock.sleep(DRAIN, over.signal).catch(() => {})]);
    over.abort();
    await this.#reader.cancel().catch(() => {});
    await this.#read;
    this.#splitter.end();
  }

  async #follow(): Promise<void> {
    try {
      for (let next = await this.#reader.read(); !next.done; next = await this.#reader.read()) {
        this.#splitter.push(next.value);
      }
    } catch {
      // The pipe is broken, so there is no more output.
    }
  }
}
