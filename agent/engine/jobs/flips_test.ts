/**
 * Flips one bit of a stored object: the archive, the index or the manifest. A verification must detect the
 * flip at every position. A restore must never write wrong data, even if the digest matches the altered
 * object.
 *
 * Within one test, every object is altered at the same number of positions. Tests that start programs use
 * fewer positions than other tests. With `deno task flips`, tests that start programs use up to 20 times as
 * many positions as usual.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { systemClock } from "../../../src/domain/clock.ts";
import type { StoredBackup, StoredObject } from "../../../src/protocol/job.ts";
import { collect } from "../../../tests/support/fixtures/age_files.ts";
import {
  type Flip,
  FlippedBackup,
  flips,
  FORMATS,
  offsetOf,
} from "../../../tests/support/fixtures/flipped_backup.ts";
import { restore } from "../../../tests/support/fixtures/restore_run.ts";
import { restoreJob } from "../../../tests/support/fixtures/restore_job.ts";
import { describeTree } from "../../../tests/support/fixtures/tree.ts";
import { verify } from "../../../tests/support/fixtures/verify_run.ts";
import { IndexParser } from "../archive/archive_index.ts";
import { readRanges } from "../archive/archive_ranges.ts";
import { Children } from "../programs/children.ts";
import { LocalDestination } from "../destinations/local/local.ts";
import { BackupDamagedError, RunFailedError } from "../ports.ts";
import { StoredObjects } from "./stored_objects.ts";
import { select } from "../restore_files/selection.ts";

const POSITIONS = 1000;
const TIMES = Number(Deno.env.get("FLIPS") ?? 1);
const few = (count: number) => Math.min(count * TIMES, POSITIONS);
/** Number of flips in a test that starts `zstd` for each flip. */
const UNPACKED = few(50);
/**
 * Number of flips in the verification test of each format. The test of format `recipients` has no key and
 * starts no program. So it makes many more flips than the other two tests.
 */
const VERIFIED = { plain: few(50), password: few(4), recipients: POSITIONS };
/**
 * Number of flips in the decryption test of each format. A separate process turns each password into a key,
 * so the test with a password makes few flips.
 */
const DECRYPTED = { password: few(8), recipients: POSITIONS };
const RESTORED = { plain: few(4), password: few(2), recipients: few(3) };

for (const format of FORMATS) {
  Deno.test(`a verification finds each altered byte, ${format}`, async () => {
    await using at = await FlippedBackup.make(format);
    // A control plane does not have the secret key of a recipient. So this verification runs without a key.
    const key = format === "recipients" ? null : at.key;
    await flips(VERIFIED[format], async (flip) => {
      for (const object of at.backup.objects) await at.flip(object, flip);
      at.run.lines.length = 0;
      await assert.rejects(verify(at.run, at.backup, { key }), (error) => {
        assert(error instanceof BackupDamagedError, Deno.inspect(error));
        assert.match(error.message, /^Backup 31 is damaged: [^\n]+$/);
        return true;
      });
      for (const { name, size } of at.backup.objects) {
        const found = at.run.lines.some((line) => line.startsWith(`Damaged: ${name}: its SHA-256 is`));
        assert(found, `${name} at byte ${offsetOf(flip, size)}: ${at.run.lines.join("\n")}`);
      }
    });
    await at.mend();
    await verify(at.run, at.backup, { key });
  });
}

/**
 * Opens the objects of `backup`, runs `work` on them, and returns the result; null if `work` fails. Trusts
 * the digests in `backup`, even if the objects were altered.
 */
async function withOpenObjects<T>(
  at: FlippedBackup,
  backup: StoredBackup,
  work: (objects: StoredObjects, children: Children) => Promise<T>,
): Promise<T | null> {
  await using children = new Children(systemClock, new AbortController().signal);
  const destination = new LocalDestination(
    { type: "local", directory: at.run.directory },
    at.run.ports.signal,
  );
  const job = restoreJob(at.run.directory, backup, { key: at.key });
  try {
    return await work(new StoredObjects(job.backup, destination, children), children);
  } catch (error) {
    assert(error instanceof RunFailedError, Deno.inspect(error));
    assert.match(error.message, /^[^\n]+$/);
    return null;
  }
}

const only = (backup: StoredBackup, role: StoredObject["role"]) =>
  backup.objects.find((object) => object.role === role)!;

for (const format of ["password", "recipients"] as const) {
  Deno.test(`an encrypted object with an altered byte is not opened, ${format}`, async () => {
    await using at = await FlippedBackup.make(format);
    for (const role of ["archive", "index"] as const) {
      const object = at.object(role);
      const right = await withOpenObjects(at, at.backup, (objects) => collect(objects.whole(object)));
      await flips(DECRYPTED[format], async (flip) => {
        const backup = await at.flip(object, flip);
        const got: Uint8Array[] = [];
        const whole = await withOpenObjects(at, backup, async (objects) => {
          for await (const chunk of objects.whole(only(backup, role))) got.push(chunk.slice());
          return true;
        });
        assert.equal(whole, null, `${role} at byte ${offsetOf(flip, object.size)} was opened`);
        const handedOn = Buffer.concat(got);
        assert(handedOn.equals(right!.subarray(0, handedOn.length)), "wrong bytes were handed on");
      });
      await at.mend();
    }
  });
}

Deno.test("an archive or index with an altered byte unpacks to the original or is refused", async () => {
  await using at = await FlippedBackup.make("plain");
  const linesOf = async (objects: StoredObjects, object: StoredObject) => {
    const lines: string[] = [];
    await objects.lines(object, (line) => void lines.push(line));
    return lines;
  };
  const lines = (await withOpenObjects(at, at.backup, (objects) => linesOf(objects, at.object("index"))))!;
  const ofLines = (take: (line: string) => void) => Promise.resolve(lines.forEach(take));
  const { ranges, table } = await select(["d/numbers", "noise"], ofLines);
  const rangesOf = async (objects: StoredObjects, object: StoredObject, children: Children) =>
    await collect(readRanges(await objects.open(object), table!, ranges, children));
  const members = await withOpenObjects(
    at,
    at.backup,
    (objects, children) => rangesOf(objects, at.object("archive"), children),
  );
  let refused = 0;
  await flips(UNPACKED, async (flip) => {
    const ofIndex = await at.flip(at.object("index"), flip);
    const got = await withOpenObjects(at, ofIndex, (objects) => linesOf(objects, only(ofIndex, "index")));
    if (got === null) refused++;
    else assert.deepEqual(got, lines, `index at byte ${offsetOf(flip, at.object("index").size)}`);
    const ofArchive = await at.flip(at.object("archive"), flip);
    const unpacked = await withOpenObjects(
      at,
      ofArchive,
      (objects, children) => rangesOf(objects, only(ofArchive, "archive"), children),
    );
    if (unpacked === null) refused++;
    else assert.deepEqual(unpacked, members, `archive at byte ${offsetOf(flip, at.object("archive").size)}`);
  });
  assert(refused > UNPACKED, `only ${refused} were refused`);
});

Deno.test("a line of an index with an altered byte is refused or leads to no other file", async () => {
  await using at = await FlippedBackup.make("plain");
  const lines: string[] = [];
  await withOpenObjects(
    at,
    at.backup,
    (objects) => objects.lines(at.object("index"), (line) => void lines.push(line)),
  );
  const text = new TextEncoder().encode(lines.join("\n"));
  await flips(POSITIONS, (flip: Flip) => {
    const bytes = text.slice();
    bytes[offsetOf(flip, bytes.length)]! ^= 1 << flip.bit;
    const parser = new IndexParser();
    try {
      for (const line of new TextDecoder().decode(bytes).split("\n")) {
        const name = parser.line(line)?.name ?? "";
        assert(!name.startsWith("/") && !name.split("/").includes(".."), name);
      }
      parser.table();
    } catch (error) {
      assert(error instanceof RunFailedError, Deno.inspect(error));
    }
    return Promise.resolve();
  });
});

for (const format of FORMATS) {
  Deno.test(`a backup with an altered byte never restores wrong data, ${format}`, async () => {
    await using at = await FlippedBackup.make(format);
    const original = await describeTree(at.tree);
    const target = `${at.run.root}/target`;
    await Deno.mkdir(target);
    await Deno.writeTextFile(`${target}/mine`, "mine\n");
    const before = await describeTree(target);
    const entries = [...Deno.readDirSync(at.run.root)].length;
    const isRefused = async (backup: StoredBackup, paths: string[]): Promise<boolean> => {
      try {
        await restore(at.run, backup, { target: { path: target, paths, overwrite: true }, key: at.key });
        return false;
      } catch (error) {
        assert(error instanceof RunFailedError, Deno.inspect(error));
        assert.match(error.message, /^Cannot restore backup 31: [^\n]+$/);
        assert.deepEqual(await describeTree(target), before);
        assert.equal(
          [...Deno.readDirSync(at.run.root)].length,
          entries,
          "something was left next to the target",
        );
        return true;
      }
    };
    await flips(RESTORED[format], async (flip) => {
      for (const role of ["archive", "index"] as const) {
        const asStoredSo = await at.flip(at.object(role), flip);
        const position = `${role} at byte ${offsetOf(flip, at.object(role).size)}`;
        if (role === "archive") assert(await isRefused(at.backup, []), `${position} was restored`);
        for (const paths of [[], ["d/numbers", "noise"]]) {
          if (await isRefused(asStoredSo, paths)) continue;
          for (const name of ["noise", "d/numbers"]) {
            assert.deepEqual(
              await Deno.readFile(`${target}/${name}`),
              await Deno.readFile(`${at.tree}/${name}`),
              position,
            );
          }
          await Deno.remove(target, { recursive: true });
          await Deno.mkdir(target);
          await Deno.writeTextFile(`${target}/mine`, "mine\n");
          before.splice(0, before.length, ...await describeTree(target));
        }
        await at.mend();
      }
    });
    await restore(at.run, at.backup, { target: { path: `${at.run.root}/whole` }, key: at.key });
    assert.deepEqual(await describeTree(`${at.run.root}/whole`), original);
  });
}
