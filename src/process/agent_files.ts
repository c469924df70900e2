/**
 * Provides the files that a server needs to run the agent: Deno for this platform, the bundled agent and its
 * systemd unit. Each file has a checksum.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { logger } from "../telemetry/logging.ts";

export interface AgentFile {
  readonly path: string;
  readonly size: number;
  /** SHA-256 of the file, in hexadecimal. */
  readonly sha256: string;
}

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the files when they are first requested, and keeps them as long as the process lives. */
export class AgentFiles {
  /** Absolute path of the directory for built files. */
  readonly #directory: string;
  #files: Promise<ReadonlyMap<string, AgentFile>> | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Deno's name for the platform of these files, such as `x86_64-unknown-linux-gnu`. */
  get target(): string {
    return Deno.build.target;
  }

  /**
   * Returns the files by name: `deno`, `agent.js`, `rearguard-agent.service`. Rejects if the agent cannot be
   * built; the next call then tries again.
   */
  all(): Promise<ReadonlyMap<string, AgentFile>> {
    this.#files ??= this.#collect().catch((error) => {
      this.#files = null;
      throw error;
    });
    return this.#files;
  }

  async #collect(): Promise<ReadonlyMap<string, AgentFile>> {
    const paths = {
      "agent.js": await this.#bundle(),
      "deno": Deno.execPath(),
      "rearguard-agent.service": join(PROJECT, "systemd", "rearguard-agent.service"),
    };
    const entries = Object.entries(paths).map(async ([name, path]) => [name, await describe(path)] as const);
    return new Map(await Promise.all(entries));
  }

  async #bundle(): Promise<string> {
    await Deno.mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const built = join(this.#directory, "agent.js");
    const partial = `${built}.new`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      // The native parts of ssh2 (`*.node`) are optional and not installed.
      args: [
        "bundle",
        "--quiet",
        "--minify",
        "--platform",
        "deno",
        "--external",
        "*.node",
        "-o",
        partial,
        "agent/main.ts",
      ],
      cwd: PROJECT,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (!success) {
      const reason = new TextDecoder().decode(stderr).trim().split("\n")[0];
      logger("agent files").error("Cannot build the agent: {reason}", { reason });
      throw new Error(`Cannot build the agent: ${reason}`);
    }
    await Deno.rename(partial, built);
    return built;
  }
}

async function describe(path: string): Promise<AgentFile> {
  const hash = createHash("sha256");
  let size = 0;
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let read = await file.read(buffer); read !== null; read = await file.read(buffer)) {
    hash.update(buffer.subarray(0, read));
    size += read;
  }
  return { path, size, sha256: hash.digest("hex") };
}
