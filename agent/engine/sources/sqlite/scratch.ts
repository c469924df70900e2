/** Restores SQLite databases into a scratch directory, for drills. */
import { dirname } from "node:path";
import { BackupDamagedError } from "../../ports.ts";
import { removeTree } from "../../remove_tree.ts";
import type { ProgramContext } from "../../run_context.ts";
import type { DatabaseToRestore, Loader } from "../database/database_host.ts";
import type { DatabaseContents } from "../database/row_counts.ts";
import type { ScratchHost } from "../database/scratch.ts";
import { brokenForeignKeys, faultsOf, readContents } from "./contents.ts";
import { scratchDirectory, scratchRoot } from "./names.ts";
import { requireSqlite, run } from "./program.ts";

export class SqliteScratch implements ScratchHost {
  readonly #directory = scratchDirectory();

  constructor(private readonly programs: ProgramContext) {}

  isSystemDatabase(): boolean {
    return false;
  }

  scratchName(): string {
    return `${this.#directory}/copy`;
  }

  async prepare(): Promise<void> {
    await requireSqlite(this.programs.children);
    await this.programs.ports.scratch(this.#directory);
  }

  async sizeOf(name: string): Promise<number | null> {
    return await Deno.stat(name).then(({ size }) => size, () => null);
  }

  dataDirectory(): string {
    return scratchRoot();
  }

  async create({ name }: DatabaseToRestore): Promise<Loader> {
    await run(this.programs, "mkdir", ["-m", "0700", "--", dirname(name)]);
    return { command: writeCommand(name, this.programs), rewrite: null };
  }

  async contents({ name, original }: DatabaseToRestore): Promise<DatabaseContents> {
    const { output } = this.programs.ports;
    const { faults, notes } = await faultsOf(this.programs, name, "integrity_check");
    if (faults.length > 0) {
      const damage = `database ${original} is damaged: ${faults.join("; ")}`;
      throw new BackupDamagedError(damage, damage);
    }
    output.line(`SQLite finds no damage in ${original} (integrity_check)`);
    for (const note of notes) output.line(`In ${original}: ${note}`);
    const broken = await brokenForeignKeys(this.programs, name);
    output.line(
      broken === null ? `No row of ${original} violates a foreign key` : `In ${original}: ${broken}`,
    );
    return await readContents(this.programs, name);
  }

  async discard({ ports }: ProgramContext): Promise<boolean> {
    return await removeTree(this.#directory, ports.clock).then(() => true, (error) => {
      ports.output.warning(`${this.#directory} could not be removed: ${(error as Error).message}`);
      return false;
    });
  }
}

/** Returns a command that writes its stdin to a file, and flushes the file to disk. */
export function writeCommand(path: string, { user }: Pick<ProgramContext, "user">) {
  return { program: "dd", args: [`of=${path}`, "bs=1M", "conv=fsync", "status=none"], user };
}
