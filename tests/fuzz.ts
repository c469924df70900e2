/**
 * `deno task fuzz [--count N] [--seed N] [FILE…]`: runs the fuzz tests at full length, or with N generated
 * inputs each. A failure prints its seed and the smallest failing input.
 */
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: { count: { type: "string" }, seed: { type: "string" } },
  allowPositionals: true,
});
for (const [name, value] of Object.entries(values)) {
  if (!/^-?\d+$/.test(value)) throw new Error(`Cannot fuzz: --${name} must be a whole number`);
}
const files = positionals.length > 0 ? positionals : await fuzzTests(["agent", "src", "tests"]);
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "--allow-all", ...files],
  env: {
    FUZZ: "whole",
    ...(values.count === undefined ? {} : { FUZZ_COUNT: values.count }),
    ...(values.seed === undefined ? {} : { FUZZ_SEED: values.seed }),
  },
  stdin: "null",
}).spawn().status;
Deno.exit(code);

async function fuzzTests(directories: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const directory of directories) {
    for await (const { name, isDirectory } of Deno.readDir(directory)) {
      const path = `${directory}/${name}`;
      if (isDirectory) found.push(...await fuzzTests([path]));
      else if (name.endsWith("_fuzz_test.ts")) found.push(path);
    }
  }
  return found;
}
