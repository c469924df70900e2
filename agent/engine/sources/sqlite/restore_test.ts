import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { restore } from "../../../../tests/support/fixtures/restore_run.ts";
import { verifyJob } from "../../../../tests/support/fixtures/verify_run.ts";
import { describeSqlite, SCHEMA, sqlite } from "../../../../tests/support/sources/sqlite.ts";
import { until } from "../../../../tests/support/assertions/until.ts";
import type { SqliteTarget } from "../../../../src/definitions/sources/sqlite.ts";
import type { StoredBackup } from "../../../../src/protocol/job.ts";
import { systemClock } from "../../../../src/domain/clock.ts";
import { Children } from "../../programs/children.ts";
import { LocalDestination } from "../../destinations/local/local.ts";
import { runDrill } from "../../jobs/drill.ts";
import { BackupDamagedError } from "../../ports.ts";
import { findUsers } from "./holders.ts";

class Bench implements AsyncDisposable {
  private constructor(readonly run: BackupRun, readonly path: string, readonly backup: StoredBackup) {}

  /** Creates a database with every type of object, and backs it up. */
  static async open(script = SCHEMA): Promise<Bench> {
    const run = await BackupRun.open();
    await Deno.mkdir(`${run.root}/data`);
    const path = `${run.root}/data/it's.db`;
    await sqlite(path, script);
    return new Bench(run, path, await run.run({ type: "sqlite", names: [path] }));
  }

  restore(changes: Partial<SqliteTarget> = {}) {
    const target = {
      type: "sqlite",
      run_as: null,
      names: null,
      database_name: null,
      overwrite: false,
    } as const;
    return restore(this.run, this.backup, { target: { ...target, ...changes } });
  }

  async drill(backup = this.backup) {
    const { backup: read, ...job } = verifyJob(this.run, backup, null);
    const target = {
      type: "sqlite",
      run_as: null,
      names: null,
      database_name: null,
      overwrite: false,
    } as const;
    const local = new LocalDestination(
      { type: "local", directory: this.run.directory },
      this.run.ports.signal,
    );
    const { bytes_read } = backup;
    return await runDrill({ ...job, kind: "drill", bytes_read, target, backup: read }, local, this.run.ports);
  }

  names(): string[] {
    return [...Deno.readDirSync(`${this.run.root}/data`)].map(({ name }) => name).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.run.scratches) {
      assert.equal(await Deno.lstat(path).then(() => true, () => false), false, `${path} is left`);
    }
    await this.run[Symbol.asyncDispose]();
  }
}

Deno.test("a database replaces the old one with its journals, and keeps owner and mode", async () => {
  await using bench = await Bench.open();
  const original = await describeSqlite(bench.path);
  // A crashed program left a journal. If the restore left the journal there, SQLite would apply it to the new
  // database.
  await sqlite(bench.path, "pragma journal_mode = wal;\ndelete from customer;\n.shell kill -9 $PPID\n").catch(
    () => {},
  );
  assert.deepEqual(bench.names(), ["it's.db", "it's.db-shm", "it's.db-wal"]);
  await shell('chown 12:34 "$1"; chmod 640 "$1"', bench.path);
  await assert.rejects(bench.restore(), {
    message: /is there already and not empty\. Set overwrite to replace it/,
  });
  assert.equal((await Deno.stat(`${bench.path}-wal`)).size > 0, true, "a refused restore changed something");
  await bench.restore({ overwrite: true });
  assert.deepEqual(bench.names(), ["it's.db"]);
  const { uid, gid, mode } = await Deno.stat(bench.path);
  assert.deepEqual([uid, gid, mode! & 0o7777], [12, 34, 0o640]);
  assert.deepEqual(await describeSqlite(bench.path), original);
});

Deno.test("a database is restored where it is missing, under another path, and through a link", async () => {
  await using bench = await Bench.open();
  const original = await describeSqlite(bench.path);
  await Deno.remove(bench.path);
  await bench.restore();
  assert.deepEqual(await describeSqlite(bench.path), original);
  assert.equal((await Deno.stat(bench.path)).mode! & 0o777, 0o600);
  const other = `${bench.run.root}/data/-other? 'path' %41\n.db`;
  await bench.restore({ database_name: other });
  assert.deepEqual(await describeSqlite(other), original);
  await Deno.remove(other);
  const link = `${bench.run.root}/data/link.db`;
  await Deno.symlink("target.db", link);
  await bench.restore({ database_name: link });
  assert.ok((await Deno.lstat(link)).isSymlink);
  await Deno.writeTextFile(`${bench.run.root}/data/empty.db`, "");
  await bench.restore({ database_name: `${bench.run.root}/data/empty.db` });
  await assert.rejects(bench.restore({ database_name: `${bench.run.root}/none/a.db` }), {
    message: /the directory .*\/none is missing\. Create it, or choose another database_name$/,
  });
  await assert.rejects(bench.restore({ database_name: bench.run.root, overwrite: true }), {
    message: /is not a regular file/,
  });
});

Deno.test("a database that a program has open is not replaced", async () => {
  await using bench = await Bench.open();
  const program = new Deno.Command("sqlite3", {
    args: ["-batch", "-init", "/dev/null", bench.path],
    stdin: "piped",
    stdout: "null",
  }).spawn();
  const writer = program.stdin.getWriter();
  await writer.write(new TextEncoder().encode("select count(*) from note;\n"));
  {
    await using children = new Children(systemClock, bench.run.abort.signal);
    await until(async () => (await findUsers(bench.path, children)).length > 0);
  }
  await assert.rejects(bench.restore({ overwrite: true }), {
    message: new RegExp(
      `is in use by sqlite3 \\(process ${program.pid}\\), which would go on with the old one\\. Stop it`,
    ),
  });
  await writer.close();
  await program.status;
  await bench.restore({ overwrite: true });
});

Deno.test("the next restore ends what a killed one began", async () => {
  await using bench = await Bench.open();
  const directory = `${bench.run.root}/data`;
  const replaced = `${directory}/.rearguard-sqlite-replaced-it's.db`;
  const original = await describeSqlite(bench.path);
  // Imitates a restore that was killed between the two renames: the path has no database, and the old
  // database lies next to the path.
  await Deno.rename(bench.path, replaced);
  await Deno.writeTextFile(`${replaced}-journal`, "");
  await assert.rejects(bench.restore(), { message: /is there already and not empty/ });
  assert.ok(
    bench.run.lines.some((line) => line.includes("which a restore had moved when its agent was killed")),
  );
  assert.deepEqual(await describeSqlite(bench.path), original);
  // Imitates a restore that was killed after both renames: the new database is in place.
  await Deno.writeTextFile(replaced, "old");
  await bench.restore({ overwrite: true });
  assert.deepEqual(bench.names(), ["it's.db"]);
});

Deno.test("a backup that is not as it was stored is not restored", async () => {
  await using bench = await Bench.open();
  const archive = `${bench.run.directory}/${
    bench.backup.objects.find(({ role }) => role === "archive")!.name
  }`;
  const before = await shell('sha256sum < "$1"', bench.path);
  await shell('printf x | dd of="$1" bs=1 seek=3000 conv=notrunc status=none', archive);
  await assert.rejects(bench.restore({ overwrite: true }), BackupDamagedError);
  assert.equal(await shell('sha256sum < "$1"', bench.path), before);
  assert.deepEqual(bench.names(), ["it's.db"]);
});

Deno.test("a drill restores a database, checks and compares it, and removes it", async () => {
  const broken =
    `${SCHEMA}\ncreate table child (id references customer (id)); insert into child values (99999);`;
  await using bench = await Bench.open(broken);
  await bench.drill();
  const { lines } = bench.run;
  assert.ok(lines.some((line) => line.includes("SQLite finds no damage in ")));
  assert.ok(lines.some((line) => line.endsWith("1 rows violate foreign keys, such as of child to customer")));
  assert.ok(
    lines.some((line) => /^Database .* came back as it was: \d+ tables with \d+ rows, \d+ other/.test(line)),
  );
  assert.deepEqual(bench.names(), ["it's.db"]);
});

Deno.test("a drill finds what differs from the backup's records", async () => {
  await using bench = await Bench.open();
  const manifest = bench.backup.objects.find(({ role }) => role === "manifest")!;
  const path = `${bench.run.directory}/${manifest.name}`;
  const text = await Deno.readTextFile(path);
  const changes: [RegExp, string, RegExp][] = [
    [/"rows": 5000/, '"rows": 5001', /table customer has 5000 rows, 5001 were backed up/],
    [/"user_version 4711"/, '"user_version 1"', /database property user_version 1 is missing/],
    [/"rich"/, '"poor"', /view poor is missing/],
  ];
  for (const [pattern, by, damage] of changes) {
    assert.match(text, pattern);
    await Deno.writeTextFile(path, text.replace(pattern, by));
    const [sha256] = (await shell('sha256sum < "$1"', path)).split(" ");
    const { size } = await Deno.stat(path);
    const objects = bench.backup.objects.map((each) =>
      each === manifest ? { ...each, size, sha256: sha256! } : each
    );
    await assert.rejects(bench.drill({ ...bench.backup, objects }), { damage } as never);
  }
});
