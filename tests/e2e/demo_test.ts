import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

const DEMO = fileURLToPath(new URL("../../src/cli/demo.ts", import.meta.url));

/** Runs the demo with `directory` as its working directory and for its temporary files. */
async function demo(directory: string, ...args: string[]) {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", DEMO, ...args],
    env: {
      TMPDIR: `${directory}/tmp`,
      INIT_CWD: directory,
      NO_COLOR: "1",
      DATABASE_URL: "postgres://not.used/",
    },
    stdin: "null",
  });
  const { code, stdout, stderr } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "rearguard-demo-test-" });
  await Deno.chmod(directory, 0o755);
  await Deno.mkdir(`${directory}/tmp`);
  try {
    await work(directory);
    assert.deepEqual(
      await Array.fromAsync(Deno.readDir(`${directory}/tmp`)),
      [],
      "the demo leaves files behind",
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("the demo backs a directory up, shows the file and leaves nothing", () =>
  withDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/photos`);
    await Deno.writeTextFile(`${directory}/photos/cat.txt`, "meow");
    const { code, stdout, stderr } = await demo(directory, "photos");
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^Backing up ${directory}/photos on `, "m"));
    assert.match(stdout, /Backup completed successfully/);
    assert.match(stdout, /^File {5}\S+backup_1_\d{14}\.tar\.zst$/m);
    assert.match(stdout, /^Size {5}\d+ bytes$/m);
    assert.match(stdout, /^SHA-256 {2}[0-9a-f]{64} /m);
    assert.match(stdout, /^-rw.* \.\/cat\.txt$/m);
    assert.notEqual(createHash("sha256").update("").digest("hex"), /SHA-256 {2}(\w+)/.exec(stdout)![1]);
  }));

Deno.test("the demo refuses what is no directory in one line", () =>
  withDirectory(async (directory) => {
    const { code, stdout, stderr } = await demo(directory, "missing");
    assert.deepEqual(
      { code, stdout, stderr },
      { code: 1, stdout: "", stderr: `Cannot back up ${directory}/missing: it is not a directory\n` },
    );
  }));
