/** Prints messages for the person who starts the server. The log's level and format do not affect them. */

export function print(line: string): void {
  write(Deno.stdout, line);
}

export function printError(line: string): void {
  write(Deno.stderr, line);
}

function write(stream: { writeSync(bytes: Uint8Array): number }, line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  try {
    for (let sent = 0; sent < bytes.length;) sent += stream.writeSync(bytes.subarray(sent));
  } catch (cause) {
    if (!(cause instanceof Deno.errors.BrokenPipe)) throw cause; // nobody reads the stream any more
  }
}
