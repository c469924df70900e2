/** Runs the command `rearguard` in a process of its own, as `deno task cli` does. */
import { fileURLToPath } from "node:url";
import { taskCommand } from "../assertions/rights.ts";
import { atTerminal } from "./terminal.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Record<string, string>;
  /** The text that is typed or piped into the command. If absent, the command gets no input. */
  readonly stdin?: string;
  readonly cwd?: string;
}

/** A home directory in which the command stores its login. */
export class CliHome implements AsyncDisposable {
  private constructor(readonly directory: string) {}

  static async open(): Promise<CliHome> {
    return new CliHome(await Deno.makeTempDir({ prefix: "rearguard-cli-" }));
  }

  get loginPath(): string {
    return `${this.directory}/config/rearguard/login.json`;
  }

  async run(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
    const child = this.start(args, options);
    if (options.stdin !== undefined) await type(child, options.stdin);
    const { code, stdout, stderr } = await child.output();
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  }

  start(args: readonly string[], { env, stdin, cwd }: CliOptions = {}): Deno.ChildProcess {
    return new Deno.Command(Deno.execPath(), {
      args: [...CLI, ...args],
      clearEnv: true,
      env: { ...this.#environment(), ...env },
      cwd: cwd ?? this.directory,
      stdin: stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /**
   * Runs the command at a terminal. Types each answer when the screen shows the question that belongs to it.
   * The returned `stdout` is everything that the screen showed.
   */
  async atTerminal(
    args: readonly string[],
    answers: readonly (readonly [question: string, answer: string])[] = [],
    env: Record<string, string> = {},
  ): Promise<Ended> {
    const { code, screen } = await atTerminal(
      [Deno.execPath(), ...CLI, ...args],
      answers,
      { ...this.#environment(), ...env },
      this.directory,
    );
    return { code, stdout: screen, stderr: "" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }

  #environment(): Record<string, string> {
    return {
      PATH: Deno.env.get("PATH")!,
      DENO_DIR: denoDirectory(),
      HOME: this.directory,
      XDG_CONFIG_HOME: `${this.directory}/config`,
    };
  }
}

/**
 * The command that `deno task cli` runs. The tests use the same command, so that they also test its
 * permissions.
 */
const CLI = taskCommand("cli").slice(1).map((word) => word.endsWith(".ts") ? `${ROOT}${word}` : word);

/** Returns Deno's directory of downloaded packages. It must not depend on the test's home directory. */
function denoDirectory(): string {
  return Deno.env.get("DENO_DIR") ??
    `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;
}

async function type(child: Deno.ChildProcess, text: string): Promise<void> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}
