/**
 * Reads files of `/proc`. Deno itself reads them only with all permissions. A control plane does not have all
 * permissions, so it runs `cat` to read them.
 */

/** Returns the text of a file of `/proc`; null if the process does not exist. */
export async function readProc(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) return goneOrThrow(cause);
  }
  const { success, stdout, stderr } = await new Deno.Command("cat", command(path)).output();
  return textOf(path, success, stdout, stderr);
}

/** Does the same as {@link readProc}, synchronously. */
export function readProcNow(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) return goneOrThrow(cause);
  }
  const { success, stdout, stderr } = new Deno.Command("cat", command(path)).outputSync();
  return textOf(path, success, stdout, stderr);
}

function command(path: string): Deno.CommandOptions {
  return { args: [path], stdin: "null", stdout: "piped", stderr: "piped", env: { LC_ALL: "C" } };
}

function textOf(path: string, success: boolean, stdout: Uint8Array, stderr: Uint8Array): string | null {
  if (success) return new TextDecoder().decode(stdout);
  const reason = new TextDecoder().decode(stderr).trim();
  if (/No such (file|process)/.test(reason)) return null;
  throw new Error(`Cannot read ${path}: ${reason}`);
}

/**
 * Returns null for ENOENT and ESRCH. They mean that the process ended before or while its file was read.
 * Throws every other error.
 */
function goneOrThrow(cause: unknown): null {
  if (cause instanceof Deno.errors.NotFound || (cause as { code?: string }).code === "ESRCH") return null;
  throw cause;
}
