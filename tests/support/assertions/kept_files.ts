/**
 * Records all text in files below a directory. Polls as often as possible, because journals are removed when
 * a run ends.
 */
import { Buffer } from "node:buffer";

const PAUSE = 20;
/**
 * Maximum size of a file that is read, in bytes. Larger files are skipped, because they contain backups. The
 * text to record is in smaller files, which programs write for their own use.
 */
const LARGEST = 512 * 1024;

export class KeptFiles implements Disposable {
  readonly #texts = new Map<string, { version: string; texts: string[] }>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param leftOut Names of files and directories to skip. */
  constructor(private readonly directory: string, private readonly leftOut: readonly string[] = []) {
    this.#look(directory);
    this.#timer = setInterval(() => this.#look(directory), PAUSE);
  }

  /**
   * Returns the path of each file, and all contents that the file has had so far. Each byte of the contents
   * becomes one character.
   */
  seen(): string {
    this.#look(this.directory);
    return [...this.#texts].map(([path, { texts }]) => [path, ...texts].join("\n")).join("\n");
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(directory: string): void {
    try {
      for (const { name, isDirectory, isFile } of Deno.readDirSync(directory)) {
        const path = `${directory}/${name}`;
        if (this.leftOut.includes(name)) continue;
        if (isDirectory) this.#look(path);
        // Skip files of other types: reading a pipe would take bytes that the pipe's reader needs.
        else if (isFile) this.#read(path);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // the file was removed between the two reads
    }
  }

  #read(path: string): void {
    const { mtime, size } = Deno.statSync(path);
    const version = `${mtime?.getTime()} ${size}`;
    const known = this.#texts.get(path);
    if (known?.version === version || size > LARGEST) return;
    const text = Buffer.from(Deno.readFileSync(path)).toString("latin1");
    const before = known?.texts ?? [];
    const last = before.at(-1);
    const texts = last !== undefined && text.startsWith(last)
      ? [...before.slice(0, -1), text]
      : [...before, text];
    this.#texts.set(path, { version, texts });
  }
}
