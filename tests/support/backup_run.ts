/** A backup run by the engine alone: no agent, no control plane, a real destination in a temporary directory. */
import { systemClock } from "../../src/domain/clock.ts";
import type { BackupJob, JobSource, StoredBackup } from "../../src/protocol/job.ts";
import { runBackup } from "../../agent/engine/backup.ts";
import { LocalDestination } from "../../agent/engine/destinations/local.ts";
import { type Destination, RunAbortedError, type RunPorts } from "../../agent/engine/ports.ts";

export class BackupRun implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly warnings: string[] = [];
  readonly figures: Parameters<RunPorts["progress"]>[0][] = [];
  readonly openings: { name: string; path: string | null }[] = [];
  readonly scratches: string[] = [];
  readonly abort = new AbortController();
  readonly ports: RunPorts;
  /** What stands in for a control plane's export. */
  static exported: () => AsyncIterable<Uint8Array> = () => {
    throw new Error("Cannot export: this run has no control plane");
  };
  /** Called with every line of output, as it comes. */
  onLine: (line: string) => void = () => {};

  private constructor(readonly root: string) {
    this.ports = {
      clock: systemClock,
      output: {
        line: (text) => this.#record(text),
        warning: (text) => {
          this.warnings.push(text);
          this.#record(`Warning: ${text}`);
        },
      },
      signal: this.abort.signal,
      workDirectory: `${root}/work`,
      progress: (figures) => void this.figures.push(figures),
      opening: (name, path) => Promise.resolve(void this.openings.push({ name, path })),
      scratch: (path) => Promise.resolve(void this.scratches.push(path)),
      uploads: { open: unused, sign: unused, complete: unused, abort: unused },
      downloads: { sign: unused },
      relay: { get: unused },
      exported: () => BackupRun.exported(),
    };
  }

  static async open(): Promise<BackupRun> {
    const root = await Deno.makeTempDir({ prefix: "rearguard-run-" });
    await Deno.mkdir(`${root}/work`, { mode: 0o700 });
    return new BackupRun(root);
  }

  /** Where the objects are. */
  get directory(): string {
    return `${this.root}/destination`;
  }

  job(source: JobSource, changes: Partial<BackupJob> = {}): BackupJob {
    return {
      kind: "backup",
      task: { id: 7, label: "Nightly" },
      source,
      destination: { type: "local", directory: this.directory },
      object: { prefix: "backup_7", stamp: "20260102030405" },
      run_as: null,
      encryption: { type: "none" },
      last: null,
      timeout_ms: null,
      accepts_incomplete: true,
      ...changes,
    };
  }

  async run(
    source: JobSource,
    changes: Partial<BackupJob> = {},
    destination?: Destination,
  ): Promise<StoredBackup> {
    const job = this.job(source, changes);
    if (job.destination.type !== "local" && destination === undefined) {
      throw new Error("Cannot run: give a destination");
    }
    const local = job.destination.type === "local" ? job.destination : null;
    const { backup } = await runBackup(
      job,
      destination ?? new LocalDestination(local!, this.abort.signal),
      this.ports,
    );
    return backup;
  }

  cancel(): void {
    this.abort.abort(new RunAbortedError("cancelled", "Cancelled by ada."));
  }

  /** Names in the destination, partial ones too. */
  stored(): string[] {
    try {
      return [...Deno.readDirSync(this.directory)].map(({ name }) => name).sort();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }

  #record(line: string): void {
    this.lines.push(line);
    this.onLine(line);
  }
}

/** Runs a shell script with arguments; fails with its stderr. Returns its stdout. */
export async function shell(script: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-euo", "pipefail", "-c", script, "bash", ...args],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot run the script: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

function unused(): Promise<never> {
  return Promise.reject(new Error("Cannot upload: this run has no control plane"));
}
