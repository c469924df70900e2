/** Paths as the person who typed them means them. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** `deno task` goes into the project and leaves the directory that it was called from in `INIT_CWD`. */
export function fromHere(path: string): string {
  const here = Deno.cwd();
  return resolve(here === PROJECT ? Deno.env.get("INIT_CWD") ?? here : here, path);
}
