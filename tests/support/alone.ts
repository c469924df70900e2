/**
 * Runs a test of its process's memory in a process of its own: `deno test --parallel` runs several files in
 * one process.
 */
import assert from "node:assert/strict";

const ALONE = "TEST_ALONE";

/**
 * `module` is the test file's `import.meta.url`. `name` is unique in the file. `flags` are V8's, for the new
 * process.
 */
export function testAlone(
  module: string,
  name: string,
  body: () => Promise<void>,
  flags: readonly string[] = [],
): void {
  if (Deno.env.get(ALONE) === "1") return Deno.test(name, body);
  // Deno takes an empty list for a flag without a name.
  const forV8 = flags.length === 0 ? [] : [`--v8-flags=${flags.join(",")}`];
  Deno.test(name, async () => {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "--allow-all", ...forV8, `--filter=${name}`, module],
      env: { [ALONE]: "1", NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.ok(success, said);
    assert.match(said, /\b1 passed/);
  });
}
