import assert from "node:assert/strict";
import { systemClock } from "../../../../src/domain/clock.ts";
import { mountTmpfs } from "../../../../tests/support/fixtures/tmpfs.ts";
import { RunFailedError } from "../../ports.ts";
import { LocalDestination } from "./local.ts";
import { checkDestination } from "../destinations.ts";

const never = new AbortController().signal;
const text = (content: string) => new TextEncoder().encode(content);

async function place(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "rearguard-local-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function mode(path: string): Promise<number> {
  return (await Deno.lstat(path)).mode! & 0o777;
}

async function reason(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  return error.message;
}

Deno.test("only the agent's user gets into what is made", async () => {
  await using root = await place();
  const destination = new LocalDestination({ type: "local", directory: `${root.path}/a/b` }, never);
  const writer = await destination.create("x", null);
  assert.equal(await mode(destination.partialPath("x")), 0o600);
  await writer.commit();
  assert.equal(await mode(`${root.path}/a/b/x`), 0o600);
  assert.equal(await mode(`${root.path}/a`), 0o700);
  assert.equal(await mode(`${root.path}/a/b`), 0o700);
});

Deno.test("the partial file is where partialPath says", async () => {
  await using root = await place();
  const destination = new LocalDestination({ type: "local", directory: root.path }, never);
  const writer = await destination.create("x", null);
  assert.equal(destination.partialPath("x"), `${root.path}/.x.partial`);
  assert.deepEqual([...Deno.readDirSync(root.path)].map(({ name }) => name), [".x.partial"]);
  await writer.abort();
});

Deno.test("nothing is written to, or told of, a file system of /etc/fstab that is not mounted", async () => {
  await using root = await place();
  const real = await Deno.realPath(root.path);
  await Deno.mkdir(`${real}/disk`);
  await Deno.symlink(`${real}/disk`, `${real}/link`);
  const mount = (point: string, type: string) => ({ point, type, device: "x", fileSystem: "8:1", root: "/" });
  const state = { mounts: [mount("/", "ext4")], expected: [`${real}/disk`] };
  const spec = { type: "local" as const, directory: `${real}/link/a/b` };
  const destination = new LocalDestination(spec, never, null, { mounts: () => Promise.resolve(state) });
  const advice = `: /etc/fstab mounts a file system on ${real}/disk, and it is not mounted now. Mount it ` +
    `(mount ${real}/disk) or take it out of /etc/fstab.`;
  assert.equal(await reason(destination.create("x", null)), `Cannot write to ${spec.directory}${advice}`);
  for (const work of [() => destination.findLocation(), () => destination.size("x")]) {
    assert.equal(await reason(work()), `Cannot use ${spec.directory}${advice}`);
  }
  assert.deepEqual([...Deno.readDirSync(`${real}/disk`)], []);
  state.mounts.push(mount(`${real}/disk`, "xfs"));
  await (await destination.create("x", null)).commit();
  assert.equal(await destination.size("x"), 0);
});

Deno.test("an object that is being settled can be committed or given up at once", async () => {
  await using root = await place();
  const destination = new LocalDestination({ type: "local", directory: root.path }, never);
  for (const name of ["x", "y"]) {
    const writer = await destination.create(name, null);
    await writer.write(new Uint8Array(4 * 2 ** 20));
    const settling = writer.settle!();
    await (name === "x" ? writer.commit() : writer.abort());
    await settling;
  }
  assert.deepEqual([...Deno.readDirSync(root.path)].map(({ name }) => name), ["x"]);
  assert.equal((await Deno.stat(`${root.path}/x`)).size, 4 * 2 ** 20);
});

Deno.test("a partial file of a run that died is replaced, and a link in its place is not followed", async () => {
  await using root = await place();
  const destination = new LocalDestination({ type: "local", directory: root.path }, never);
  await Deno.writeTextFile(`${root.path}/.x.partial`, "left behind by a run that died");
  await Deno.writeTextFile(`${root.path}/victim`, "untouched");
  await Deno.symlink(`${root.path}/victim`, `${root.path}/.y.partial`);
  for (const name of ["x", "y"]) {
    const writer = await destination.create(name, null);
    await writer.write(text("new"));
    await writer.commit();
    assert.equal(await Deno.readTextFile(`${root.path}/${name}`), "new");
  }
  assert.equal(await Deno.readTextFile(`${root.path}/victim`), "untouched");
});

Deno.test("a file that takes the name while the object is written is not overwritten", async () => {
  await using root = await place();
  const destination = new LocalDestination({ type: "local", directory: root.path }, never);
  const writer = await destination.create("x", null);
  await writer.write(text("ours"));
  await Deno.writeTextFile(`${root.path}/x`, "theirs");
  assert.match(await reason(writer.commit()), /another file took its name/);
  await writer.abort();
  assert.equal(await Deno.readTextFile(`${root.path}/x`), "theirs");
  assert.deepEqual([...Deno.readDirSync(root.path)].map(({ name }) => name), ["x"]);
});

Deno.test("failures say what is wrong with the path", async () => {
  await using root = await place();
  await Deno.writeTextFile(`${root.path}/file`, "");
  const create = (directory: string) =>
    new LocalDestination({ type: "local", directory }, never).create("x", null);
  assert.match(await reason(create(`${root.path}/file/below`)), /a part of the path is a file/);
  assert.match(await reason(create(`${root.path}/file`)), /a file|is a file/);
  assert.match(await reason(create(`/proc/nowhere`)), /^Cannot write to \/proc\/nowhere: /);
  const long = new LocalDestination({ type: "local", directory: root.path }, never);
  assert.match(await reason(long.create("x".repeat(250), null)), /name is too long/);
  assert.throws(
    () => new LocalDestination({ type: "local", directory: "srv" }, never),
    /must be an absolute path/,
  );
});

Deno.test("a read-only file system is told as one", async () => {
  await using root = await place();
  await using _mount = await mountTmpfs(`${root.path}/ro`, 2 ** 20);
  const remount = ["-o", "remount,ro", `${root.path}/ro`];
  const { success } = await new Deno.Command("mount", { args: remount }).output();
  assert(success);
  const destination = new LocalDestination({ type: "local", directory: `${root.path}/ro` }, never);
  assert.match(
    await reason(destination.create("x", null)),
    /its file system is read-only\. Mount it for writing/,
  );
});

Deno.test("a directory that vanishes fails the run, and nothing in it counts as removed", async () => {
  await using root = await place();
  const directory = `${root.path}/gone`;
  const destination = new LocalDestination({ type: "local", directory }, never);
  const writer = await destination.create("x", null);
  await Deno.remove(directory, { recursive: true });
  assert.match(await reason(writer.commit()), /it disappeared while it was in use/);
  assert.match(await reason(writer.abort()), /^Cannot remove .*: its directory does not exist/);
  assert.match(
    await reason(destination.remove("x")),
    /it does not exist\. Check whether its file system is mounted/,
  );
});

async function check(directory: string): Promise<{ name: string; ok: boolean; message: string }[]> {
  const { signal } = new AbortController();
  return (await checkDestination({ type: "local", directory }, systemClock, signal)).steps;
}

Deno.test("a check of a path that can't be made fails as it opens it, and says nothing of writing", async () => {
  const steps = await check("/etc/hostname/backups");
  assert.deepEqual(steps.map(({ name, ok }) => [name, ok]), [["connect", false]]);
  assert.match(steps[0]!.message, /a part of the path is a file/);
});

Deno.test("a check whose write failed tells of no deletion", async () => {
  await using root = await place();
  await using _ = await mountTmpfs(root.path, 4096);
  await Deno.writeFile(`${root.path}/filler`, new Uint8Array(4096));
  const steps = await check(root.path);
  assert.deepEqual(steps.map(({ name, ok }) => [name, ok]), [
    ["connect", true],
    ["write", false],
    ["clean up", true],
  ]);
  assert.match(steps.at(-1)!.message, /^Removed \.rearguard-check-\S+\.$/);
});
