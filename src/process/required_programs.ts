/**
 * Checks for the programs that every backup of files needs, so that a missing program is reported before a
 * backup fails.
 */
import { join } from "node:path";
import { StartError } from "./start_error.ts";

/** Debian packages of these programs, by the program's name. */
const PACKAGES: Readonly<Record<string, string>> = { tar: "tar", zstd: "zstd", setpriv: "util-linux" };

/**
 * Throws a {@link StartError} if programs are missing in `path`. `path` has the form of PATH. The message
 * names the missing programs, and the command that installs them.
 */
export function requirePrograms(path: string): void {
  const missing = Object.keys(PACKAGES).filter((program) => !isInPath(program, path));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => PACKAGES[program]))].join(" ");
  throw new StartError(
    `Cannot start the local agent: a backup needs ${missing.join(", ")}; run: ` +
      `apt-get update && apt-get install -y ${packages} (or set LOCAL_AGENT=0)`,
  );
}

function isInPath(program: string, path: string): boolean {
  return path.split(":").some((directory) => {
    try {
      return Deno.statSync(join(directory || ".", program)).isFile;
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.PermissionDenied) {
        return false;
      }
      if (cause instanceof Deno.errors.NotADirectory) return false;
      throw cause;
    }
  });
}
