/** A small disk that a test can fill to the last byte. Needs root. */
import { mountTmpfs } from "../support/fixtures/tmpfs.ts";

const FILLER = "filler";

export class SmallDisk implements AsyncDisposable {
  private constructor(readonly path: string, private readonly mounted: AsyncDisposable) {}

  static async open(path: string, bytes: number): Promise<SmallDisk> {
    return new SmallDisk(path, await mountTmpfs(path, bytes));
  }

  fill(): void {
    const file = Deno.openSync(`${this.path}/${FILLER}`, { create: true, append: true });
    try {
      for (let size = 1 << 20; size >= 1; size >>= 1) {
        const block = new Uint8Array(size);
        while (writes(file, block));
      }
    } finally {
      file.close();
    }
  }

  empty(): void {
    try {
      Deno.removeSync(`${this.path}/${FILLER}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.mounted[Symbol.asyncDispose]());
  }
}

/** Writes a block to the file. Returns false if a part of the block does not fit on the disk. */
function writes(file: Deno.FsFile, block: Uint8Array): boolean {
  try {
    return file.writeSync(block) === block.length;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOSPC" || /os error 28\b/.test(String(error))) return false;
    throw error;
  }
}
