import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunEvent } from "../src/protocol/wire_messages.ts";
import { TestClock } from "../tests/support/fixtures/clock.ts";
import { Journal, RunJournal } from "./journal.ts";

const line = (text: string): RunEvent => ({ kind: "output", text });
const verdict = {
  kind: "finished" as const,
  verdict: { outcome: "failed" as const, warnings_count: 0, reason: "no", leftovers: [] },
};

async function inDirectory(work: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await work(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

Deno.test("events are numbered from 1 and read back after a restart", () =>
  inDirectory(async (path) => {
    const clock = new TestClock();
    const journal = await Journal.open(path, clock);
    const run = journal.create(5, 2, "backup");
    run.append({ kind: "accepted" });
    run.append(line("ä\n"));
    await run.opening("a.tar.zst", "/backups/.a.tar.zst.partial");
    run.append(line("b\n"));
    journal.close();
    const again = (await Journal.open(path, clock)).find(5, 2)!;
    assert.equal(again.lastSequence, 3);
    assert.equal(again.finished, false);
    assert.deepEqual(again.openings, [{ name: "a.tar.zst", path: "/backups/.a.tar.zst.partial" }]);
    assert.deepEqual(again.after(1, 10).map(({ sequence, event }) => [sequence, event]), [
      [2, line("ä\n")],
      [3, line("b\n")],
    ]);
    again.append(line("c\n"));
    assert.ok(again.lastSequence > 3);
    again.close();
  }));

Deno.test("an altered entry and a repeated entry are skipped", () =>
  inDirectory(async (path) => {
    const clock = new TestClock();
    const journal = await Journal.open(path, clock);
    const run = journal.create(1, 1, "backup");
    run.append({ kind: "accepted" });
    run.append(line("a\n"));
    await run.opening("x", null);
    journal.close();
    const file = join(path, "1-1.jsonl");
    const [first, second, third] = (await Deno.readTextFile(file)).split("\n");
    const altered = second!.replace("a\\n", "b\\n");
    await Deno.writeTextFile(file, [first, altered, "\0\0\0", first, third, "{}", ""].join("\n"));
    const read = (await Journal.open(path, clock)).find(1, 1)!;
    assert.deepEqual(read.after(0, 10).map(({ event }) => event), [{ kind: "accepted" }]);
    assert.deepEqual(read.openings, [{ name: "x", path: null }]);
    read.close();
  }));

Deno.test("a journal of an older agent, without checksums, is read", () =>
  inDirectory(async (path) => {
    const entry = { sequence: 3, at: "2026-01-05T12:00:00.000Z", event: line("a\n") };
    await Deno.writeTextFile(
      join(path, "7-2.jsonl"),
      `{"job":"restore"}\n${JSON.stringify(entry)}\n{"opening":"x","path":null}\n{"acknow`,
    );
    const read = (await Journal.open(path, new TestClock())).find(7, 2)!;
    assert.equal(read.kind, "restore");
    assert.deepEqual(read.after(0, 10).map(({ sequence, event }) => [sequence, event]), [[3, line("a\n")]]);
    assert.deepEqual(read.openings, [{ name: "x", path: null }]);
    read.close();
  }));

Deno.test("a line that a full disk truncated does not damage the next line", () =>
  inDirectory(async (path) => {
    const file = join(path, "1-1.jsonl");
    let room = Infinity;
    const disk = {
      writeSync(bytes: Uint8Array): number {
        if (room === 0) throw new Error("No space left on device");
        const taken = bytes.subarray(0, room);
        room -= taken.length;
        Deno.writeFileSync(file, taken, { append: true });
        return taken.length;
      },
      syncData: () => Promise.resolve(),
    };
    const onDisk = RunJournal as unknown as new (...of: unknown[]) => RunJournal;
    const run = new onDisk(1, 1, file, disk, new TestClock());
    run.append(line("a\n"));
    room = 20;
    assert.throws(() => run.append(line("b\n")), /No space left/);
    room = Infinity;
    await run.finish(verdict);
    const read = (await Journal.open(path, new TestClock())).find(1, 1)!;
    assert.deepEqual(read.after(0, 10).map(({ sequence }) => sequence), [1, 3]);
    assert.ok(read.finished);
    read.close();
  }));

Deno.test("acknowledged events are not sent again, and a completely acknowledged run is forgotten", () =>
  inDirectory(async (path) => {
    const clock = new TestClock();
    const journal = await Journal.open(path, clock);
    const run = journal.create(1, 1, "backup");
    for (const text of ["a\n", "b\n", "c\n"]) run.append(line(text));
    const before = run.pendingSize;
    journal.acknowledge(1, 1, 2);
    assert.ok(run.pendingSize < before);
    assert.deepEqual(run.after(0, 10).map(({ sequence }) => sequence), [3]);
    journal.acknowledge(1, 1, 1);
    assert.equal(run.acknowledged, 2);
    await run.finish(verdict);
    journal.acknowledge(1, 1, 3);
    assert.equal(journal.all().length, 1);
    journal.acknowledge(1, 1, 4);
    assert.equal(journal.all().length, 0);
    assert.deepEqual([...Deno.readDirSync(path)], []);
  }));

Deno.test("the acknowledged part of a long journal is not read back", () =>
  inDirectory(async (path) => {
    const clock = new TestClock();
    const journal = await Journal.open(path, clock);
    const run = journal.create(1, 1, "backup");
    for (let i = 1; i <= 60; i++) {
      run.append(line("x".repeat(50_000)));
      journal.acknowledge(1, 1, i);
    }
    journal.close();
    const read = (await Journal.open(path, clock)).find(1, 1)!;
    assert.ok(read.pendingSize < 1_500_000, `${read.pendingSize}`);
    assert.equal(read.lastSequence, 60);
    read.close();
  }));

Deno.test("an acknowledgement takes effect even if a full disk can't record it", () => {
  const file = Deno.openSync("/dev/full", { append: true });
  const onFullDisk = RunJournal as unknown as new (...of: unknown[]) => RunJournal;
  const run = new onFullDisk(1, 1, "/dev/full", file, new TestClock());
  assert.throws(() => run.append(line("x".repeat(2_000_000))), /No space left on device/);
  run.acknowledge(1);
  assert.equal(run.acknowledged, 1);
  assert.equal(run.pendingSize, 0);
  run.close();
});

Deno.test("a journal that can't be removed or read back does not stop the agent", () =>
  inDirectory(async (path) => {
    const journal = await Journal.open(path, new TestClock());
    const run = journal.create(1, 1, "backup");
    await run.finish(verdict);
    await Deno.remove(join(path, "1-1.jsonl"));
    await Deno.mkdir(join(path, "1-1.jsonl", "full"), { recursive: true });
    journal.acknowledge(1, 1, 1);
    assert.equal(journal.all().length, 0);
    assert.equal((await Journal.open(path, new TestClock())).all().length, 0);
  }));

Deno.test("appending to a full disk throws, and the event is kept in memory", () => {
  const file = Deno.openSync("/dev/full", { append: true });
  const onFullDisk = RunJournal as unknown as new (...of: unknown[]) => RunJournal;
  const run = new onFullDisk(1, 1, "/dev/full", file, new TestClock());
  assert.throws(() => run.append(line("a\n")), /No space left on device/);
  assert.equal(run.after(0, 10).length, 1);
  run.close();
});
