/**
 * Tests the behaviour that every source type must have. The types come from the registry. A type without a
 * fixture makes the tests fail.
 */
import assert from "node:assert/strict";
import { BackupRun, shell } from "../../../tests/support/fixtures/backup_run.ts";
import { StalledDestination } from "../../../tests/support/fixtures/stalled_destination.ts";
import { type Manifest, restoreStored } from "../../../tests/support/fixtures/restore.ts";
import { verify } from "../../../tests/support/fixtures/verify_run.ts";
import type { SourceFixture } from "../../../tests/support/sources/fixture.ts";
import { sourceFixtures, type SourceType } from "../../../tests/support/sources/registry.ts";
import { sourceTypes } from "./registry.ts";

const PASSPHRASE = "correct horse battery staple";

async function readManifest(run: BackupRun): Promise<Manifest> {
  return JSON.parse(await Deno.readTextFile(`${run.directory}/backup_7_20260102030405.manifest.json`));
}

/** Restores a backup with the commands in its manifest. The commands need only standard tools. */
async function restoreAll(run: BackupRun, fixture: SourceFixture, passphrase: string | null): Promise<void> {
  await restoreStored(run.directory, await readManifest(run), fixture, passphrase);
}

/** Returns the ids of the processes that have a file of the run's work directory open. */
function programsOf(run: BackupRun): string[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => name).filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => openFiles(pid).some((path) => path.includes(`${run.root}/work`)));
}

function openFiles(pid: string): string[] {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => {
      try {
        return Deno.readLinkSync(`/proc/${pid}/fd/${name}`);
      } catch {
        return ""; // closed meanwhile
      }
    });
  } catch {
    return []; // ended meanwhile, or another user's
  }
}

for (const type of Object.keys(sourceTypes) as SourceType[]) {
  Deno.test(`source ${type}`, async (t) => {
    assert.ok(sourceFixtures[type], `give ${type} a fixture`);
    await using fixture = await sourceFixtures[type]();
    const original = await fixture.describeOriginal();
    const [{ spec }] = fixture.variants as [SourceFixture["variants"][0]];

    for (const variant of fixture.variants) {
      await t.step(`restores with stock tools to the original state: ${variant.name}`, async () => {
        await using run = await BackupRun.open();
        const backup = await run.run(variant.spec);
        assert.deepEqual(run.warnings, []);
        await fixture.reset();
        await restoreAll(run, fixture, null);
        assert.deepEqual(await fixture.describeRestored(), original);
        assert.equal(
          backup.size,
          backup.objects.filter(({ role }) => role === "archive").reduce((n, o) => n + o.size, 0),
        );
      });
    }

    await t.step("restores from an encrypted backup with the age program", async () => {
      await using run = await BackupRun.open();
      const backup = await run.run(spec, {
        encryption: { type: "password", password: PASSPHRASE },
      });
      assert.equal(backup.encrypted, true);
      for (const name of run.stored()) assert.match(name, /\.age$|\.manifest\.json$/);
      await fixture.reset();
      await restoreAll(run, fixture, PASSPHRASE);
      assert.deepEqual(await fixture.describeRestored(), original);
    });

    await t.step("reports what it stored, the manifest last, and no secret", async () => {
      await using run = await BackupRun.open();
      const backup = await run.run(spec);
      assert.deepEqual(backup.objects.map(({ name }) => name).sort(), run.stored());
      assert.equal(backup.objects.at(-1)!.role, "manifest");
      assert.deepEqual(run.openings.map(({ name }) => name), backup.objects.map(({ name }) => name));
      for (const { name, size, sha256 } of backup.objects) {
        assert.equal((await Deno.stat(`${run.directory}/${name}`)).size, size);
        assert.equal((await shell('sha256sum < "$1"', `${run.directory}/${name}`)).slice(0, 64), sha256);
      }
      assert.equal((await verify(run, backup)).is_opened, true);
      const { objects } = await readManifest(run);
      const described = objects.map(({ role, name, size, sha256, database }) => ({
        role,
        name,
        size,
        sha256,
        database,
      }));
      assert.deepEqual(described, backup.objects.slice(0, -1));
      const reported = `${run.lines.join("\n")}\n${JSON.stringify(objects)}\n${JSON.stringify(backup)}`;
      for (const secret of fixture.secrets) assert.ok(!reported.includes(secret), "a secret is shown");
    });

    await t.step("a cancelled run leaves no program and no object", async () => {
      await using run = await BackupRun.open();
      const stalled = new StalledDestination(run, 0);
      const running = run.run(spec, {}, stalled);
      await stalled.reached;
      run.cancel();
      await assert.rejects(running, { name: "RunAbortedError", message: "Cancelled by ada." });
      assert.deepEqual(run.stored(), []);
      assert.deepEqual(programsOf(run), []);
    });

    await t.step(
      "a destination that fails after the first object leaves no program and no object",
      async () => {
        await using run = await BackupRun.open();
        const stalled = new StalledDestination(run, 1);
        const running = run.run(spec, {}, stalled);
        await stalled.reached;
        assert.equal(run.stored().filter((name) => !name.startsWith(".")).length, 1);
        stalled.fail(new Error("Cannot write: the disk is full"));
        await assert.rejects(running, { name: "RunFailedError", message: "Cannot write: the disk is full" });
        assert.deepEqual(run.stored(), []);
        assert.deepEqual(programsOf(run), []);
      },
    );
  });
}
