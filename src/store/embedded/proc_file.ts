/**
 * Files of `/proc`. Deno reads them itself only where it is allowed everything, whatever else it may read; a
 * control plane is not, and has `cat` do it.
 */

/** The text, or null where there is no such process. */
export async function readProc(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) return goneOrThrow(cause);
  }
  const { success, stdout, stderr } = await new Deno.Command("cat", command(path)).output();
  return told(path, success, stdout, stderr);
}

/** The same, at once. */
export function readProcNow(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) return goneOrThrow(cause);
  }
  const { success, stdout, stderr } = new Deno.Command("cat", command(path)).outputSync();
  return told(path, success, stdout, stderr);
}

function command(path: string): Deno.CommandOptions {
  return { args: [path], stdin: "null", stdout: "piped", stderr: "piped", env: { LC_ALL: "C" } };
}

function told(path: string, success: boolean, stdout: Uint8Array, stderr: Uint8Array): string | null {
  if (success) return new TextDecoder().decode(stdout);
  const reason = new TextDecoder().decode(stderr).trim();
  if (/No such (file|process)/.test(reason)) return null;
  throw new Error(`Cannot read ${path}: ${reason}`);
}

/** ESRCH: a process that ended between opening its file and reading it. */
function goneOrThrow(cause: unknown): null {
  if (cause instanceof Deno.errors.NotFound || (cause as { code?: string }).code === "ESRCH") return null;
  throw cause;
}
