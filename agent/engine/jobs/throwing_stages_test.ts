/**
 * Tests that every pipeline of the engine ends when one of its stages throws. The stage throws at the first
 * bytes, in the middle or at the end.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { systemClock } from "../../../src/domain/clock.ts";
import { type BackupToRead, jobOptions, type StoredObject } from "../../../src/protocol/job.ts";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { capture } from "../programs/capture.ts";
import { Children, type Command } from "../programs/children.ts";
import { tail } from "../programs/tail.ts";
import { streamPart } from "./pipeline.ts";
import { LocalDestination } from "../destinations/local/local.ts";
import { Progress } from "./progress.ts";
import { readDoubleBuffered } from "../programs/double_buffer.ts";
import { ReadProgress } from "./read_progress.ts";
import type { SourcePart } from "../sources/source.ts";
import { countInSnapshot } from "../sources/postgresql/counts.ts";
import type { PostgresqlConnection } from "../sources/postgresql/connection.ts";
import { countRowsWhileStored } from "../sources/mysql/counts.ts";
import { DumpRows } from "../sources/mysql/dump_rows.ts";
import { StoredObjects } from "./stored_objects.ts";
import { feedUnpacked } from "../archive/feed.ts";
import { FrameWatch } from "../transforms/frames.ts";
import { walkArchive, walkIndex, walkStream } from "../archive/walk.ts";

const MB = 1024 * 1024;
/** Size of the test data: more than pipes and buffers hold. So a stage blocks if its output is not read. */
const BYTES = 12 * MB;
const ODD = new Error("odd");

/**
 * Returns a function that throws at its `nth` call. The function throws synchronously, as most parsers do.
 */
function throwingAt(nth: number): () => void {
  let calls = 0;
  return () => {
    if (++calls === nth) throw ODD;
  };
}

const sh = (script: string): Command => ({ program: "sh", args: ["-c", script] });

interface Bench extends AsyncDisposable {
  run: BackupRun;
  children: Children;
  /** Path of a tar archive of an incompressible file, compressed by pzstd. */
  archive: string;
  lines: string;
}

async function bench(): Promise<Bench> {
  const run = await BackupRun.open();
  await shell(
    `cd "$1"; head -c ${BYTES} /dev/urandom > data; mkdir -p tree; ln data tree; seq 50000 | sed 's/^/tree-/' > names
    tar --format=posix -b 128 -cf - tree | pzstd -q -c > archive.tar.zst
    seq 1500000 | zstd -q -c > lines.zst`,
    run.root,
  );
  const children = new Children(systemClock, run.abort.signal);
  return {
    run,
    children,
    archive: `${run.root}/archive.tar.zst`,
    lines: `${run.root}/lines.zst`,
    [Symbol.asyncDispose]: async () => {
      await children[Symbol.asyncDispose]();
      await run[Symbol.asyncDispose]();
    },
  };
}

/** Asserts that the work rejects within 20 seconds with the error `ODD` and no other. */
async function assertRejectsOdd(work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("Still at work")), 20_000);
  try {
    await assert.rejects(Promise.race([work, late.promise]), ODD);
  } finally {
    clearTimeout(timer);
  }
}

async function* pieces(path: string, before: () => void = () => {}): AsyncIterable<Uint8Array> {
  const bytes = await Deno.readFile(path);
  for (let at = 0; at < bytes.length; at += 64 * 1024) {
    before();
    yield bytes.subarray(at, at + 64 * 1024);
  }
}

function objectsOf(at: Bench, path: string): [StoredObjects, StoredObject] {
  const bytes = Deno.readFileSync(path);
  const object: StoredObject = {
    role: "index",
    name: path.slice(at.run.root.length + 1),
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    database: null,
  };
  const destination = { type: "local" as const, directory: at.run.root };
  const backup: BackupToRead = {
    id: 1,
    created_at: "2026-01-02T03:04:05.000Z",
    objects: [object],
    files_count: null,
    source: null,
    destination,
    key: null,
  };
  return [
    new StoredObjects(backup, new LocalDestination(destination, at.run.ports.signal), at.children),
    object,
  ];
}

/** The number of the chunk at which a stage throws: the first, one in the middle, one near the end. */
const MOMENTS = { "at its first bytes": 1, "in the middle": 80, "near its end": 190 };

function throwingWatch(nth: number): FrameWatch {
  const watch = new FrameWatch();
  const tick = throwingAt(nth);
  const push = watch.push.bind(watch);
  watch.push = (chunk) => {
    tick();
    push(chunk);
  };
  return watch;
}

for (const [moment, nth] of Object.entries(MOMENTS)) {
  Deno.test(`reading an archive ends when its source or its frame parser throws ${moment}`, async () => {
    await using at = await bench();
    const whole = (path: string | null) => ({ chunks: pieces(at.archive), path });
    const odd = (path: string | null) => ({ chunks: pieces(at.archive, throwingAt(nth)), path });
    const work = at.run.ports.workDirectory;
    for (const path of [null, at.archive]) {
      for (const [bytes, watch] of [[odd, new FrameWatch()], [whole, throwingWatch(nth)]] as const) {
        await using programs = at.children.nest();
        await assertRejectsOdd(walkArchive(bytes(path), watch, programs, work));
      }
      for (const [bytes, watch] of [[odd, new FrameWatch()], [whole, throwingWatch(nth)]] as const) {
        await using programs = at.children.nest();
        await assertRejectsOdd(walkStream(bytes(path), watch, programs));
      }
    }
  });
}

for (const nth of [1, 700_000, 1_500_000]) {
  Deno.test(`reading the lines of an index ends when the parser throws at line ${nth}`, async () => {
    await using at = await bench();
    const [objects, object] = objectsOf(at, at.lines);
    await assertRejectsOdd(objects.lines(object, throwingAt(nth)));
    // Only the pipeline that reads the index has ended: the run can still start programs to clean up.
    assert.equal((await capture(at.children, sh("echo up"))).stdout, "up\n");
    await assertRejectsOdd(walkIndex(pieces(at.lines, throwingAt(2)), at.children));
  });
}

for (const nth of [1, 4, 12]) {
  Deno.test(`reading a program's output or its file ends when the consumer throws at chunk ${nth}`, async () => {
    await using at = await bench();
    for (const isLate of [false, true]) {
      const children = at.children.nest();
      const endless = sh(`head -c ${BYTES} /dev/zero; exec sleep 1000`);
      const child = children.spawn(endless, { stdout: "piped", onMessage: () => {} });
      const tick = throwingAt(nth);
      const take = isLate ? () => Promise.resolve().then(tick) : tick;
      await assertRejectsOdd(readDoubleBuffered(child.stdout!, take, children.stop));
      const others = at.children.nest();
      const writer = others.spawn(sh("exec sleep 1000"), { stdout: "null", onMessage: () => {} });
      await assertRejectsOdd(
        tail(`${at.run.root}/data`, writer.exited, systemClock, throwingAt(nth), others.stop),
      );
    }
  });
}

Deno.test("tailing a missing file ends its program", async () => {
  await using at = await bench();
  const programs = at.children.nest();
  const writer = programs.spawn(sh("exec sleep 1000"), { stdout: "null", onMessage: () => {} });
  await assert.rejects(
    tail(`${at.run.root}/gone`, writer.exited, systemClock, () => {}, programs.stop),
    Deno.errors.NotFound,
  );
  assert.equal((await writer.exited).signal, "SIGTERM");
});

/** Returns a part whose program runs until it is stopped. */
function endlessPart(changes: Partial<SourcePart>): SourcePart {
  return {
    label: "test",
    database: null,
    infix: null,
    extension: ".sql",
    command: sh(`head -c ${BYTES} /dev/urandom; echo one >&2; exec sleep 1000`),
    streamDescriptor: 1,
    index: null,
    restore: "cat",
    message: () => {},
    checkExit: () => {},
    checkEnd: () => {},
    ...changes,
  };
}

async function* oddInput(count: number): AsyncGenerator<Uint8Array> {
  for (let piece = 0; piece < count; piece++) yield new Uint8Array(64 * 1024);
  throw await Promise.resolve(ODD);
}

const STAGES: Record<string, () => { changes: Partial<SourcePart>; take?: () => void }> = {
  "the reader of its messages": () => ({ changes: { message: throwingAt(1) } }),
  "the check of its exit": () => ({
    changes: { command: sh(`head -c ${BYTES} /dev/urandom`), checkExit: throwingAt(1) },
  }),
  "its input": () => ({ changes: { command: { program: "cat", args: [] }, input: () => oddInput(0) } }),
  "its input, midway, while the program continues": () => ({
    changes: { command: sh("cat; exec sleep 1000"), input: () => oddInput(40) },
  }),
  "its consumer, at once": () => ({ changes: {}, take: throwingAt(1) }),
  "its consumer, midway": () => ({ changes: {}, take: throwingAt(5) }),
};

for (const [stage, make] of Object.entries(STAGES)) {
  for (const isDirect of [false, true]) {
    Deno.test(`a backup's stream${isDirect ? " into a file" : ""} ends when ${stage} throws`, async () => {
      await using at = await bench();
      const { run, children } = at;
      const source = { type: "files" as const, path: "/", excluded_paths: [], allow_unreadable: false };
      const job = run.job(source);
      const context = { job, options: jobOptions(job), ports: run.ports, children, user: null };
      const path = `${run.root}/direct`;
      await Deno.writeFile(path, new Uint8Array(0));
      const direct = isDirect ? { path, written: () => {}, findFault: async () => {} } : null;
      const { changes, take = () => {} } = make();
      const progress = new Progress(run.ports, null);
      await assertRejectsOdd(streamPart(endlessPart(changes), context, progress, take, direct));
    });
  }
}

for (const script of ["exec cat > /dev/null", "sleep 0.2; echo two >&2; exec sleep 1000"]) {
  Deno.test(`a restore's stream ends when a reader of messages throws: ${script}`, async () => {
    await using at = await bench();
    const { run, children } = at;
    const [objects, archive] = objectsOf(at, at.archive);
    const context = { children, objects, ports: run.ports, progress: new ReadProgress(run.ports, objects) };
    await assertRejectsOdd(feedUnpacked(archive, sh(`echo one >&2; ${script}`), throwingAt(1), context));
  });
}

Deno.test("a dump continues when counting its rows throws, and is stored without row counts", async () => {
  await using at = await bench();
  const { push } = DumpRows.prototype;
  DumpRows.prototype.push = throwingAt(2);
  try {
    const { run, children } = at;
    const counting = await countRowsWhileStored(
      "shop",
      Infinity,
      { job: { run_as: null }, ports: run.ports, children, user: null },
      () => Promise.resolve({}),
    );
    for await (const chunk of pieces(at.archive)) await counting.push!(chunk);
    assert.equal(await counting.end(), null);
    assert.match(run.lines.join("\n"), /Rows are not counted in shop/);
  } finally {
    DumpRows.prototype.push = push;
  }
});

Deno.test("a dump continues when psql sends an invalid answer and then nothing more", async () => {
  await using at = await bench();
  const { run, children } = at;
  const connection = {
    scriptCommand: () => sh("echo '{odd'; exec sleep 1000"),
    execute: () => Promise.resolve(""),
    query: () => Promise.resolve([{ has_room: true }]),
  } as unknown as PostgresqlConnection;
  const context = { job: { run_as: null }, ports: run.ports, children, user: null };
  const properties = {
    owner: "postgres",
    grants: null,
    connection_limit: -1,
    is_template: false,
    tablespace: "pg_default",
    comment: null,
    settings: [],
    security_labels: [],
  };
  const known = { properties, excluded: [], unchecked_foreign_keys: [] };
  const counting = await countInSnapshot({ connection, psql: "psql" }, "shop", known, context);
  assert.deepEqual(counting.args, []);
  assert.equal((await counting.end())?.tables, undefined);
});
