/** Makes programs' output safe for a log. One line stays one line, whatever bytes a file name contains. */

/** Maximum length of a line in bytes. A longer line is cut off, and the end is marked. */
const MAX_LINE_BYTES = 8192;

/** Splits a stream of bytes into lines without line ends. Buffers at most `MAX_LINE_BYTES`. */
export class LineSplitter {
  readonly #line = new Uint8Array(MAX_LINE_BYTES);
  #length = 0;
  #cut = false;

  constructor(private readonly onLine: (line: string) => void) {}

  push(chunk: Uint8Array): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      this.#append(chunk.subarray(start, end));
      this.#emit();
      start = end + 1;
    }
    this.#append(chunk.subarray(start));
  }

  /** Emits the last line if it has no line end. */
  end(): void {
    if (this.#length > 0) this.#emit();
  }

  #append(bytes: Uint8Array): void {
    const room = MAX_LINE_BYTES - this.#length;
    if (bytes.length > room) this.#cut = true;
    this.#line.set(bytes.subarray(0, room), this.#length);
    this.#length += Math.min(bytes.length, room);
  }

  #emit(): void {
    const text = printable(this.#line.subarray(0, this.#length));
    this.onLine(this.#cut ? `${text} … (cut)` : text);
    this.#length = 0;
    this.#cut = false;
  }
}

/** Returns the bytes decoded as UTF-8. Invalid bytes and unsafe characters become `\xNN` or `\u{N}`. */
export function printable(bytes: Uint8Array): string {
  return escapeControls(decode(bytes));
}

/** Returns an untrusted message as one line, with unsafe characters escaped. */
export function oneLine(text: string): string {
  return escapeControls(text.trim().replaceAll(/\s*\n\s*/g, " "));
}

// Matches unsafe characters: bidirectional control characters, line and paragraph separators, and all control
// characters but the tab.
// deno-lint-ignore no-control-regex
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === "\n") return "\\n";
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

function decode(bytes: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return decoder.decode(bytes);
  } catch {
    let text = "";
    for (let at = 0; at < bytes.length;) {
      const length = sequenceLength(bytes[at]!);
      try {
        text += decoder.decode(bytes.subarray(at, at + length));
        at += length;
      } catch {
        text += `\\x${bytes[at]!.toString(16).padStart(2, "0")}`;
        at++;
      }
    }
    return text;
  }
}

function sequenceLength(lead: number): number {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}
