/** Runs one script to its end. */
import { constants } from "node:os";
import type { Clock } from "../../../src/domain/clock.ts";
import { LineSplitter } from "../programs/line.ts";
import { switchUser, type SystemUser, userEnvironment } from "../programs/system_user.ts";
import { exists } from "../exists.ts";
import { endProcesses } from "./script_processes.ts";

/** Time to read the output of a script that has ended, while another process holds it open. Milliseconds. */
const DRAIN = 500;

/**
 * Starts a script: renames its file from `$1` to `$2`, runs its interpreter, and keeps its exit code for a
 * successor of this agent. The script's text is never an argument. A user that may not enter the directory
 * reads the script as descriptor 3. The output is one stream, in the order of its lines.
 */
const START = `exec 2>&1; umask 022; started=$2; mv -f -- "$1" "$2" 2>/dev/null || exit 125; ` +
  'sync "${2%/*}" 2>/dev/null; shift 2; exec 3<"$started"; "$@"; code=$?; ' +
  'echo "$code" >"$started.exit"; exit "$code"';
/** Exit codes above it are those of signals. */
const SIGNALLED = 128;

export interface ScriptStart {
  /** The script's file before its start, and from its start on. */
  readonly readyPath: string;
  readonly startedPath: string;
  readonly interpreter: readonly string[];
  readonly user: SystemUser | null;
  /** All that the script gets beside `PATH`, `HOME`, `USER`, `LOGNAME` and `LC_ALL`. */
  readonly variables: Readonly<Record<string, string>>;
  /** As in the variables. */
  readonly invocation: string;
  readonly timeoutMs: number;
  /** Ends the script when it aborts; null: only the time limit does. */
  readonly stop: AbortSignal | null;
}

/**
 * Runs a script. Resolves with its problem when it has ended: null if it succeeded. Rejects with an
 * `AlreadyStartedError` if another process has started it. Processes that it leaves behind go on, unless the
 * script is ended.
 *
 * @param onLine Called with each line of its output, made printable.
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
    // A session of its own: what the script starts can be found, and has no terminal.
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

/** A script was started by a process of an earlier agent. */
export class AlreadyStartedError extends Error {}

/** Resolves with the reason when a limit is reached. Never settles if `signal` aborts before. */
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

/** Returns the problem of a script that has ended; null if it has succeeded. */
function describeExit(code: number): string | null {
  if (code === 0) return null;
  const [signal] = Object.entries(constants.signals).find(([, number]) => code === SIGNALLED + number) ?? [];
  if (signal !== undefined) return `${signal} ended it`;
  if (code === 127) return "it ended with exit code 127: a program was not found";
  if (code === 126) return "it ended with exit code 126: a program can't be executed";
  return `it ended with exit code ${code}`;
}

/** Returns the problem of an ended script of an earlier agent, null if it succeeded; undefined if unknown. */
export async function findEnd(startedPath: string): Promise<string | null | undefined> {
  const kept = await Deno.readTextFile(`${startedPath}.exit`).catch(() => "");
  const [code] = /^\d+(?=\n)/.exec(kept) ?? [];
  return code === undefined ? undefined : describeExit(Number(code));
}

/** Reads a script's output, as long as the script runs. */
class ScriptOutput {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #splitter: LineSplitter;
  readonly #read: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
    this.#reader = stream.getReader();
    this.#splitter = new LineSplitter(onLine);
    this.#read = this.#follow();
  }

  /** Takes what is left. A process in the background may hold the output open: that is not waited for. */
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
      // The pipe broke: there is no more output.
    }
  }
}
