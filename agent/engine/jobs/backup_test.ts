import assert from "node:assert/strict";
import type { FilesSource } from "../../../src/definitions/sources/files.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { StalledDestination } from "../../../tests/support/fixtures/stalled_destination.ts";
import { runBackup } from "./backup.ts";
import { LocalDestination } from "../destinations/local/local.ts";
import { exists } from "../exists.ts";
import {
  type Destination,
  type RunAbortedError,
  type RunFailedError,
  UnansweredCreateError,
} from "../ports.ts";

const STAMPED = "backup_7_20260102030405";
const NAMES = [`${STAMPED}.tar.zst`, `${STAMPED}.index.zst`, `${STAMPED}.manifest.json`];

/** Opens a backup run whose source is a directory with a few files. */
async function fixture() {
  const run = await BackupRun.open();
  const path = `${run.root}/tree`;
  await shell('mkdir "$1"; cd "$1"; seq 100000 > a; echo b > b', path);
  const source: FilesSource = { type: "files", path, excluded_paths: [], allow_unreadable: false };
  return { run, source, [Symbol.asyncDispose]: () => run[Symbol.asyncDispose]() };
}

function withMethods(run: BackupRun, changes: (local: Destination) => Partial<Destination>): Destination {
  const local = new LocalDestination({ type: "local", directory: run.directory }, run.abort.signal);
  return {
    description: local.description,
    partialPath: (name) => local.partialPath(name),
    findLocation: () => local.findLocation(),
    localPath: (name) => local.localPath(name),
    create: (name, sizeHint) => local.create(name, sizeHint),
    read: (name, from, to) => local.read(name, from, to),
    size: (name) => local.size(name),
    remove: (name) => local.remove(name),
    close: () => local.close(),
    ...changes(local),
  };
}

Deno.test("a run writes its steps to the output and returns the stored backup", async () => {
  await using at = await fixture();
  const backup = await at.run.run(at.source);
  assert.deepEqual(backup.objects.map(({ name }) => name), NAMES);
  assert.equal(backup.files_count, 2);
  assert.equal(backup.bytes_read % 65536, 0);
  assert.ok(backup.bytes_read > 588_895);
  assert.equal(backup.engine, "tar");
  const [archive] = backup.objects;
  const output = at.run.lines.join("\n");
  assert.match(at.run.lines[0]!, /^Backing up files in \//);
  assert.match(output, /^Source found: \/\S+ on \w+ \(.*\)$/m);
  assert.match(output, /^Using tar \d.*, pzstd \d.*, zstd \d/m);
  assert.match(output, /^Writing to directory \//m);
  assert.ok(output.includes(`as ${archive!.name}: ${archive!.size} bytes`));
  assert.ok(output.includes(`SHA-256 ${archive!.sha256}, in `));
});

Deno.test("each object is recorded with its partial file before it is created", async () => {
  await using at = await fixture();
  const seen: boolean[] = [];
  const destination = withMethods(at.run, (local) => ({
    create: (name, sizeHint) => {
      seen.push(
        at.run.openings.some((opening) => opening.name === name && opening.path === local.partialPath(name)),
      );
      return local.create(name, sizeHint);
    },
  }));
  await at.run.run(at.source, {}, destination);
  assert.deepEqual(seen, [true, true, true]);
});

Deno.test("no object is recorded before its directory exists, because its leftover could not be removed", async () => {
  await using at = await fixture();
  const seen: boolean[] = [];
  const ports = { ...at.run.ports, opening: async () => void seen.push(await exists(at.run.directory)) };
  const local = new LocalDestination({ type: "local", directory: at.run.directory }, at.run.abort.signal);
  await runBackup(at.run.job(at.source), local, ports);
  assert.deepEqual(seen, [true, true, true]);
});

Deno.test("a run reports its progress, with the remaining time estimated from the last run", async () => {
  await using at = await fixture();
  await shell('head -c 100000000 /dev/urandom > "$1/large"', at.source.path);
  const stalled = new StalledDestination(at.run, 0);
  const reported = Promise.withResolvers<void>();
  at.run.onLine = (line) => line.startsWith("Progress: ") && reported.resolve();
  const running = at.run.run(at.source, { last: { bytes_read: 1e12, size: 1e11 } }, stalled);
  await reported.promise;
  stalled.resume();
  await running;
  const [stats] = at.run.stats;
  assert.ok(stats!.bytes_read > 1_000_000 && stats!.bytes_per_second > 0 && stats!.eta_seconds! > 0);
});

Deno.test("an existing object is neither replaced nor removed", async () => {
  for (const taken of NAMES) {
    await using at = await fixture();
    await Deno.mkdir(at.run.directory);
    await Deno.writeTextFile(`${at.run.directory}/${taken}`, "precious");
    await assert.rejects(at.run.run(at.source), { name: "RunFailedError", message: /already exists/ });
    assert.deepEqual(at.run.stored(), [taken]);
    assert.equal(await Deno.readTextFile(`${at.run.directory}/${taken}`), "precious");
  }
});

Deno.test("a failed run lists the objects that can't be removed", async () => {
  await using at = await fixture();
  const refuse = () => Promise.reject(new Error("Cannot remove: the server hung up"));
  const destination = withMethods(at.run, (local) => ({
    remove: refuse,
    create: async (name, sizeHint) => {
      const writer = await local.create(name, sizeHint);
      if (!name.endsWith(".json")) return writer;
      return {
        write: () => Promise.reject(new Error("Cannot write: it is full")),
        commit: refuse,
        abort: refuse,
      };
    },
  }));
  await assert.rejects(at.run.run(at.source, {}, destination), (error: RunFailedError) => {
    assert.equal(error.message, "Cannot write: it is full");
    assert.deepEqual(error.leftovers.sort(), [...NAMES].sort());
    return true;
  });
});

Deno.test("a cancelled run lists the objects that can't be removed", async () => {
  await using at = await fixture();
  const stalled = new StalledDestination(at.run, 1);
  stalled.remove = () => Promise.reject(new Error("Cannot remove: the server hung up"));
  const running = at.run.run(at.source, {}, stalled);
  await stalled.reached;
  at.run.cancel();
  await assert.rejects(running, (error: RunAbortedError) => {
    assert.equal(error.outcome, "cancelled");
    assert.deepEqual(error.leftovers, [NAMES[0]]);
    return true;
  });
});

Deno.test("a run that was cancelled before it began starts no program", async () => {
  await using at = await fixture();
  at.run.cancel();
  await assert.rejects(at.run.run(at.source), { name: "RunAbortedError" });
  assert.deepEqual(at.run.openings, []);
});

Deno.test("an incompletely stored object fails the run", async () => {
  await using at = await fixture();
  const destination = withMethods(at.run, (local) => ({
    create: async (name, sizeHint) => {
      const writer = await local.create(name, sizeHint);
      const commit = () => Promise.reject(new Error("Cannot store: 5 bytes are there, 6 were sent"));
      return { write: (chunk) => writer.write(chunk), abort: () => writer.abort(), commit };
    },
  }));
  await assert.rejects(at.run.run(at.source, {}, destination), {
    name: "RunFailedError",
    message: /5 bytes are there/,
  });
  assert.deepEqual(at.run.stored(), []);
});

Deno.test("the next run works after a failed one", async () => {
  await using at = await fixture();
  await assert.rejects(at.run.run({ ...at.source, path: "/nowhere" }));
  await at.run.run(at.source);
  assert.deepEqual(at.run.stored(), [...NAMES].sort());
});

Deno.test("two backups of an unchanged tree are the same bytes", async () => {
  await using at = await fixture();
  await using again = await BackupRun.open();
  const [first, second] = [await at.run.run(at.source), await again.run(at.source)];
  assert.equal(first.objects[0]!.sha256, second.objects[0]!.sha256);
});

Deno.test("an object whose creation was abandoned without an answer is reported as a leftover", async () => {
  await using at = await fixture();
  const destination = withMethods(at.run, () => ({
    create: () => Promise.reject(new UnansweredCreateError("Cannot write: the file system is silent")),
  }));
  const error: RunFailedError = await at.run.run(at.source, {}, destination).then(
    () => assert.fail("nothing was thrown"),
    (error) => error,
  );
  assert.deepEqual(error.leftovers, [NAMES[0]]);
});
