/** What benchmarks of stored backups share. */
import { join } from "node:path";

/** The path of the one object in a directory of backups whose name ends so. */
export function storedAs(directory: string, extension: string): string {
  const [found, ...others] = [...Deno.readDirSync(directory)].filter(({ name }) => name.endsWith(extension));
  if (found === undefined || others.length > 0) throw new Error(`Not one object in ${extension}`);
  return join(directory, found.name);
}

/** Seconds. What an earlier measurement left to be written is written before. */
export async function timed(directory: string, work: () => Promise<unknown>): Promise<number> {
  await new Deno.Command("sync", { args: ["-f", directory] }).output();
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
