/** Creates the directory for the temporary files of a run. */
import { mountMemory } from "../support/memory.ts";

/**
 * Creates the directory, in memory if possible. The directory is removed once this process has ended, even if
 * the process was killed.
 */
export async function makeTemporaryDirectory(): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-" });
  await mountMemory(directory);
  await Deno.chmod(directory, 0o1777); // for servers that run as other users
  const script = `while kill -0 ${Deno.pid}; do sleep 1; done
    sleep 2 # for servers that end with this process
    umount --lazy "$1" || rm -rf --one-file-system "$1"
    rmdir "$1"`;
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `setsid sh -c "$0" sh "$1" >/dev/null 2>&1 </dev/null &`, script, directory],
    stdin: "null",
  }).output();
  if (!success) throw new Error("Cannot run the tests: sh or setsid failed");
  return directory;
}
