/** Splits UTF-8 text that arrives in chunks into lines. */
import type { Child } from "./children.ts";
import { readDoubleBuffered } from "./double_buffer.ts";

/**
 * Maximum length of a line in characters. All lines of an index are shorter, because a name has at most some
 * kilobytes.
 */
const MAX_LINE = 1024 * 1024;
/**
 * Maximum number of bytes that are decoded at once. V8 frees longer strings only in a full garbage
 * collection.
 */
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

  /** Emits the last line if it has no line end. */
  end(): void {
    if (this.#rest !== "") this.take(this.#rest);
    this.#rest = "";
  }
}

/**
 * Calls `take` with every line of a program's output. If `take` throws, ends the program and rejects with the
 * error.
 */
export async function eachLine(program: Child, take: (line: string) => void): Promise<void> {
  const reader = new LineReader(take);
  await readDoubleBuffered(program.stdout!, (chunk) => reader.push(chunk), () => program.stop());
  reader.end();
}

/**
 * Calls `take` with lines of a program's output until `take` returns false. Then closes the pipe. The program
 * ends because its pipe is closed. So there is no need to search for the program's descendants and stop them.
 */
export async function firstLines(program: Child, take: (line: string) => boolean): Promise<void> {
  let isEnough = false;
  const reader = new LineReader((line) => void (isEnough ||= !take(line)));
  for await (const chunk of program.stdout!) {
    reader.push(chunk);
    if (isEnough) return;
  }
  reader.end();
}
