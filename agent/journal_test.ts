import assert from "node:assert/strict";
import { join } from "node:path";
import type { RunEvent } from "../src/protocol/messages.ts";
import { TestClock } from "../tests/support/clock.ts";
import { Journal, RunJournal } from "./journal.ts";

const line = (text: string): RunEvent => ({ kind: "output", text });
const verdict = {
  kind: "finished" as const,
  verdict: { outcome: "failed" as const, warnings_count: 0, reason: "no", leftovers: [] },
};

async function directory(work: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    await work(path);
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

Deno.test("events are numbered from 1 and read back after a restart", () =>
  directory(async (path) => {
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
    assert.equal(again.lastSequence, 4);
    again.close();
  }));

Deno.test("a journal cut at any byte reads back as the entries before the cut, and goes on", () =>
  directory(async (path) => {
    const clock = new TestClock();
    const journal = await Journal.open(path, clock);
    const run = journal.create(1, 1, "backup");
    run.append({ kind: "accepted" });
    run.append(line("é ☂\n"));
    await run.opening("x", null);
    await run.finish(verdict);
    journal.close();
    const file = join(path, "1-1.jsonl");
    const whole = await Deno.readFile(file);
    const ends = [...whole.keys()].filter((i) => whole[i] === 10);
    for (let cut = 0; cut <= whole.length; cut++) {
      await Deno.writeFile(file, whole.subarray(0, cut));
      const read = (await Journal.open(path, clock)).find(1, 1)!;
      const entries = ends.filter((end) => end < cut).length;
      assert.equal(read.lastSequence, [0, 1, 2, 2, 3][entries], `cut at ${cut}`);
      assert.equal(read.finished, entries === 4);
      read.append(line("after\n"));
      read.close();
      const next = (await Journal.open(path, clock)).find(1, 1)!;
      assert.deepEqual(next.after(read.lastSequence - 1, 5).map(({ event }) => event), [line("after\n")]);
      next.close();
    }
  }));

Deno.test("scrambled entries end the journal there", () =>
  directory(async (path) => {
    const clock = new TestClock();
    const journal = await Journal.open(path, clock);
    journal.create(1, 1, "backup").append({ kind: "accepted" });
    journal.close();
    const file = join(path, "1-1.jsonl");
    const whole = await Deno.readTextFile(file);
    await Deno.writeTextFile(file, `${whole}\0\0\0\0\n${whole}`);
    const read = (await Journal.open(path, clock)).find(1, 1)!;
    assert.equal(read.lastSequence, 1);
    read.close();
    assert.equal(await Deno.readTextFile(file), whole);
  }));

Deno.test("what is acknowledged is not sent again, and a finished run is forgotten once all of it is", () =>
  directory(async (path) => {
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
  directory(async (path) => {
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

Deno.test("a full disk keeps no acknowledgement from being taken", () => {
  const file = Deno.openSync("/dev/full", { append: true });
  const onFullDisk = RunJournal as unknown as new (...of: unknown[]) => RunJournal;
  const run = new onFullDisk(1, 1, "/dev/full", file, new TestClock());
  assert.throws(() => run.append(line("x".repeat(1_200_000))), /No space left on device/);
  run.acknowledge(1);
  assert.deepEqual(run.after(0, 10), []);
  run.close();
});

Deno.test("a full disk is told, and the event is kept in memory", () => {
  const file = Deno.openSync("/dev/full", { append: true });
  const onFullDisk = RunJournal as unknown as new (...of: unknown[]) => RunJournal;
  const run = new onFullDisk(1, 1, "/dev/full", file, new TestClock());
  assert.throws(() => run.append(line("a\n")), /No space left on device/);
  assert.equal(run.after(0, 10).length, 1);
  run.close();
});
