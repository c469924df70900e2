import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { failingDisk } from "../../../../tests/support/fixtures/failing_disk.ts";
import { restore } from "../../../../tests/support/fixtures/restore_run.ts";
import { verify } from "../../../../tests/support/fixtures/verify_run.ts";
import { BackupDamagedError, RunFailedError } from "../../ports.ts";
import { LocalFiles } from "./files.ts";
import { isUnreadable, readLocal } from "./reader.ts";

const signal = new AbortController().signal;

Deno.test("what a disk can't read is told after the second time", async () => {
  const lines: string[] = [];
  // /proc/self/mem has no readable memory at its start, so reading at that position fails with EIO.
  const reading = Array.fromAsync(
    readLocal("/proc/self/mem", { from: 10, to: 20 }, new LocalFiles("/proc/self", signal), signal, {
      line: (text) => lines.push(text),
    }),
  );
  await assert.rejects(reading, (error) => {
    assert(error instanceof RunFailedError && isUnreadable(error), Deno.inspect(error));
    assert.match(
      error.message,
      /^Cannot read \/proc\/self\/mem: its disk reported an error\. Check the kernel's log/,
    );
    return true;
  });
  assert.deepEqual(lines, [
    "Reading /proc/self/mem again from byte 10: its disk reported an error. Check the kernel's log",
  ]);
});

Deno.test("a disk that fails once damages no backup, one that fails again does", async () => {
  await using run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await shell('mkdir "$1"; head -c 3000000 /dev/urandom > "$1/noise"', tree);
  const source = { type: "files" as const, path: tree, excluded_paths: [], allow_unreadable: false };
  const backup = await run.run(source);
  const reads = new Map<string, number>();
  {
    // The first read of each file succeeds, the second fails.
    using _disk = failingDisk(run.directory, (path) => {
      reads.set(path, (reads.get(path) ?? 0) + 1);
      return reads.get(path) === 2;
    });
    await verify(run, backup);
    reads.clear();
    await restore(run, backup, { target: { path: `${run.root}/target` } });
  }
  assert.deepEqual(await Deno.readFile(`${run.root}/target/noise`), await Deno.readFile(`${tree}/noise`));
  using _disk = failingDisk(run.directory, (path) => path.endsWith(".tar.zst"));
  const damaged = (told: string) => (error: unknown) => {
    assert(error instanceof BackupDamagedError, Deno.inspect(error));
    assert.match(error.damage, /^backup_7_20260102030405\.tar\.zst: its disk can't read it back \(EIO\)/);
    assert(error.message.startsWith(told), error.message);
    return true;
  };
  await assert.rejects(verify(run, backup), damaged("Backup 31 is damaged: "));
  const target = { path: `${run.root}/other` };
  await assert.rejects(restore(run, backup, { target }), damaged("Cannot restore backup 31: "));
});
