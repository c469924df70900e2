/** Finds test files as `deno test` does. */
import { basename } from "node:path";

const IS_TEST = /(?:^|[_.])test\.tsx?$/;
const EXCLUDED = new Set([".git", "data", "node_modules"]);

/** Counts the test files that the paths name or contain. Arguments that are not paths are ignored. */
export async function countTestFiles(paths: readonly string[]): Promise<number> {
  let count = 0;
  for (const path of paths) {
    const info = await Deno.stat(path).catch(() => null);
    if (info?.isFile) count++;
    if (info?.isDirectory) count += await countBelow(path);
  }
  return count;
}

async function countBelow(directory: string): Promise<number> {
  if (EXCLUDED.has(basename(directory))) return 0;
  let count = 0;
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory) count += await countBelow(`${directory}/${name}`);
    else if (IS_TEST.test(name)) count++;
  }
  return count;
}
