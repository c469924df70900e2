/** Tests with a file system that does not answer: operations on it don't return, and can't be cancelled. */
import assert from "node:assert/strict";
import { systemClock } from "../../../../src/domain/clock.ts";
import { keepAwake } from "../../../../tests/support/fixtures/hurried_clock.ts";
import { FreezableMount } from "../../../../tests/support/fixtures/tmpfs.ts";
import { RunAbortedError, RunFailedError, UnansweredCreateError } from "../../ports.ts";
import { LocalDestination } from "./local.ts";
import { LocalFiles } from "./files.ts";
import { LocalWriter } from "./writer.ts";

const MIB = 2 ** 20;
const limits = { idleMs: 500, patienceMs: 0 };
const needsRoot = { ignore: Deno.uid() !== 0 };

async function mounted(): Promise<{ mount: FreezableMount } & AsyncDisposable> {
  const root = await Deno.makeTempDir({ prefix: "rearguard-silent-" });
  await Deno.mkdir(`${root}/real`);
  const mount = await FreezableMount.open(`${root}/real`, `${root}/seen`);
  return {
    mount,
    async [Symbol.asyncDispose]() {
      await mount[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

async function reason(work: Promise<unknown>): Promise<string> {
  const error = await work.then(() => assert.fail("nothing was thrown"), (error) => error);
  assert(error instanceof RunFailedError, Deno.inspect(error));
  return error.message;
}

Deno.test(
  "every call to a file system that does not answer ends in its time, and works again when it does",
  needsRoot,
  async () => {
    using _awake = keepAwake();
    await using at = await mounted();
    const { signal } = new AbortController();
    const directory = at.mount.path;
    const open = () => new LocalDestination({ type: "local", directory }, signal, null, { limits });
    const writer = await open().create("x", null);
    await writer.write(new Uint8Array(MIB));
    await Deno.writeFile(`${directory}/y`, new Uint8Array(3 * MIB));
    const reading = open().read("y", 0, 3 * MIB)[Symbol.asyncIterator]();
    await reading.next();
    at.mount.freeze();
    const silent =
      /the file system (did not answer for 0\.5 s|still does not answer)\. Check whether its server/;
    const started = systemClock.monotonic();
    for (
      const work of [
        () => reading.next(),
        () => writer.write(new Uint8Array(MIB)),
        () => open().size("y"),
        () => open().findLocation(),
        () => open().create("z", null),
        () => open().remove("y"),
        () => writer.commit(),
        () => writer.abort(),
      ]
    ) assert.match(await reason(work()), silent);
    // Only the first operation occupies a thread. All further operations are refused until the first has
    // returned.
    assert.ok(systemClock.monotonic() - started < 5000);
    at.mount.thaw();
    while (await open().size("y").catch(() => null) !== 3 * MIB) await systemClock.sleep(50);
    // While the file system was silent, the writer gave up creating `z`. The writer removes the partial file
    // as soon as the create operation returns.
    while ([...Deno.readDirSync(directory)].some(({ name }) => name === ".z.partial")) {
      await systemClock.sleep(50);
    }
    const again = await open().create("z", null);
    await again.write(new Uint8Array(3));
    await again.commit();
    assert.equal(await open().size("z"), 3);
  },
);

Deno.test(
  "no program works by itself at a file system that may hang: it would have no time limit",
  needsRoot,
  async () => {
    await using at = await mounted();
    const { signal } = new AbortController();
    const isLeftToPrograms = async (directory: string) => {
      const destination = new LocalDestination({ type: "local", directory }, signal);
      const writer = await destination.create("x", null);
      const answers = [writer.direct !== undefined, destination.localPath("x") !== null];
      await writer.abort();
      return answers;
    };
    assert.deepEqual(await isLeftToPrograms(at.mount.path), [false, false]);
    assert.deepEqual(await isLeftToPrograms(await Deno.realPath(`${at.mount.path}/../real`)), [true, true]);
  },
);

Deno.test("a cancel ends work at a file system that does not answer", needsRoot, async () => {
  using _awake = keepAwake();
  await using at = await mounted();
  const cancel = new AbortController();
  const destination = new LocalDestination({ type: "local", directory: at.mount.path }, cancel.signal);
  at.mount.freeze();
  const work = destination.findLocation();
  await systemClock.sleep(50);
  cancel.abort(new RunAbortedError("cancelled", "Stopped by hand."));
  await assert.rejects(work, RunAbortedError);
});

Deno.test("a cancel during a slow write leaves no partial file", needsRoot, async () => {
  using _awake = keepAwake();
  await using at = await mounted();
  const cancel = new AbortController();
  const directory = at.mount.path;
  const writer = await new LocalDestination({ type: "local", directory }, cancel.signal).create("x", null);
  await writer.write(new Uint8Array(MIB));
  at.mount.freeze();
  const writing = writer.write(new Uint8Array(8 * MIB));
  writing.catch(() => {});
  await systemClock.sleep(50);
  cancel.abort(new RunAbortedError("cancelled", "Stopped by hand."));
  await assert.rejects(writing, RunAbortedError);
  void systemClock.sleep(300).then(() => at.mount.thaw());
  await writer.abort();
  assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
});

Deno.test("a disk that answers late is used again, and its files are closed", async () => {
  using _awake = keepAwake();
  const files = new LocalFiles("/somewhere", new AbortController().signal, systemClock, 50);
  const { promise, resolve } = Promise.withResolvers<void>();
  assert.match(await reason(files.at("write x", () => promise)), /did not answer/);
  assert.match(await reason(files.at("write x", () => Promise.resolve())), /still does not answer/);
  const file = await Deno.open("/dev/null");
  files.close(file);
  assert.equal(await file.read(new Uint8Array(1)), null);
  resolve();
  await systemClock.sleep(20);
  await assert.rejects(file.read(new Uint8Array(1)), Deno.errors.BadResource);
  await files.at("write x", () => Promise.resolve());
});

Deno.test(
  "a cancel while a file is being created says that the file may still appear",
  needsRoot,
  async () => {
    using _awake = keepAwake();
    await using at = await mounted();
    const cancel = new AbortController();
    const directory = at.mount.path;
    const files = new LocalFiles(directory, cancel.signal);
    at.mount.freeze();
    const opening = LocalWriter.open(`${directory}/.x.partial`, `${directory}/x`, {
      signal: cancel.signal,
      files,
      isDisk: false,
    });
    await systemClock.sleep(50);
    cancel.abort(new RunAbortedError("cancelled", "Stopped by hand."));
    await assert.rejects(opening, UnansweredCreateError);
    at.mount.thaw();
    while ((await Array.fromAsync(Deno.readDir(directory))).length > 0) await systemClock.sleep(50);
  },
);
