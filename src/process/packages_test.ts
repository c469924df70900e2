import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { shell } from "../../tests/support/fixtures/backup_run.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Makes a new directory with copies of the files that the installation of packages needs. Returns the path of
 * the directory.
 */
async function openCheckout(stack: AsyncDisposableStack): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-packages-" });
  stack.defer(() => Deno.remove(directory, { recursive: true }));
  await shell(
    'cd "$1" && cp --parents deno.json deno.lock package.json src/process/*.ts "$2"',
    ROOT,
    directory,
  );
  return directory;
}

async function runTask(checkout: string): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "packages"],
    cwd: checkout,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("a first start installs only the packages of the programs, and prints a few lines", async () => {
  await using stack = new AsyncDisposableStack();
  const checkout = await openCheckout(stack);
  const first = await runTask(checkout);
  assert.equal(first.code, 0, first.text);
  assert.ok(first.text.split("\n").length < 20, first.text);
  const installed = [...Deno.readDirSync(`${checkout}/node_modules`)].map(({ name }) => name);
  assert.ok(installed.includes("hono"));
  const { imports } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  for (const name of Object.keys(imports)) {
    assert.ok(installed.includes(name.split("/")[0]!), name);
  }
  const { devDependencies } = JSON.parse(await Deno.readTextFile(`${ROOT}/package.json`));
  for (const name of Object.keys(devDependencies)) {
    if (!name.startsWith("@")) assert.ok(!installed.includes(name), name);
  }
  assert.deepEqual(await runTask(checkout), { code: 0, text: "" });
});

Deno.test("an installation keeps installed packages of the tests", async () => {
  await using stack = new AsyncDisposableStack();
  const checkout = await openCheckout(stack);
  await shell('cd "$1" && "$2" install --quiet --frozen', checkout, Deno.execPath());
  assert.equal((await runTask(checkout)).code, 0);
  assert.ok((await Deno.stat(`${checkout}/node_modules/fast-check`)).isDirectory);
});

Deno.test("an installation that fails names the reason", async () => {
  await using stack = new AsyncDisposableStack();
  const checkout = await openCheckout(stack);
  await Deno.writeTextFile(`${checkout}/deno.json`, "{");
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-config", "--no-lock", "--allow-all", "src/process/packages.ts"],
    cwd: checkout,
  }).output();
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stderr), /Cannot install the packages: .+/);
});
