/** A run held still where it is: its tar is stopped, and goes on when the test says so. */
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

/** Holds the tar still that has `directory` among its arguments, once there is one. */
export async function holdTar(directory: string): Promise<{ go(): void }> {
  let pid = 0;
  await until(async () => {
    for (const candidate of await processesWith("tar", directory)) {
      const program = await Deno.readTextFile(`/proc/${candidate}/comm`).catch(() => "");
      if (program.trim() === "tar") pid = candidate;
    }
    return pid !== 0;
  });
  Deno.kill(pid, "SIGSTOP");
  return { go: () => Deno.kill(pid, "SIGCONT") };
}
