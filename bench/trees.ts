/**
 * Writes trees of files for benchmarks. The same arguments give the same bytes on every machine. One third of
 * the content is text, one third is structured records, and one third is incompressible noise.
 *
 *     deno run --allow-write bench/trees.ts small|mixed DIRECTORY
 */

export interface TreeSummary {
  files: number;
  bytes: number;
}

/** Writes many small files, as in a home directory or a web root: 5.5 kB on average, 200 in a directory. */
export function writeSmallFiles(
  directory: string,
  options: { files: number } = { files: 200_000 },
): TreeSummary {
  const random = new Random(1);
  const content = new Content();
  let bytes = 0;
  for (let index = 0; index < options.files; index++) {
    const folder = `${directory}/${pad(Math.floor(index / 4000))}/${pad(Math.floor(index / 200) % 20)}`;
    if (index % 200 === 0) Deno.mkdirSync(folder, { recursive: true });
    // The sizes range from 64 B to 64 kB, and most are small.
    const size = 64 + Math.floor(64_000 * random.next() ** 10);
    Deno.writeFileSync(
      `${folder}/file-${index}.${content.extension(index)}`,
      content.slice(index, size, random),
    );
    bytes += size;
  }
  return { files: options.files, bytes };
}

/** Writes files of 64 kB to 256 MB each, until their total is at least `bytes`. */
export function writeMixedFiles(directory: string, options: { bytes: number } = { bytes: 4e9 }): TreeSummary {
  const random = new Random(2);
  const content = new Content();
  let bytes = 0;
  let files = 0;
  while (bytes < options.bytes) {
    const folder = `${directory}/${pad(files % 37)}`;
    Deno.mkdirSync(folder, { recursive: true });
    const size = Math.min(
      Math.max(options.bytes - bytes, 65_536),
      Math.floor(65_536 * 4096 ** random.next()),
    );
    using file = Deno.createSync(`${folder}/file-${files}.${content.extension(files)}`);
    for (let written = 0; written < size;) {
      const chunk = content.slice(files, Math.min(size - written, 1_000_000), random);
      for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
      written += chunk.length;
    }
    bytes += size;
    files++;
  }
  return { files, bytes };
}

const POOL_BYTES = 8_000_000;
const EXTENSIONS = ["txt", "json", "bin"];

/**
 * Three pools of bytes: text, records and noise. A file consists of slices of one pool, at offsets that the
 * caller's generator chooses.
 */
class Content {
  readonly #pools = [textPool(new Random(3)), recordPool(new Random(4)), noisePool(new Random(5))];

  extension(index: number): string {
    return EXTENSIONS[index % EXTENSIONS.length]!;
  }

  slice(index: number, size: number, random: Random): Uint8Array {
    const pool = this.#pools[index % this.#pools.length]!;
    const start = random.below(POOL_BYTES - size);
    const slice = pool.subarray(start, start + size);
    if (index % EXTENSIONS.length !== 2) return slice;
    // Slices of one pool overlap, so a compressor would find repetitions among them. Noise must stay
    // incompressible, so each slice of noise is changed.
    const fresh = new Uint8Array(slice);
    const mask = random.word();
    const words = new Uint32Array(fresh.buffer, 0, fresh.length >> 2);
    for (let at = 0; at < words.length; at++) {
      words[at] = Math.imul(words[at]! ^ mask, 0x9e3779b1 + (at << 1));
    }
    return fresh;
  }
}

function textPool(random: Random): Uint8Array<ArrayBuffer> {
  const words = Array.from({ length: 6000 }, () => word(random));
  return fill(() => {
    const length = 6 + random.below(14);
    const sentence = Array.from({ length }, () => words[Math.floor(words.length * random.next() ** 3)]);
    return `${sentence.join(" ")}.\n`;
  });
}

function recordPool(random: Random): Uint8Array<ArrayBuffer> {
  let id = 0;
  return fill(() =>
    JSON.stringify({
      id: ++id,
      at: 1_700_000_000 + random.below(50_000_000),
      host: `10.${random.below(4)}.${random.below(256)}.${random.below(256)}`,
      path: `/${word(random)}/${word(random)}`,
      status: [200, 200, 200, 304, 404, 500][random.below(6)],
      token: random.word().toString(16) + random.word().toString(16),
    }) + "\n"
  );
}

function noisePool(random: Random): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(POOL_BYTES / 4);
  for (let at = 0; at < words.length; at++) words[at] = random.word();
  return new Uint8Array(words.buffer);
}

function fill(line: () => string): Uint8Array<ArrayBuffer> {
  const pool = new Uint8Array(POOL_BYTES);
  const encoder = new TextEncoder();
  for (let at = 0; at < pool.length;) {
    at += encoder.encodeInto(line(), pool.subarray(at)).written || pool.length;
  }
  return pool;
}

function word(random: Random): string {
  const length = 2 + random.below(9);
  return Array.from({ length }, () => String.fromCharCode(97 + random.below(26))).join("");
}

function pad(number: number): string {
  return number.toString().padStart(3, "0");
}

/** A random number generator (mulberry32): small, fast and deterministic. */
class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  word(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
  next(): number {
    return this.word() / 2 ** 32;
  }
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
}

if (import.meta.main) {
  const [kind, directory] = Deno.args;
  if ((kind !== "small" && kind !== "mixed") || !directory) {
    throw new Error("Cannot write a tree: say small or mixed, and where");
  }
  Deno.mkdirSync(directory, { recursive: true });
  const summary = kind === "small" ? writeSmallFiles(directory) : writeMixedFiles(directory);
  Deno.stdout.writeSync(new TextEncoder().encode(`${summary.files} files, ${summary.bytes} bytes\n`));
}
