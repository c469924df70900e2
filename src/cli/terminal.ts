/** Writes lines to standard output and, on a terminal, a status line below them. */
const CLEAR_LINE = "\r\x1b[K";

/** Select Graphic Rendition, ECMA-48 8.3.117: the codes that begin and end each style. */
const COLOURS = { red: [31, 39], green: [32, 39], yellow: [33, 39], dim: [2, 22], bold: [1, 22] } as const;
export type Colour = keyof typeof COLOURS;

/**
 * The status line is written to standard error, and only if that is a terminal, so piped output is never
 * disturbed.
 */
export class Terminal {
  readonly #showsStatus = Deno.stderr.isTerminal();
  readonly #showsColour = Deno.stdout.isTerminal() && !Deno.noColor;
  #status = "";

  /** Prints text from any source, in whole lines with line breaks. Control characters are replaced. */
  print(text: string): void {
    this.#write(visible(text));
  }

  /** Prints the program's own text, with its colours. */
  write(text: string): void {
    this.#write(text);
  }

  /** Replaces the status line; an empty text removes it. */
  status(text: string): void {
    if (!this.#showsStatus || text === this.#status) return;
    this.#status = text;
    writeAll(Deno.stderr, `${CLEAR_LINE}${truncated(text)}`);
  }

  /** Prints one line on standard error and removes the status line. */
  printError(text: string): void {
    this.status("");
    writeAll(Deno.stderr, `${visible(text)}\n`);
  }

  paint(colour: Colour, text: string): string {
    const [begin, end] = COLOURS[colour];
    return this.#showsColour ? `\x1b[${begin}m${text}\x1b[${end}m` : text;
  }

  #write(text: string): void {
    if (this.#status === "") return writeAll(Deno.stdout, text);
    writeAll(Deno.stderr, CLEAR_LINE);
    writeAll(Deno.stdout, text);
    writeAll(Deno.stderr, truncated(this.#status));
  }
}

/** Replaces control characters, which a file's name may contain and a terminal would interpret. */
export function visible(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "\ufffd");
}

/** Shortens a line to the terminal's width: a wrapped line could not be cleared. */
function truncated(line: string): string {
  return line.slice(0, Deno.consoleSize().columns - 1);
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += stream.writeSync(bytes.subarray(sent));
}
