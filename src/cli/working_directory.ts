/** Resolves paths relative to the directory from which the program was called. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/**
 * Resolves a path relative to the directory from which the program was called. `deno task` changes to the
 * project's directory, and passes the original directory in `INIT_CWD`.
 */
export function resolveFromCaller(path: string): string {
  const here = Deno.cwd();
  return resolve(here === PROJECT ? Deno.env.get("INIT_CWD") ?? here : here, path);
}
