/** Records the command lines of all processes of this machine, polling as often as possible. */

const PAUSE = 5;
/**
 * Number of checks of each process. More than one check is necessary, because a process might change its
 * command line once or twice at its start.
 */
const LOOKS = 10;

export class CommandLines implements Disposable {
  /** The ids of the processes to check again, with the number of checks so far. */
  readonly #looks = new Map<number, number>();
  readonly #seen = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval>;
  #newest = newestProcess();

  constructor() {
    this.#lookAtAll();
    this.#timer = setInterval(() => this.#look(), PAUSE);
  }

  /** Returns every command line seen so far, with spaces between the arguments. */
  seen(): string[] {
    this.#lookAtAll();
    return [...this.#seen];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Checks only new processes. Listing all processes each time would take a third of a processor's time. */
  #look(): void {
    const newest = newestProcess();
    if (newest < this.#newest) this.#lookAtAll(); // the process ids have wrapped around
    else for (let pid = this.#newest + 1; pid <= newest; pid++) this.#looks.set(pid, 0);
    this.#newest = newest;
    for (const [pid, looks] of this.#looks) {
      this.#lookAt(pid);
      if (looks + 1 === LOOKS) this.#looks.delete(pid);
      else this.#looks.set(pid, looks + 1);
    }
  }

  #lookAtAll(): void {
    for (const { name } of Deno.readDirSync("/proc")) {
      const pid = Number(name);
      if (!Number.isInteger(pid)) continue;
      this.#lookAt(pid);
      this.#looks.set(pid, 1);
    }
  }

  #lookAt(pid: number): void {
    try {
      this.#seen.add(Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
    } catch {
      // The process has not begun yet, or has ended.
    }
  }
}

/** Returns the id of the newest process or thread, from /proc/loadavg (proc(5)). */
function newestProcess(): number {
  return Number(Deno.readTextFileSync("/proc/loadavg").trim().split(" ").at(-1));
}
