/** A run held still where it is: its tar is stopped, and goes on when the test says so. */
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

/** Holds the tar still that has `directory` among its arguments, once there is one; it should have work for a second. */
export async function holdTar(directory: string): Promise<{ go(): void }> {
  const end = performance.now() + 60_000;
  while (performance.now() < end) {
    const pid = await tarOf(directory);
    if (pid === null) continue;
    Deno.kill(pid, "SIGSTOP");
    return { go: () => Deno.kill(pid, "SIGCONT") };
  }
  throw new Error(`Cannot hold the tar of ${directory}: none came`);
}

/** Looks at names first: where much goes on, a look at all arguments takes longer than tar. */
async function tarOf(directory: string): Promise<number | null> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    if ((await Deno.readTextFile(`/proc/${name}/comm`).catch(() => "")).trim() !== "tar") continue;
    const words = (await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "")).split("\0");
    if (words.some((word) => word.includes(directory))) return Number(name);
  }
  return null;
}
