import assert from "node:assert/strict";
import { TarMessages } from "./tar_messages.ts";
import type { FilesSource } from "../../../../src/definitions/sources/files.ts";
import { BackupRun, shell } from "../../../../tests/support/fixtures/backup_run.ts";
import { StalledDestination } from "../../../../tests/support/fixtures/stalled_destination.ts";

const STAMPED = "backup_7_20260102030405";

function source(path: string, changes: Partial<FilesSource> = {}): FilesSource {
  return { type: "files", path, excluded_paths: [], allow_unreadable: false, ...changes };
}

/** Opens a backup run, and creates an empty directory `tree` that every user may enter. */
async function fixture() {
  const run = await BackupRun.open();
  const tree = `${run.root}/tree`;
  await Deno.chmod(run.root, 0o755);
  await Deno.mkdir(tree);
  return { run, tree, [Symbol.asyncDispose]: () => run[Symbol.asyncDispose]() };
}

/** Returns the names of the archive's members, as the stock tar lists them. */
async function members(run: BackupRun): Promise<string[]> {
  const names = await shell(
    'zstd -dc "$1" | tar -t --record-size=64K --quoting-style=literal',
    `${run.directory}/${STAMPED}.tar.zst`,
  );
  return names.trim().split("\n").sort();
}

async function index(run: BackupRun): Promise<string[]> {
  return (await shell('zstd -dc "$1"', `${run.directory}/${STAMPED}.index.zst`)).trimEnd().split("\n");
}

/** Asserts that the run fails with this reason and leaves no objects. */
async function fails(run: BackupRun, spec: FilesSource, message: RegExp, changes = {}): Promise<void> {
  await assert.rejects(run.run(spec, changes), (error: Error) => {
    assert.equal(error.name, "RunFailedError");
    assert.match(error.message, message);
    assert.ok(!error.message.includes("\n"));
    return true;
  });
  assert.deepEqual(run.stored(), []);
}

Deno.test("a source that is missing, relative, a device or empty fails with the reason", async () => {
  await using at = await fixture();
  await fails(
    at.run,
    source("/no/such/place"),
    /^Cannot back up \/no\/such\/place: no such file or directory/,
  );
  await fails(at.run, source("tmp"), /must be absolute/);
  await fails(at.run, source("/dev/null"), /neither a directory nor a regular file/);
  await fails(at.run, source(at.tree), /it is empty, or all of it is excluded/);
  await Deno.writeTextFile(`${at.tree}/only`, "x");
  await fails(at.run, source(at.tree, { excluded_paths: ["only"] }), /it is empty, or all of it is excluded/);
});

Deno.test("a single file is a source, whatever its name", async () => {
  await using at = await fixture();
  for (const name of ["-rf", "a\\tb", "new\nline"]) {
    await Deno.writeTextFile(`${at.tree}/${name}`, name);
    const backup = await at.run.run(source(`${at.tree}/${name}`));
    assert.equal(backup.files_count, 1);
    const out = await shell(
      'zstd -dc "$1" | tar -x --record-size=64K --to-stdout',
      `${at.run.directory}/${STAMPED}.tar.zst`,
    );
    assert.equal(out, name);
    await Deno.remove(at.run.directory, { recursive: true });
  }
});

Deno.test("the manifest's command reads the archive to its end, so that no program gets SIGPIPE", async () => {
  await using at = await fixture();
  await Deno.writeTextFile(`${at.tree}/a`, "a");
  await at.run.run(source(at.tree));
  const manifest = JSON.parse(await Deno.readTextFile(`${at.run.directory}/${STAMPED}.manifest.json`));
  const [unpack, restore] = manifest.restore[0].split(" | ");
  await Deno.mkdir(`${at.run.root}/target`);
  const left = await shell(
    `cd "$1"; ${unpack} | { ${restore.replace("TARGET", '"$2"')}; wc -c; }`,
    at.run.directory,
    `${at.run.root}/target`,
  );
  assert.equal(left.trim(), "0");
});

Deno.test("the index has a line for every member, with block, type, size, time and quoted name", async () => {
  await using at = await fixture();
  await shell(
    `cd "$1"; printf 12345 > a; touch -d '2020-01-02 03:04:05.678 UTC' a; ln a hard; ln -s a 'x -> y'; : > "$(printf 'n\\nl')"`,
    at.tree,
  );
  const backup = await at.run.run(source(at.tree));
  const lines = await index(at.run);
  const archive = backup.objects.find(({ role }) => role === "archive")!;
  // The archive is one frame after a header of 12 bytes. The frame's checksum is its last four bytes.
  const sum = await shell(
    'tail -c 4 "$1" | od -An -tx4 --endian=little',
    `${at.run.directory}/${archive.name}`,
  );
  const frame = `${archive.size - 12} ${sum.trim()}`;
  assert.deepEqual(lines.splice(5), [`frames ${backup.bytes_read} ${backup.bytes_read}`, frame]);
  assert.equal(backup.files_count, 4);
  assert.match(lines[0]!, /^block 0: d\S+ +0\/0 +0 \S+ \S+ "\.\/"$/);
  const names = lines.join("\n");
  assert.match(names, /^block \d+: -rw\S+ +0\/0 +5 2020-01-02 03:04:05.678 +"\.\/(a|hard)"$/m);
  assert.match(names, /"\.\/x -> y" -> "a"$/m);
  assert.match(names, /"\.\/(hard|a)" link to "\.\/(a|hard)"$/m);
  assert.match(names, /"\.\/n\\nl"$/m);
});

Deno.test("patterns exclude by name at every depth, by path from the root, and nothing else", async () => {
  await using at = await fixture();
  await shell(
    `cd "$1"; mkdir -p keep/cache src/node_modules -- -x; touch a.log keep/b.log keep/cache/c src/node_modules/d src/e -- -x/f '[a].log!'`,
    at.tree,
  );
  await at.run.run(
    source(at.tree, {
      excluded_paths: ["*.log", "node_modules/", `${at.tree}/keep/cache`, "-x", "/elsewhere"],
    }),
  );
  assert.deepEqual(await members(at.run), ["./", "./[a].log!", "./keep/", "./src/", "./src/e"]);
  assert.deepEqual(at.run.warnings, [
    `Excluded path /elsewhere is not in ${at.tree}: nothing is left out for it`,
  ]);
  await using again = await fixture();
  await fails(again.run, source(again.tree, { excluded_paths: [again.tree] }), /it is the source itself/);
});

Deno.test("a destination and a work directory inside the source are left out", async () => {
  await using at = await fixture();
  const inside = `${at.run.root}/des[t]*`;
  await Deno.mkdir(`${at.run.root}/dest`);
  await Deno.mkdir(inside);
  await Deno.symlink(inside, `${at.run.root}/way`);
  for (const path of [`${at.run.root}/dest/kept`, `${inside}/older`]) await Deno.writeTextFile(path, "x");
  await at.run.run(source(at.run.root), {
    destination: { type: "local", directory: `${at.run.root}/way/new` },
  });
  const archive = `${inside}/new/${STAMPED}.tar.zst`;
  const names = (await shell('zstd -dc "$1" | tar -t --record-size=64K', archive)).trim().split("\n").sort();
  assert.deepEqual(names, [
    "./",
    "./des[t]*/",
    "./des[t]*/older",
    "./dest/",
    "./dest/kept",
    "./tree/",
    "./way",
  ]);
});

Deno.test("a destination that is also the source leaves out only its own backups", async () => {
  await using at = await fixture();
  await Deno.writeTextFile(`${at.tree}/backup_7_notes.txt`, "x");
  await Deno.writeTextFile(`${at.tree}/backup_7_20250101000000.tar.zst`, "an older backup");
  await Deno.writeTextFile(`${at.tree}/backup_70_20250101000000.tar.zst`, "another task's");
  await at.run.run(source(at.tree), { destination: { type: "local", directory: at.tree } });
  const names = await shell('zstd -dc "$1" | tar -t --record-size=64K', `${at.tree}/${STAMPED}.tar.zst`);
  assert.deepEqual(names.trim().split("\n").sort(), [
    "./",
    "./backup_70_20250101000000.tar.zst",
    "./backup_7_notes.txt",
  ]);
});

Deno.test({
  name: "unreadable files are named, and fail the run unless allow_unreadable is set",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await using at = await fixture();
    await shell(
      `cd "$1"; echo x > open; echo x > secret; echo x > 'other "secret"'; chmod 600 *secret*; mkdir closed; chmod 700 closed`,
      at.tree,
    );
    const asNobody = { run_as: "nobody" };
    await fails(
      at.run,
      source(at.tree),
      /^Cannot read 3 files in .*Permission denied.*allow_unreadable/,
      asNobody,
    );
    assert.equal(at.run.lines.filter((line) => line.startsWith("Unreadable: ")).length, 3);
    assert.deepEqual(at.run.warnings, []);
    const backup = await at.run.run(source(at.tree, { allow_unreadable: true }), asNobody);
    assert.equal(at.run.warnings.length, 3);
    assert.deepEqual(await members(at.run), ["./", "./open"]);
    assert.deepEqual([backup.files_count, backup.unreadable_count], [1, 3]);
    const manifest = JSON.parse(
      await Deno.readTextFile(
        `${at.run.directory}/${backup.objects.find(({ role }) => role === "manifest")!.name}`,
      ),
    );
    assert.deepEqual([manifest.incomplete, manifest.unreadable_count], [true, 3]);
  },
});

Deno.test({
  name: "a source that its user may not enter fails, whatever allow_unreadable is",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await using at = await fixture();
    await Deno.writeTextFile(`${at.tree}/x`, "x");
    await Deno.chmod(at.tree, 0o700);
    for (const allow_unreadable of [false, true]) {
      await fails(at.run, source(at.tree, { allow_unreadable }), /tree.*Permission denied/, {
        run_as: "nobody",
      });
    }
  },
});

Deno.test("an unknown user fails the run", async () => {
  await using at = await fixture();
  await fails(at.run, source(at.tree), /^Cannot run as no-such-user: there is no such user/, {
    run_as: "no-such-user",
  });
});

Deno.test("names with line breaks or invalid UTF-8 stay on one line of the output", {
  ignore: Deno.uid() !== 0,
}, async () => {
  await using at = await fixture();
  await shell(
    `cd "$1"; name=$(printf 'a\\nb"c\\377d'); echo x > "$name"; chmod 600 "$name"; echo x > ok`,
    at.tree,
  );
  await at.run.run(source(at.tree, { allow_unreadable: true }), { run_as: "nobody" });
  assert.deepEqual(at.run.warnings, [`"./a\\nb\\"c\\377d": Cannot open: Permission denied`]);
});

/**
 * Writes random bytes. They do not compress, so the pipes are full long before tar has read the whole file.
 */
const LARGE = "head -c 150000000 /dev/urandom >";

Deno.test("a file that grows or shrinks while it is read is a warning", async () => {
  const changes = {
    "echo more >>": /"\.\/large": file changed as we read it/,
    "truncate -s 1000": /"\.\/large": File shrank by \d+ bytes/,
  };
  for (const [change, warning] of Object.entries(changes)) {
    await using at = await fixture();
    await shell(`cd "$1"; ${LARGE} large`, at.tree);
    const stalled = new StalledDestination(at.run, 0);
    const running = at.run.run(source(at.tree), {}, stalled);
    await stalled.reached;
    await shell(`${change} "$1/large"`, at.tree);
    stalled.resume();
    await running;
    assert.match(at.run.warnings[0]!, warning);
  }
});

Deno.test("a file that vanishes before it is read is a warning", async () => {
  await using at = await fixture();
  await shell(`cd "$1"; mkdir 0 9; ${LARGE} 0/large; ${LARGE} 9/large`, at.tree);
  const stalled = new StalledDestination(at.run, 0);
  const running = at.run.run(source(at.tree), {}, stalled);
  await stalled.reached;
  // tar is now reading in `0` or in `9`. tar reads the other directory later, but might already know its
  // name.
  await shell(`cd "$1"; rm -r 0 9`, at.tree);
  stalled.resume();
  await running;
  assert.ok(at.run.warnings.length >= 1);
  assert.match(at.run.warnings.join("\n"), /File removed before we read it|file changed as we read it/);
});

Deno.test("a file or directory that becomes something else before it is read is a warning", async () => {
  await using at = await fixture();
  // When the run stalls, tar has read all names in the directory, and is reading one of its two large files.
  const grow = `${LARGE} 0; ${LARGE} 9; for n in $(seq 50); do mkdir d$n; echo x > d$n/x; echo y > f$n; done`;
  await shell(`cd "$1"; ${grow}`, at.tree);
  const stalled = new StalledDestination(at.run, 0);
  const running = at.run.run(source(at.tree), {}, stalled);
  await stalled.reached;
  const swap = "rm -r d$n f$n; ln -s nowhere f$n; echo x > d$n";
  await shell(`cd "$1"; for n in $(seq 50); do ${swap}; done`, at.tree);
  stalled.resume();
  await running;
});

Deno.test("a file that changed its type while tar read it counts as changed, not as unreadable", () => {
  const warnings: string[] = [];
  const output = {
    line: () => assert.fail("no plain line"),
    warning: (text: string) => void warnings.push(text),
  };
  const messages = new TarMessages(output, false);
  messages.read('tar: "./a": Warning: Cannot open: Not a directory');
  messages.read('tar: "./b": Warning: Cannot open: Too many levels of symbolic links');
  assert.deepEqual([messages.changed, messages.unreadable], [2, 0]);
  assert.equal(warnings[0], '"./a": Cannot open: Not a directory: it became something else meanwhile');
});

Deno.test("tar killed from outside fails the run", async () => {
  await using at = await fixture();
  await shell(`cd "$1"; ${LARGE} large`, at.tree);
  const stalled = new StalledDestination(at.run, 0);
  const running = at.run.run(source(at.tree), {}, stalled);
  await stalled.reached;
  await shell('kill -9 $(pgrep -x -f "tar --create .*--directory=$1 .*")', at.tree);
  stalled.resume();
  await assert.rejects(running, {
    name: "RunFailedError",
    message: `Cannot archive ${at.tree}: tar was ended by SIGKILL`,
  });
  assert.deepEqual(at.run.stored(), []);
});

Deno.test("a compressor killed from outside fails the run, and is named", async () => {
  await using at = await fixture();
  await shell(`cd "$1"; ${LARGE} large`, at.tree);
  const stalled = new StalledDestination(at.run, 0);
  const running = at.run.run(source(at.tree), {}, stalled);
  await stalled.reached;
  await shell(
    'for p in $(pgrep -x pzstd); do [ "$(readlink /proc/$p/fd/0)" = "$1/work/pipe" ] && kill -9 $p; done; true',
    at.run.root,
  );
  stalled.resume();
  await assert.rejects(running, {
    name: "RunFailedError",
    message: "Cannot compress: pzstd was ended by SIGKILL",
  });
  assert.deepEqual(at.run.stored(), []);
});

Deno.test({
  name: "the run fails if the agent's disk has no room for the index",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    await using at = await fixture();
    await shell(
      'mount -t tmpfs -o size=64k none "$1/work"; cd "$1/tree"; seq 3000 | xargs touch',
      at.run.root,
    );
    try {
      await fails(
        at.run,
        source(at.tree),
        /^Cannot list the files of .*tree: the agent's state directory is full/,
      );
    } finally {
      await shell('umount "$1/work"', at.run.root);
    }
  },
});

Deno.test("the documented command restores access lists, also without --acls", async () => {
  await using at = await fixture();
  await Deno.writeTextFile(`${at.tree}/file`, "x");
  await Deno.mkdir(`${at.tree}/directory`);
  await shell('setfacl -m u:1234:rw "$1/file"; setfacl -d -m u:1234:rwx "$1/directory"', at.tree);
  const listed = (path: string) =>
    shell('cd "$1" && find . -print0 | sort -z | xargs -0 getfacl --numeric', path);
  await at.run.run(source(at.tree));
  const page = await Deno.readTextFile(new URL("../../../../docs/recover/stock-tools.md", import.meta.url));
  const command = /^ +(tar --extract .*) -C target$/m.exec(page)![1]!;
  assert.match(command, / --acls /);
  for (const extract of [command, command.replace(" --acls", "")]) {
    const target = await Deno.makeTempDir();
    await shell(`zstd -dc "$1" | ${extract} -C "$2"`, `${at.run.directory}/${STAMPED}.tar.zst`, target);
    assert.equal(await listed(target), await listed(at.tree));
    await Deno.remove(target, { recursive: true });
  }
});
