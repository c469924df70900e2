/** Writes lines to standard output. On a terminal, shows a status line below them. */
const CLEAR_LINE = "\r\x1b[K";

/** The codes that begin and end each style (Select Graphic Rendition, ECMA-48 8.3.117). */
const COLOURS = { red: [31, 39], green: [32, 39], yellow: [33, 39], dim: [2, 22], bold: [1, 22] } as const;
export type Colour = keyof typeof COLOURS;

/**
 * Writes to standard output and standard error. The status line goes to standard error, and only if standard
 * error is a terminal. So the status line never disturbs piped output.
 */
export class Terminal {
  readonly #showsStatus = Deno.stderr.isTerminal();
  readonly #showsColour = Deno.stdout.isTerminal() && !Deno.noColor;
  #status = "";

  /**
   * Prints text from any source, in whole lines that end with a line break. Control characters are replaced.
   */
  print(text: string): void {
    this.#write(visible(text));
  }

  /**
   * Prints the program's own text. Unlike {@link print}, keeps control characters, such as those for colours.
   */
  write(text: string): void {
    this.#write(text);
  }

  /** Replaces the status line. An empty text removes the line. */
  status(text: string): void {
    if (!this.#showsStatus || text === this.#status) return;
    this.#status = text;
    writeAll(Deno.stderr, `${CLEAR_LINE}${truncated(text)}`);
  }

  /** Removes the status line, and prints a line on standard error. */
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

/** Replaces control characters. A file's name may contain them, and a terminal would interpret them. */
export function visible(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "\ufffd");
}

/** Shortens a line to the terminal's width, because a wrapped line could not be cleared. */
function truncated(line: string): string {
  return line.slice(0, Deno.consoleSize().columns - 1);
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += stream.writeSync(bytes.subarray(sent));
}
