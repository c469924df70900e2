import assert from "node:assert/strict";
import { until } from "../../../../tests/support/assertions/until.ts";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { describeSqlite, SCHEMA, sqlite } from "../../../../tests/support/sources/sqlite.ts";
import type { BackupJob, StoredBackup } from "../../../../src/protocol/job.ts";
import { systemClock } from "../../../../src/domain/clock.ts";
import { Children } from "../../programs/children.ts";
import { findLockHolders } from "./holders.ts";
import { infixes, scratchRoot } from "./names.ts";
import { query } from "./program.ts";

/** A directory of databases, and a run that backs them up. */
class Bench implements AsyncDisposable {
  private constructor(readonly run: BackupRun, readonly directory: string) {}

  static async open(): Promise<Bench> {
    const run = await BackupRun.open();
    await Deno.mkdir(`${run.root}/data`);
    return new Bench(run, `${run.root}/data`);
  }

  path(name: string): string {
    return `${this.directory}/${name}`;
  }

  backUp(names: string[], changes: Partial<BackupJob> = {}): Promise<StoredBackup> {
    const paths = names.map((name) => name.startsWith("/") ? name : this.path(name));
    return this.run.run({ type: "sqlite", names: paths }, changes);
  }

  /** Decompresses a stored database. Returns the path of the decompressed file. */
  async unpack(backup: StoredBackup, index = 0): Promise<string> {
    const archive = backup.objects.filter(({ role }) => role === "archive")[index]!;
    const path = `${this.run.root}/unpacked-${index}`;
    await shell('zstd -dcq "$1" > "$2"', `${this.run.directory}/${archive.name}`, path);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    assert.deepEqual(await leftovers(this.run), [], "a copy is left");
    await this.run[Symbol.asyncDispose]();
  }
}

async function leftovers(run: BackupRun): Promise<string[]> {
  const left: string[] = [];
  for (const path of run.scratches) if (await exists(path)) left.push(path);
  return left;
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

/** Program that inserts pairs of rows, each pair in one transaction, until it is disposed of. */
class Writer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  constructor(private readonly path: string) {
    const pair = "begin immediate; insert into a values (randomblob(300)); insert into b values (1); commit;";
    const loop =
      `echo .timeout 60000; echo 'pragma synchronous = off;'; while [ ! -e "$1.stop" ]; do echo "${pair}"; done`;
    this.#child = new Deno.Command("bash", {
      args: ["-c", `(${loop}) | sqlite3 -batch -bail -init /dev/null "$1"`, "bash", path],
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.writeTextFile(`${this.path}.stop`, "");
    assert.equal((await this.#child.status).code, 0, "a write failed");
  }
}

const PAIRS = `create table a (x); create table b (x);
  with recursive seq (x) as (select 1 union all select x + 1 from seq where x < 20000)
  insert into a select randomblob(300) from seq; insert into b select 1 from a;`;

for (const mode of ["wal", "delete"]) {
  Deno.test(`a database is backed up while a program writes to it, journal_mode ${mode}`, async () => {
    await using bench = await Bench.open();
    const path = bench.path("live.db");
    await sqlite(path, `pragma journal_mode = ${mode}; ${PAIRS}`);
    const count = async (file: string) =>
      (await sqlite(file, ".timeout 60000\nselect count(*) from b;")).trim();
    let backup: StoredBackup;
    let during: number;
    {
      await using _writer = new Writer(path);
      await until(async () => Number(await count(path)) > 20_000);
      backup = await bench.backUp(["live.db"]);
      during = Number(await count(path));
      // The writer still runs after the copy.
      await until(async () => Number(await count(path)) > during);
    }
    const copy = await bench.unpack(backup);
    const [a, b] = [(await sqlite(copy, "select count(*) from a;")).trim(), await count(copy)];
    assert.equal(a, b, "a transaction was cut in half");
    assert.ok(Number(b) > 20_000 && Number(b) <= during);
    assert.match(
      await sqlite(copy, "pragma integrity_check; pragma journal_mode;"),
      new RegExp(`^ok\n${mode}\n$`),
    );
  });
}

Deno.test("a backup changes nothing of a database, and leaves no file beside it", async () => {
  await using bench = await Bench.open();
  for (const mode of ["wal", "delete"]) {
    const path = bench.path(`${mode}.db`);
    await sqlite(path, `pragma journal_mode = ${mode}; ${SCHEMA}`);
    const before = await shell('sha256sum < "$1"', path);
    const names = [...Deno.readDirSync(bench.directory)].map(({ name }) => name).sort();
    await bench.backUp([`${mode}.db`]);
    assert.equal(await shell('sha256sum < "$1"', path), before);
    assert.deepEqual([...Deno.readDirSync(bench.directory)].map(({ name }) => name).sort(), names);
    await Deno.remove(bench.run.directory, { recursive: true });
  }
});

Deno.test("what a crashed program left is backed up as its next start would find it", async () => {
  await using bench = await Bench.open();
  for (const mode of ["wal", "delete"]) {
    const path = bench.path(`${mode}.db`);
    await sqlite(path, `pragma journal_mode = ${mode}; ${PAIRS}`);
    // Kills a program during a transaction, when some of its pages are already in the file.
    const script = "pragma cache_size = 5;\nbegin;\nupdate a set x = zeroblob(400);\n.shell kill -9 $PPID\n";
    if (mode === "wal") {
      await sqlite(path, "insert into b values (2);\n.shell kill -9 $PPID\n").catch(() => {});
    } else await sqlite(path, script).catch(() => {});
    const companion = mode === "wal" ? "-wal" : "-journal";
    assert.ok((await Deno.stat(path + companion)).size > 0);
    const backup = await bench.backUp([`${mode}.db`]);
    const copy = await bench.unpack(backup);
    assert.match(await sqlite(copy, "pragma integrity_check;"), /^ok\n/);
    const rows = mode === "wal" ? "20001" : "20000";
    assert.equal((await sqlite(copy, "select count(*) from b;")).trim(), rows);
    assert.equal((await sqlite(copy, "select count(*) from a where x = zeroblob(400);")).trim(), "0");
    await Deno.remove(bench.run.directory, { recursive: true });
  }
});

Deno.test("a locked database fails the run after the limit, and the holder is named", async () => {
  await using bench = await Bench.open();
  const path = bench.path("locked.db");
  await sqlite(path, PAIRS);
  const holder = new Deno.Command("sqlite3", {
    args: ["-batch", "-init", "/dev/null", path],
    stdin: "piped",
    stdout: "null",
  }).spawn();
  const writer = holder.stdin.getWriter();
  await writer.write(new TextEncoder().encode("begin exclusive;\ninsert into b values (3);\n"));
  await until(async () => (await findLockHolders([path])).length > 0);
  await assert.rejects(bench.backUp(["locked.db"], { lock_wait_ms: 300 }), {
    name: "RunFailedError",
    message: new RegExp(
      `^Cannot back up database .*/locked\\.db: it is locked by sqlite3 \\(process ${holder.pid}\\); waited 1 s\\.$`,
    ),
  });
  await writer.write(new TextEncoder().encode("commit;\n"));
  await writer.close();
  await holder.status;
  await bench.backUp(["locked.db"], { lock_wait_ms: 300 });
});

Deno.test("what is no database that can be read is said in words", async (t) => {
  const cases: Record<string, [(path: string) => Promise<unknown>, RegExp]> = {
    missing: [() => Promise.resolve(), /no such file\. Check the task's database_name$/],
    empty: [(path) => Deno.writeTextFile(path, ""), /it is empty \(0 bytes\), so it holds no database$/],
    text: [
      (path) => Deno.writeTextFile(path, "hello ".repeat(1000)),
      /it is not a SQLite database, or it is encrypted/,
    ],
    encrypted: [
      (path) => shell('head -c 40960 /dev/urandom > "$1"', path),
      /it is not a SQLite database, or it is enc/,
    ],
    directory: [(path) => Deno.mkdir(path), /it is not a regular file$/],
    damaged: [
      async (path) => {
        await sqlite(path, PAIRS);
        await shell('dd if=/dev/urandom of="$1" bs=4096 seek=10 count=20 conv=notrunc status=none', path);
      },
      /it is damaged: .*\. Repair it, such as with sqlite3's \.recover, or restore an earlier backup\.$/,
    ],
    "cut off": [
      async (path) => {
        await sqlite(path, PAIRS);
        await Deno.truncate(path, 4096 * 50);
      },
      /it is damaged: /,
    ],
  };
  for (const [name, [make, message]] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using bench = await Bench.open();
      await make(bench.path(name));
      await assert.rejects(bench.backUp([name]), {
        name: /^(RunFailed|SourceFailed)Error$/ as never,
        message,
      }).catch(
        async (error) => {
          if (!(error instanceof assert.AssertionError)) throw error;
          await assert.rejects(bench.backUp([name]), { message });
        },
      );
    });
  }
});

Deno.test("a pattern selects databases, and leaves out the files that belong to them", async () => {
  await using bench = await Bench.open();
  const held = new Deno.Command("sqlite3", {
    args: ["-batch", "-init", "/dev/null", bench.path("live.db")],
    stdin: "piped",
    stdout: "null",
  }).spawn();
  const writer = held.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`pragma journal_mode = wal; ${PAIRS}\n`));
  await until(() => exists(bench.path("live.db-wal")));
  await until(async () =>
    (await sqlite(bench.path("live.db"), "select count(*) from sqlite_master;")).trim() === "2"
  );
  await sqlite(bench.path(".hidden.db"), PAIRS);
  await sqlite(bench.path("[x].db"), PAIRS);
  await Deno.mkdir(bench.path("folder"));
  await Deno.symlink(bench.path("live.db"), bench.path("link.db"));
  const { objects, missing } = await bench.backUp(["*"]);
  const databases = objects.flatMap(({ database, role }) => role === "archive" ? [database] : []);
  assert.deepEqual(databases, [bench.path("[x].db"), bench.path("link.db")]);
  assert.ok(bench.run.lines.some((line) => line.startsWith("Left out, as it is the same file as ")));
  assert.equal(missing, undefined);
  await Deno.remove(bench.run.directory, { recursive: true });
  assert.equal((await bench.backUp(["[x].db"])).objects[0]!.database, bench.path("[x].db"), "it is literal");
  await Deno.remove(bench.run.directory, { recursive: true });
  const partial = await bench.backUp(["live.db", "none*.db", "gone.db"]);
  assert.deepEqual(partial.missing!.map(({ name }) => name), [bench.path("none*.db"), bench.path("gone.db")]);
  assert.match(partial.missing![0]!.reason, /no file matches it\. Check the task's database_name$/);
  await assert.rejects(bench.backUp(["none*.db"]), {
    name: "RunFailedError",
    message: /^Cannot back up database .*none\*\.db: no file matches it\./,
  });
  await writer.close();
  await held.status;
});

Deno.test("databases of one name get objects of their own, and long names are shortened", async () => {
  await using bench = await Bench.open();
  const paths: string[] = [];
  for (const name of ["one", "two", "x".repeat(120)]) {
    await Deno.mkdir(bench.path(name));
    paths.push(bench.path(`${name}/${name.length > 3 ? "é".repeat(100) : "app"}.db`));
    await sqlite(paths.at(-1)!, `create table t (x); insert into t values ('${name}');`);
  }
  const backup = await bench.backUp(paths);
  const archives = backup.objects.filter(({ role }) => role === "archive");
  assert.deepEqual(archives.map(({ database }) => database), paths);
  assert.match(archives[0]!.name, /^backup_7_app\.db~[0-9a-f]{8}_20260102030405\.sqlite\.zst$/);
  assert.equal(new Set(archives.map(({ name }) => name)).size, 3);
  assert.equal((await sqlite(await bench.unpack(backup, 1), "select * from t;")).trim(), "two");
  assert.doesNotThrow(() => infixes(paths).forEach((infix) => decodeURIComponent(infix.replace(/~.*/, ""))));
});

Deno.test("an empty database is backed up; so is one whose objects only its program can use", async () => {
  await using bench = await Bench.open();
  await sqlite(bench.path("empty.db"), "pragma user_version = 3; vacuum;");
  await sqlite(bench.path("odd.db"), "create table t (x); insert into t values (1);");
  await sqlite(
    bench.path("odd.db"),
    `pragma writable_schema = on;
     insert into sqlite_master values ('table', 'v', 'v', 0, 'create virtual table v using nowhere (x)');`,
  );
  const backup = await bench.backUp(["empty.db", "odd.db"]);
  assert.equal((await sqlite(await bench.unpack(backup), "pragma user_version;")).trim(), "3");
  assert.match(await sqlite(await bench.unpack(backup, 1), "select * from t;"), /^1\n/);
});

Deno.test("the user's own settings of sqlite3 are not read", async () => {
  await using bench = await Bench.open();
  await sqlite(bench.path("a.db"), PAIRS);
  await Deno.writeTextFile(bench.path(".sqliterc"), ".output /dev/full\n");
  await using children = new Children(systemClock, bench.run.abort.signal);
  const user = { name: "root", uid: Deno.uid()!, gid: Deno.gid()!, home: bench.directory };
  const opening = { path: bench.path("a.db"), as: "read" } as const;
  assert.deepEqual(await query({ children, user }, opening, "select count(*) from b;"), ["20000"]);
});

Deno.test("another system user reads the databases, and only those that it may", async () => {
  await using bench = await Bench.open();
  await shell('chmod 755 "$1" "$2"', bench.run.root, bench.directory);
  await sqlite(bench.path("own.db"), PAIRS);
  await sqlite(bench.path("other.db"), PAIRS);
  await shell('chown nobody "$1"; chmod 600 "$1" "$2"', bench.path("own.db"), bench.path("other.db"));
  const backup = await bench.backUp(["own.db", "other.db"], { run_as: "nobody" });
  assert.deepEqual(backup.missing?.map(({ name }) => name), [bench.path("other.db")]);
  assert.match(backup.missing![0]!.reason, /unable to open database/);
  assert.deepEqual(await describeTables(await bench.unpack(backup)), ["20000"]);
});

async function describeTables(path: string): Promise<string[]> {
  return [(await sqlite(path, "select count(*) from a;")).trim()];
}

Deno.test("a copy that has no room fails with words, and says what to set", async () => {
  assert.equal(scratchRoot(), Deno.env.get("TMPDIR") || "/var/tmp");
  await using bench = await Bench.open();
  const path = bench.path("huge.db");
  await sqlite(path, "create table t (x);");
  // The header now says that the database has 2^31 - 1 pages of 4096 bytes. The file is sparse and has that
  // length.
  await shell('printf "\\x7f\\xff\\xff\\xff" | dd of="$1" bs=1 seek=28 conv=notrunc status=none', path);
  await shell('truncate -s $((0x7fffffff * 4096)) "$1"', path);
  await assert.rejects(bench.backUp(["huge.db"]), {
    message:
      /^Cannot copy database .*huge\.db: .* has no room for it, as it takes 8\.\d TB and .* set TMPDIR/,
  });
  await Deno.remove(path);
});

Deno.test("every kind of object is described for drills", async () => {
  await using bench = await Bench.open();
  await sqlite(bench.path("all.db"), SCHEMA);
  const backup = await bench.backUp(["all.db"]);
  const original = await describeSqlite(bench.path("all.db"));
  assert.deepEqual(await describeSqlite(await bench.unpack(backup)), original);
  const manifest = backup.objects.find(({ role }) => role === "manifest")!;
  const { objects: [{ tables, objects }] } = JSON.parse(
    await Deno.readTextFile(`${bench.run.directory}/${manifest.name}`),
  );
  assert.deepEqual(Object.keys(objects).sort(), [
    "database property",
    "index",
    "trigger",
    "view",
    "virtual table",
  ]);
  assert.ok(objects["database property"].includes("user_version 4711"));
  assert.equal(tables.find(({ name }: { name: string }) => name === "customer").rows, 5000);
  assert.equal(tables.find(({ name }: { name: string }) => name === 'order "odd').rows, 499);
});
