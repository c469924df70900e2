/** Tests the contract of every destination type in the registry. */
import assert from "node:assert/strict";
import {
  type DestinationFixture,
  destinationFixtures,
  type ReadOnlyFixture,
  readOnlyFixtures,
} from "../../../tests/support/fixtures/destinations.ts";
import { systemClock } from "../../../src/domain/clock.ts";
import type { JobDestination } from "../../../src/protocol/job.ts";
import { type Destination, ObjectMissingError, RunAbortedError, RunFailedError } from "../ports.ts";
import { checkDestination, openDestination, removeFromDestination } from "./destinations.ts";
import { destinationTypes } from "./registry.ts";

const MIB = 2 ** 20;

Deno.test("every destination type has a fixture", () => {
  const fixtures = [...Object.keys(destinationFixtures), ...Object.keys(readOnlyFixtures)];
  assert.deepEqual(fixtures.sort(), Object.keys(destinationTypes).sort());
});

/** Opens the fixture's destination in `directory`. The destination is closed at the end of the test. */
async function opened(
  fixture: Pick<ReadOnlyFixture, "spec" | "ports">,
  directory = "",
  signal?: AbortSignal,
): Promise<Destination & AsyncDisposable> {
  const destination = await openDestination(fixture.spec(directory), fixture.ports(directory, signal));
  return Object.assign(destination, { [Symbol.asyncDispose]: () => destination.close() });
}

/** Returns bytes without repetitions, so that a comparison notices misplaced bytes. */
function bytes(size: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  for (let index = 0; index < words.length; index++) words[index] = index * 2_654_435_761;
  return new Uint8Array(words.buffer, 0, size);
}

/**
 * Stores an object in chunks of an odd size. All chunks share one buffer. After each write has returned, the
 * buffer is overwritten. So if a destination still reads the buffer at that time, it stores wrong bytes.
 */
async function store(destination: Destination, name: string, content: Uint8Array): Promise<void> {
  const writer = await destination.create(name, null);
  const buffer = new Uint8Array(700_001);
  for (let at = 0; at < content.length; at += buffer.length) {
    const piece = content.subarray(at, at + buffer.length);
    buffer.set(piece);
    await writer.write(buffer.subarray(0, piece.length));
    buffer.fill(0xff);
  }
  await writer.commit();
}

async function readRange(
  destination: Destination,
  name: string,
  from: number,
  to: number,
): Promise<Uint8Array> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of destination.read(name, from, to)) pieces.push(piece.slice());
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

async function failure(promise: Promise<unknown>): Promise<RunFailedError> {
  try {
    await promise;
  } catch (error) {
    assert(error instanceof RunFailedError, Deno.inspect(error));
    assert.match(error.message, /^Cannot [^\n]+$/);
    return error;
  }
  assert.fail("nothing was thrown");
}

function equal(a: Uint8Array | undefined, b: Uint8Array): void {
  assert(a !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index]));
}

for (const [type, open] of Object.entries({ ...destinationFixtures, ...readOnlyFixtures })) {
  const check = (
    promise: string,
    work: (fixture: DestinationFixture | ReadOnlyFixture, writing: Destination) => Promise<void>,
  ) =>
    Deno.test(`${type}: ${promise}`, async () => {
      await using fixture = await open();
      await using writing = await opened("writable" in fixture ? fixture.writable : fixture);
      await work(fixture, writing);
    });

  check(
    "the size of what is there is told, what is gone is told from a place that is gone",
    async (fixture, writing) => {
      await using destination = await opened(fixture);
      await store(writing, "x.tar.zst", bytes(MIB + 3));
      assert.equal(await destination.size("x.tar.zst"), MIB + 3);
      assert(await failure(destination.size("y.tar.zst")) instanceof ObjectMissingError);
      if (type === "s3") return;
      await using elsewhere = await opened(fixture, "not/there");
      assert(!(await failure(elsewhere.size("x.tar.zst")) instanceof ObjectMissingError));
    },
  );

  check("any range of what is committed can be read", async (fixture, writing) => {
    await using destination = await opened(fixture);
    const content = bytes(5 * MIB + 17);
    await store(writing, "a.zst", content);
    const ranges = [[0, content.length], [0, 0], [0, 1], [MIB - 1, 3 * MIB], [
      content.length - 1,
      content.length,
    ]];
    for (const [from, to] of ranges) {
      equal(await readRange(destination, "a.zst", from!, to!), content.slice(from, to));
    }
  });

  check("an object that is not there, or shorter than it was, can't be read", async (fixture, writing) => {
    await using destination = await opened(fixture);
    await store(writing, "a.zst", bytes(1000));
    await failure(readRange(destination, "b.zst", 0, 10));
    await failure(readRange(destination, "a.zst", 0, 1001));
    await failure(readRange(destination, "a.zst", 2000, 2001));
  });
}

for (const [type, open] of Object.entries(destinationFixtures)) {
  const check = (promise: string, work: (fixture: DestinationFixture) => Promise<void>) =>
    Deno.test(`${type}: ${promise}`, async () => {
      await using fixture = await open();
      await work(fixture);
    });

  check("what is committed reads back", async (fixture) => {
    await using destination = await opened(fixture);
    await store(destination, "small.zst", bytes(10));
    await store(destination, "large.zst", bytes(23 * MIB + 17));
    await store(destination, "exact.zst", bytes(10 * MIB));
    await store(destination, "empty.zst", bytes(0));
    const objects = await fixture.objects();
    equal(objects.get("small.zst"), bytes(10));
    equal(objects.get("large.zst"), bytes(23 * MIB + 17));
    equal(objects.get("exact.zst"), bytes(10 * MIB));
    equal(objects.get("empty.zst"), bytes(0));
    assert.deepEqual(await fixture.partials(), []);
  });

  check("the space of a directory is measured, where the type can tell", async (fixture) => {
    await using destination = await opened(fixture);
    if (destination.space === undefined) return assert.equal(type, "s3");
    await store(destination, "small.zst", bytes(10));
    const space = await destination.space();
    // Apache 2.4 does not report a quota.
    if (space === null) return assert.equal(type, "webdav");
    const { free, total } = space;
    assert.ok(free >= 0 && free <= total && total > 2 ** 20, `${free} of ${total}`);
  });

  check("an object is not there before it is committed", async (fixture) => {
    await using destination = await opened(fixture);
    const writer = await destination.create("a.zst", null);
    await writer.write(bytes(6 * MIB));
    assert.equal((await fixture.objects()).size, 0);
    assert.equal((await fixture.partials()).length, 1);
    await writer.commit();
    assert.deepEqual([...(await fixture.objects()).keys()], ["a.zst"]);
  });

  check("an object that exists is refused and stays", async (fixture) => {
    await using destination = await opened(fixture);
    await store(destination, "a.zst", bytes(5));
    const error = await failure(destination.create("a.zst", null));
    assert.match(error.message, /already exists/);
    equal((await fixture.objects()).get("a.zst"), bytes(5));
    assert.deepEqual(await fixture.partials(), []);
  });

  check("an abort leaves nothing", async (fixture) => {
    await using destination = await opened(fixture, "deep/er");
    for (const size of [0, 10, 12 * MIB]) {
      const writer = await destination.create("a.zst", null);
      await writer.write(bytes(size));
      await writer.abort();
      assert.deepEqual([(await fixture.objects()).size, await fixture.partials()], [0, []]);
    }
  });

  check("a run that was cancelled writes no more, and can still clean up", async (fixture) => {
    const cancel = new AbortController();
    await using destination = await opened(fixture, "", cancel.signal);
    const writer = await destination.create("a.zst", null);
    await writer.write(bytes(6 * MIB));
    cancel.abort(new RunAbortedError("cancelled", "Stopped by hand."));
    await assert.rejects(writer.write(bytes(6 * MIB)), RunAbortedError);
    await assert.rejects(writer.commit(), RunAbortedError);
    await writer.abort();
    assert.deepEqual([(await fixture.objects()).size, await fixture.partials()], [0, []]);
  });

  check("two objects can be written side by side", async (fixture) => {
    await using destination = await opened(fixture);
    const [a, b] = [await destination.create("a.zst", null), await destination.create("b.zst", null)];
    await Promise.all([a.write(bytes(7 * MIB)), b.write(bytes(9 * MIB))]);
    await Promise.all([a.commit(), b.commit()]);
    const objects = await fixture.objects();
    equal(objects.get("a.zst"), bytes(7 * MIB));
    equal(objects.get("b.zst"), bytes(9 * MIB));
  });

  check("an object is removed, and removing it again is no error", async (fixture) => {
    await using destination = await opened(fixture, "some/where");
    await store(destination, "a.zst", bytes(5));
    await store(destination, "b.zst", bytes(5));
    await destination.remove("a.zst");
    await destination.remove("a.zst");
    assert.deepEqual([...(await fixture.objects()).keys()], ["some/where/b.zst"]);
  });

  check("odd names and nested directories are kept as they are", async (fixture) => {
    const directory = "deep er/än-日本/-x";
    await using destination = await opened(fixture, directory);
    const names = ["a b+c.zst", "-rf.zst", "100%(1)'\"*!~.zst", "naïve-日本.zst", "a&b=c?d#e;$(x).zst"];
    for (const name of names) await store(destination, name, new TextEncoder().encode(name));
    const objects = await fixture.objects();
    assert.deepEqual([...objects.keys()].sort(), names.map((name) => `${directory}/${name}`).sort());
    for (const name of names) {
      assert.equal(new TextDecoder().decode(objects.get(`${directory}/${name}`)), name);
      await destination.remove(name);
    }
    assert.equal((await fixture.objects()).size, 0);
  });

  check("a name that leads out of the directory is refused", async (fixture) => {
    await using destination = await opened(fixture, "inside");
    for (const name of ["../a", "a/b", "..", ".", "", "a\0b"]) {
      await failure(destination.create(name, null));
      await failure(destination.remove(name));
    }
    assert.equal((await fixture.objects()).size, 0);
  });

  check("a full destination fails with its reason and is cleared", async (fixture) => {
    await fixture.fill();
    await using destination = await opened(fixture);
    const writer = await destination.create("a.zst", null);
    const error = await failure((async () => {
      for (let round = 0; round < 4; round++) await writer.write(bytes(4 * MIB));
      await writer.commit();
    })());
    assert.match(error.message, /full|quota/);
    await writer.abort();
    assert.deepEqual([(await fixture.objects()).size, await fixture.partials()], [0, []]);
  });

  if (destinationTypes[type as JobDestination["type"]].check === undefined) continue;

  check("a check writes, reads back and deletes, and leaves nothing", async (fixture) => {
    const { steps, space } = await checkDestination(
      fixture.spec("new"),
      systemClock,
      new AbortController().signal,
    );
    assert.deepEqual(steps.map(({ name, ok }) => [name, ok]), [
      ["connect", true],
      ["write", true],
      ["read back", true],
      ["delete", true],
    ]);
    assert.equal((await fixture.objects()).size, 0);
    // Apache 2.4 does not report a quota.
    assert.equal(space === undefined, type === "webdav");
  });

  check("objects and partial files are removed by name; the names that fail are told", async (fixture) => {
    await using destination = await opened(fixture, "d");
    await store(destination, "a.zst", bytes(5));
    await store(destination, "b.zst", bytes(5));
    await (await destination.create("c.zst", null)).write(bytes(5));
    const signal = new AbortController().signal;
    const names = ["a.zst", "c.zst", "../b.zst", "gone.zst"];
    const result = await removeFromDestination(fixture.spec("d"), { names }, systemClock, signal);
    assert.deepEqual(result.deleted, ["a.zst", "c.zst", "gone.zst"]);
    assert.deepEqual(result.failed.map(({ name }) => name), ["../b.zst"]);
    assert.deepEqual([...(await fixture.objects()).keys()], ["d/b.zst"]);
    assert.deepEqual(await fixture.partials(), []);
    if (type === "s3") return;
    const gone = removeFromDestination(fixture.spec("not/there"), { names: ["a.zst"] }, systemClock, signal);
    assert.match((await failure(gone)).message, /not\/there.*: it does not exist\. .*file system/);
  });

  check(
    "what is missing counts as deleted only where something else is that should be there",
    async (fixture) => {
      await using destination = await opened(fixture, "d");
      await store(destination, "witness.zst", bytes(5));
      await store(destination, "b.zst", bytes(5));
      const remove = (names: string[], witnesses: string[]) =>
        removeFromDestination(
          fixture.spec("d"),
          { names, witnesses },
          systemClock,
          new AbortController().signal,
        );
      const unproven = await remove(["gone.zst"], ["also-gone.zst"]);
      assert.deepEqual([unproven.deleted, unproven.failed.map(({ name }) => name)], [[], ["gone.zst"]]);
      assert.match(unproven.failed[0]!.message, /^Cannot tell whether it was deleted: .*\(also-gone\.zst\)/);
      const seen = await remove(["gone.zst"], ["also-gone.zst", "witness.zst"]);
      assert.deepEqual(seen, { deleted: ["gone.zst"], failed: [] });
      // `b.zst` existed until this removal, so the directory is the right one. The missing objects therefore
      // count as deleted.
      const neighbour = await remove(["b.zst", "gone.zst"], ["also-gone.zst"]);
      assert.deepEqual(neighbour, { deleted: ["b.zst", "gone.zst"], failed: [] });
    },
  );

  check(
    "an empty directory, as an unmounted disk leaves it, is no proof that a backup is gone",
    async (fixture) => {
      await using destination = await opened(fixture, "d");
      await store(destination, "a.zst", bytes(5));
      await destination.remove("a.zst");
      const error = await failure(destination.size("a.zst"));
      assert.equal(error instanceof ObjectMissingError, false);
      assert.match(error.message, /is empty\. Check whether .*file system/);
    },
  );
}
