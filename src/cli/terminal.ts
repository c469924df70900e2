/** What a person sees: lines on standard output, and below them, on a terminal, one that changes in place. */
const CLEAR_LINE = "\r\x1b[K";

/** Select Graphic Rendition, ECMA-48 8.3.117: what begins each and what ends it. */
const COLOURS = { red: [31, 39], green: [32, 39], yellow: [33, 39], dim: [2, 22], bold: [1, 22] } as const;
export type Colour = keyof typeof COLOURS;

/**
 * The changing line is on standard error, and only where that is a terminal: what is piped on is never
 * disturbed.
 */
export class Terminal {
  readonly #showsStatus = Deno.stderr.isTerminal();
  readonly #showsColour = Deno.stdout.isTerminal() && !Deno.noColor;
  #status = "";

  /** Text of anybody's, in whole lines each with its line break. */
  print(text: string): void {
    this.#write(visible(text));
  }

  /** Text of our own, colours and all. */
  write(text: string): void {
    this.#write(text);
  }

  /** Replaces the changing line; empty removes it. */
  status(text: string): void {
    if (!this.#showsStatus || text === this.#status) return;
    this.#status = text;
    writeAll(Deno.stderr, `${CLEAR_LINE}${fitting(text)}`);
  }

  /** One line on standard error; the changing line is gone after it. */
  complain(text: string): void {
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
    writeAll(Deno.stderr, fitting(this.#status));
  }
}

/** A file's name may hold what a terminal acts on. */
export function visible(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "\ufffd");
}

/** A line that wraps could not be cleared. */
function fitting(line: string): string {
  return line.slice(0, Deno.consoleSize().columns - 1);
}

function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += stream.writeSync(bytes.subarray(sent));
}
