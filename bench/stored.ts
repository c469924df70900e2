/** Functions for benchmarks that read stored backups. */
import { join } from "node:path";

/**
 * Returns the path of the only object with this extension in a directory of backups. Throws if there is none,
 * or more than one.
 */
export function storedAs(directory: string, extension: string): string {
  const [found, ...others] = [...Deno.readDirSync(directory)].filter(({ name }) => name.endsWith(extension));
  if (found === undefined || others.length > 0) throw new Error(`Not one object in ${extension}`);
  return join(directory, found.name);
}

/** Writes pending data to the disk, then runs `work`. Returns how many seconds `work` took. */
export async function timed(directory: string, work: () => Promise<unknown>): Promise<number> {
  await new Deno.Command("sync", { args: ["-f", directory] }).output();
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
