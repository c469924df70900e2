/** The directory that one agent owns. It contains the agent's key, journal and work files. */
import { createHash } from "node:crypto";
import { join } from "node:path";

/** An error that prevents the agent's start. Its message is for the operator. */
export class StartError extends Error {
  override readonly name = "StartError";
}

export class StateDirectory implements Disposable {
  readonly #path: string;
  readonly #lock: Deno.FsFile;

  private constructor(path: string, lock: Deno.FsFile) {
    this.#path = path;
    this.#lock = lock;
  }

  /**
   * Opens and returns the state directory. Creates it if it is missing, and locks it until the process ends.
   * Throws a {@link StartError} if this fails.
   */
  static async open(path: string): Promise<StateDirectory> {
    let lock: Deno.FsFile;
    try {
      // Mode 0711, because a backup's programs might run as another user. This user must be able to enter the
      // directory, but must not be able to list it.
      await Deno.mkdir(path, { recursive: true, mode: 0o711 });
      await Deno.mkdir(join(path, "work"), { recursive: true, mode: 0o711 });
      await Deno.mkdir(join(path, "scripts"), { recursive: true, mode: 0o711 });
      await Deno.mkdir(join(path, "journal"), { recursive: true, mode: 0o700 });
      lock = await Deno.open(join(path, "agent.lock"), { create: true, write: true, mode: 0o600 });
    } catch (cause) {
      throw new StartError(`Cannot use the state directory ${path}: ${(cause as Error).message}`, { cause });
    }
    if (!(await lock.tryLock(true))) {
      lock.close();
      throw new StartError(`Cannot use the state directory ${path}: another agent is running on it`);
    }
    await Deno.writeTextFile(join(path, "agent.pid"), `${Deno.pid}\n`, { mode: 0o644 });
    return new StateDirectory(path, lock);
  }

  /**
   * Returns the agent's seat. It identifies this boot of the machine together with the directory's lock file.
   * Returns undefined if the system has no boot id.
   *
   * If a new agent has the same seat as an earlier agent, the new agent holds the lock that the earlier agent
   * held. So the earlier agent has ended. A copy of the directory or of the machine has another seat.
   */
  async seat(): Promise<string | undefined> {
    const boot = await Deno.readTextFile("/proc/sys/kernel/random/boot_id").catch(() => null);
    if (boot === null) return undefined;
    const { dev, ino } = await this.#lock.stat();
    return createHash("sha256").update(`${boot.trim()} ${dev} ${ino}`).digest("hex").slice(0, 32);
  }

  get journalPath(): string {
    return join(this.#path, "journal");
  }

  /** Path of the directory with the sorted listings of browsed backups. */
  get listingsPath(): string {
    return join(this.#path, "work", "listings");
  }

  /** Removes the work files that a killed agent left. */
  async clearWork(): Promise<void> {
    for await (const entry of Deno.readDir(join(this.#path, "work"))) {
      await Deno.remove(join(this.#path, "work", entry.name), { recursive: true });
    }
  }

  /**
   * Returns the path of the directory for the scripts of a run. This directory is kept when the agent
   * restarts.
   */
  scriptDirectory(runId: number, attempt: number): string {
    return join(this.#path, "scripts", `${runId}-${attempt}`);
  }

  async removeScripts(runId: number, attempt: number): Promise<void> {
    await Deno.remove(this.scriptDirectory(runId, attempt), { recursive: true }).catch(ignoreMissing);
  }

  /** Removes the directories of scripts, except for those in `kept`. */
  async clearScripts(kept: readonly string[]): Promise<void> {
    for await (const { name } of Deno.readDir(join(this.#path, "scripts"))) {
      const path = join(this.#path, "scripts", name);
      if (!kept.includes(path)) await Deno.remove(path, { recursive: true });
    }
  }

  workDirectory(runId: number, attempt: number): string {
    return join(this.#path, "work", `${runId}-${attempt}`);
  }

  /** Creates an empty directory with mode 0700 for one run. Returns its path. */
  async makeWorkDirectory(runId: number, attempt: number): Promise<string> {
    const path = this.workDirectory(runId, attempt);
    await Deno.remove(path, { recursive: true }).catch(ignoreMissing);
    await Deno.mkdir(path, { mode: 0o700 });
    return path;
  }

  /** Creates an empty directory with mode 0700 for one request. Returns its path. */
  async makeRequestDirectory(): Promise<string> {
    return await Deno.makeTempDir({ dir: join(this.#path, "work"), prefix: "request-" });
  }

  /** Returns the agent's key; null if the agent is not enrolled. */
  async readKey(): Promise<string | null> {
    const text = await Deno.readTextFile(this.#keyPath).catch(ignoreMissing);
    return text?.trim() || null;
  }

  /** Stores the agent's key atomically. Only the agent's user can read it. */
  async writeKey(key: string): Promise<void> {
    const temporary = `${this.#keyPath}.new`;
    await Deno.remove(temporary).catch(ignoreMissing);
    const file = await Deno.open(temporary, { createNew: true, write: true, mode: 0o600 });
    try {
      await file.write(new TextEncoder().encode(`${key}\n`));
      await file.syncData();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, this.#keyPath);
  }

  get #keyPath(): string {
    return join(this.#path, "key");
  }

  [Symbol.dispose](): void {
    try {
      Deno.removeSync(join(this.#path, "agent.pid"));
    } finally {
      this.#lock.close();
    }
  }
}

function ignoreMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
