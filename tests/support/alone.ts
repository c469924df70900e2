/**
 * Runs a test in a process of its own. Tests that measure memory need this, because `deno test --parallel`
 * runs several files in one process. Tests of the real work factor for passwords need this too, because the
 * test runner lowers the work factor in its own process.
 */
import assert from "node:assert/strict";

const ALONE = "TEST_ALONE";

/**
 * Defines a test that runs alone in a new process.
 *
 * @param module The test file's `import.meta.url`.
 * @param name The test's name, unique in the file.
 * @param flags V8 flags for the new process.
 */
export function testAlone(
  module: string,
  name: string,
  body: () => Promise<void>,
  flags: readonly string[] = [],
): void {
  if (Deno.env.get(ALONE) === "1") return Deno.test(name, body);
  // Without flags, leave out `--v8-flags`: Deno would read its empty list as one flag with an empty name.
  const forV8 = flags.length === 0 ? [] : [`--v8-flags=${flags.join(",")}`];
  Deno.test(name, async () => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", "--no-check", ...forV8, `--filter=${name}`, module],
      env: { [ALONE]: "1", NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.ok(success, said);
    assert.match(said, /\b1 passed/);
  });
}
