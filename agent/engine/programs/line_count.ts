/** Counts the lines of a file while another program writes it. */

const READ_BYTES = 256 * 1024;

export class LineCount {
  #lines = 0;
  #file: Deno.FsFile | null = null;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #updating: Promise<void> | null = null;

  /** @param uncounted Number of the file's lines that do not count. */
  constructor(private readonly path: string, private readonly uncounted = 0) {}

  get count(): number {
    return Math.max(this.#lines - this.uncounted, 0);
  }

  /** Counts the lines that were written since the last call. */
  update(): Promise<void> {
    return this.#updating ??= this.#read().finally(() => this.#updating = null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#updating?.catch(() => {});
    this.#file?.close();
    this.#file = null;
  }

  async #read(): Promise<void> {
    this.#file ??= await Deno.open(this.path);
    for (let length = await this.#file.read(this.#buffer); length !== null;) {
      const read = this.#buffer.subarray(0, length);
      for (let at = read.indexOf(10); at !== -1; at = read.indexOf(10, at + 1)) this.#lines++;
      length = await this.#file.read(this.#buffer);
    }
  }
}
