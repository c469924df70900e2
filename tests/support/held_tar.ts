/** A run held still where it is: its tar is stopped, and goes on when the test says so. */
import { findProgram } from "./programs.ts";
import { until } from "./until.ts";

/** Processes with `text` among their arguments. */
export async function processesWith(...text: string[]): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const words = (await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "")).split("\0");
    if (text.every((one) => words.some((word) => word.includes(one)))) found.push(Number(name));
  }
  return found;
}

/**
 * A `tar` that comes before the system's on an agent's {@link HeldTar.path}: the next one with a certain text among its
 * arguments stops before it does anything. What a test would look for from outside may be over before it is found.
 */
export class HeldTar implements AsyncDisposable {
  private constructor(private readonly directory: string) {}

  static async make(): Promise<HeldTar> {
    const directory = await Deno.makeTempDir({ prefix: "rearguard-held-tar-" });
    await Deno.chmod(directory, 0o755);
    const script = `#!/bin/sh
here=${directory}
if [ -e "$here/hold" ]; then
  text=$(cat "$here/hold")
  case "$*" in
    *"$text"*) rm "$here/hold"; echo $$ >"$here/writing"; mv "$here/writing" "$here/held"; kill -STOP $$ ;;
  esac
fi
exec ${await findProgram("tar")} "$@"
`;
    await Deno.writeTextFile(`${directory}/tar`, script, { mode: 0o755 });
    return new HeldTar(directory);
  }

  /** For the environment of whoever starts tar. */
  get path(): string {
    return `${this.directory}:${Deno.env.get("PATH")}`;
  }

  /** The next tar with `text` among its arguments is to stop. */
  async hold(text: string): Promise<void> {
    await Deno.writeTextFile(`${this.directory}/hold`, text);
  }

  /** Resolves once it stands still. */
  async held(): Promise<{ go(): void }> {
    let pid = 0;
    await until(async () => {
      pid = Number(await Deno.readTextFile(`${this.directory}/held`).catch(() => 0));
      return pid > 0 && / T /.test(await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => ""));
    });
    await Deno.remove(`${this.directory}/held`);
    return { go: () => Deno.kill(pid, "SIGCONT") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}
