/** UTF-8 text in lines, as it comes in pieces. */
import type { Child } from "./children.ts";
import { readDoubleBuffered } from "./double_buffer.ts";

/** Longer than any line of an index: names are at most some kilobytes. */
const MAX_LINE = 1024 * 1024;
/** Decoded at once. Longer texts are kept by V8 until it collects all of its memory. */
const PIECE_BYTES = 32 * 1024;

export class LineReader {
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(private readonly take: (line: string) => void) {}

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) this.#push(chunk.subarray(at, at + PIECE_BYTES));
  }

  #push(chunk: Uint8Array): void {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      this.take(text.slice(start, end));
      start = end + 1;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > MAX_LINE) throw new Error("Cannot read the lines of a text: one is too long");
  }

  /** The last line may lack its end. */
  end(): void {
    if (this.#rest !== "") this.take(this.#rest);
    this.#rest = "";
  }
}

/** Gives `take` every line of a program's output. Ends the program and rejects where `take` throws. */
export async function eachLine(program: Child, take: (line: string) => void): Promise<void> {
  const reader = new LineReader(take);
  await readDoubleBuffered(program.stdout!, (chunk) => reader.push(chunk), () => program.stop());
  reader.end();
}
