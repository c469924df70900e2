/** Records the command lines of all processes of this machine, polling as often as possible. */

const PAUSE = 5;
/** A process may change its command line once or twice at its start; after this many looks it is skipped. */
const LOOKS = 10;

export class CommandLines implements Disposable {
  readonly #looks = new Map<string, number>();
  readonly #seen = new Set<string>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor() {
    this.#look();
    this.#timer = setInterval(() => this.#look(), PAUSE);
  }

  /** Arguments are separated by spaces. */
  seen(): string[] {
    this.#looks.clear();
    this.#look();
    return [...this.#seen];
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const { name: pid } of Deno.readDirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const looks = this.#looks.get(pid) ?? 0;
      if (looks === LOOKS) continue;
      this.#looks.set(pid, looks + 1);
      try {
        this.#seen.add(Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
      } catch {
        // It has ended between the two reads.
      }
    }
  }
}
