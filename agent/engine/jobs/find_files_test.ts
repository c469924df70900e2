import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { generateIdentity, identityToRecipient } from "age-encryption";
import { systemClock } from "../../../src/domain/clock.ts";
import type { BackupFind } from "../../../src/protocol/browsing.ts";
import type { BackupToRead, JobEncryption } from "../../../src/protocol/job.ts";
import { TestClock } from "../../../tests/support/fixtures/clock.ts";
import { encryptTo, makeFileKey } from "../transforms/encrypt.ts";
import { Children } from "../programs/children.ts";
import { findFiles } from "./find_files.ts";

const signal = new AbortController().signal;

/**
 * Backups in one directory, each with an index of the given lines. The newest backup is the last one stored.
 */
class Fixture implements AsyncDisposable {
  readonly backups: BackupToRead[] = [];

  private constructor(readonly root: string) {}

  static async make(): Promise<Fixture> {
    return new Fixture(await Deno.makeTempDir());
  }

  async store(lines: readonly string[], key: BackupToRead["key"] = null): Promise<BackupToRead> {
    const id = this.backups.length + 1;
    const name = `backup_${id}.index.zst`;
    const zstd = new Deno.Command("zstd", { args: ["-q", "-c"], stdin: "piped", stdout: "piped" }).spawn();
    const writer = zstd.stdin.getWriter();
    await writer.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
    await writer.close();
    const bytes = await sealed((await zstd.output()).stdout, key);
    await Deno.writeFile(`${this.root}/${name}`, bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const backup: BackupToRead = {
      id,
      created_at: `2026-01-0${id}T03:04:05.000Z`,
      files_count: null,
      source: null,
      key,
      destination: { type: "local", directory: this.root },
      objects: [{ role: "index", name, size: bytes.length, sha256, database: null }],
    };
    this.backups.unshift(backup);
    return backup;
  }

  async find(pattern: string, changes: Partial<BackupFind> = {}) {
    const request: BackupFind = {
      kind: "backup.find",
      backups: this.backups,
      signed: [],
      pattern,
      limit: 100,
      time_limit_ms: 60_000,
      ...changes,
    };
    return await findFiles(request, systemClock, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

async function sealed(bytes: Uint8Array, key: BackupToRead["key"]): Promise<Uint8Array> {
  if (key === null) return bytes;
  await using children = new Children(systemClock, signal);
  const encryption: Exclude<JobEncryption, { type: "none" }> = key.type === "passphrase"
    ? { type: "password", password: key.passphrase }
    : { type: "recipients", recipients: [await identityToRecipient(key.identity)] };
  const chunks: number[] = [];
  const sink = await encryptTo(
    { write: (chunk) => Promise.resolve(void chunks.push(...chunk)), end: () => Promise.resolve() },
    await makeFileKey(encryption, children),
  );
  await sink.write(bytes);
  await sink.end();
  return new Uint8Array(chunks);
}

let block = 0;

function file(quoted: string, size = 1, time = "2026-01-02 03:04:05.000000001"): string {
  return `block ${block++}: -rw-r--r-- 0/0 ${size} ${time} "./${quoted}"`;
}

function directory(quoted: string): string {
  return `block ${block++}: drwxr-xr-x 0/0 0 2026-01-02 03:04:05 "./${quoted}${quoted === "" ? "" : "/"}"`;
}

const modified_at = "2026-01-02T03:04:05.000000001Z";

Deno.test("a file is found in every backup, with what is the same in them as one version", async () => {
  await using at = await Fixture.make();
  await at.store([directory(""), directory("etc"), file("etc/hosts", 10), file("old.conf")]);
  await at.store([
    directory(""),
    directory("etc"),
    file("etc/hosts", 10),
    file("etc/hosts.d/x"),
    directory("hosts"),
  ]);
  await at.store([directory("etc"), file("etc/hosts", 10, "2026-01-02 03:04:05.000000002")]);
  await at.store([file("etc/hosts", 12, "12345-01-02 00:00:00")]);
  assert.deepEqual(await at.find("HOSTS"), {
    hits: [
      {
        path: "etc/hosts",
        versions: [
          { type: "file", size: 12, modified_at: "+012345-01-02T00:00:00Z", backups: [4] },
          { type: "file", size: 10, modified_at: "2026-01-02T03:04:05.000000002Z", backups: [3] },
          { type: "file", size: 10, modified_at, backups: [2, 1] },
        ],
      },
      {
        path: "hosts",
        versions: [{
          type: "directory",
          size: 0,
          modified_at: "2026-01-02T03:04:05Z",
          backups: [2],
        }],
      },
    ],
    truncated: false,
    unlisted: 0,
    failed: [],
  });
  const paths = async (pattern: string) => (await at.find(pattern)).hits.map(({ path }) => path);
  assert.deepEqual(await paths("*.conf"), ["old.conf"]);
  assert.deepEqual(await paths("etc/**"), ["etc/hosts", "etc/hosts.d/x"]);
  assert.deepEqual(await paths("nothing"), []);
});

Deno.test("hostile names are found as listings show them", async () => {
  await using at = await Fixture.make();
  await at.store([
    file("new\\nline"),
    file("caf\\351.txt"),
    file('quote\\".txt'),
    file("esc\\033[31m"),
    file("日本.txt"),
    file("-e"),
    file("$(touch x)"),
    "block 9: what is this line",
    `block 10: ?rw-r--r-- 0/0 1 2026-01-02 03:04:05 "./unknown line"`,
  ]);
  const paths = async (pattern: string) => (await at.find(pattern)).hits.map(({ path }) => path);
  assert.deepEqual(await paths("line"), ["new\nline"]);
  assert.equal((await at.find("line")).unlisted, 1);
  assert.deepEqual(await paths("new\nline"), ["new\nline"]);
  assert.deepEqual(await paths("caf\\351"), ["caf\\351.txt"]);
  assert.deepEqual(await paths('"'), ['quote".txt']);
  assert.deepEqual(await paths("\x1b["), ["esc\x1b[31m"]);
  assert.deepEqual(await paths("本"), ["日本.txt"]);
  assert.deepEqual(await paths("-e"), ["-e"]);
  assert.deepEqual(await paths("$(touch"), ["$(touch x)"]);
  assert.equal((await at.find("?*")).unlisted, 2);
});

Deno.test("beyond the limit the newest backup's paths stay, with all of their versions", async () => {
  await using at = await Fixture.make();
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => file(`d/file ${from + index}`));
  await at.store(many(0, 2000));
  await at.store(many(1990, 5));
  await at.store(many(1000, 1000));
  const found = await at.find("file", { limit: 3 });
  assert.equal(found.truncated, true);
  assert.deepEqual(found.hits.map(({ path }) => path), ["d/file 1000", "d/file 1001", "d/file 1002"]);
  for (const { versions } of found.hits) assert.deepEqual(versions.map(({ backups }) => backups), [[3, 1]]);
  assert.equal((await at.find("file 199?", { limit: 10 })).truncated, false);
  assert.equal((await at.find("*", { limit: 1000 })).hits.length, 1000);
});

Deno.test("encrypted indexes are searched, and one with a wrong key is reported", async () => {
  await using at = await Fixture.make();
  const identity = await generateIdentity();
  await at.store([file("secret 1")], { type: "passphrase", passphrase: "a password" });
  await at.store([file("secret 2")], { type: "identity", identity });
  await at.store([file("secret 3")]);
  at.backups.push({
    ...at.backups[1]!,
    id: 9,
    key: { type: "identity", identity: await generateIdentity() },
  });
  const found = await at.find("secret");
  assert.deepEqual(found.hits.map(({ path }) => path), ["secret 1", "secret 2", "secret 3"]);
  assert.deepEqual(found.failed.map(({ backup }) => backup), [9]);
  assert.match(found.failed[0]!.reason, /the identity does not fit/);
});

Deno.test("what can't be searched is reported, and the rest is found", async () => {
  await using at = await Fixture.make();
  await at.store([file("one")]);
  const swapped = await at.store([file("one")]);
  const gone = await at.store([file("one")]);
  const bare = { ...at.backups[0]!, id: 4, objects: [{ ...gone.objects[0]!, role: "archive" as const }] };
  const elsewhere = { ...gone, id: 5, destination: { type: "local" as const, directory: `${at.root}/none` } };
  at.backups.unshift(elsewhere, bare);
  await Deno.copyFile(
    `${at.root}/${at.backups.at(-1)!.objects[0]!.name}`,
    `${at.root}/${swapped.objects[0]!.name}`,
  );
  await Deno.writeTextFile(`${at.root}/${swapped.objects[0]!.name}`, "x", { append: true });
  await Deno.remove(`${at.root}/${gone.objects[0]!.name}`);
  const found = await at.find("one");
  assert.deepEqual(found.hits.map(({ versions }) => versions.map(({ backups }) => backups)), [[[1]]]);
  const failed = found.failed.sort((a, b) => a.backup - b.backup);
  assert.deepEqual(failed.map(({ backup, damage }) => [backup, damage !== undefined]), [
    [2, true],
    [3, true],
    [4, false],
    [5, failed[3]!.damage !== undefined],
  ]);
  assert.match(failed[2]!.reason, /it has no index/);
});

Deno.test("at the time limit the answer says which backups were not searched", async () => {
  await using at = await Fixture.make();
  for (let index = 0; index < 3; index++) await at.store([file("one")]);
  const fifo = `${at.root}/${at.backups[1]!.objects[0]!.name}`;
  await Deno.remove(fifo);
  await new Deno.Command("mkfifo", { args: [fifo] }).output();
  const clock = new TestClock();
  const request: BackupFind = {
    kind: "backup.find",
    backups: [at.backups[1]!],
    signed: [],
    pattern: "one",
    limit: 100,
    time_limit_ms: 5000,
  };
  const finding = findFiles(request, clock, signal);
  await clock.advance(5000);
  assert.deepEqual(await finding, {
    hits: [],
    truncated: false,
    unlisted: 0,
    failed: [{ backup: 2, reason: "The time limit of 5 s was reached" }],
  });
});
