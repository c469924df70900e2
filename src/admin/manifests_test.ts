import assert from "node:assert/strict";
import { FlippedBackup, flips, FORMATS, offsetOf } from "../../tests/support/fixtures/flipped_backup.ts";
import { shell } from "../../tests/support/fixtures/backup_run.ts";
import { systemClock } from "../domain/clock.ts";
import { findManifests, type FoundManifest } from "./manifests.ts";
import { openRepository } from "./repository.ts";

for (const format of FORMATS) {
  Deno.test(`a manifest with a changed byte is left out, or parses to the same content, ${format}`, async () => {
    await using at = await FlippedBackup.make(format);
    await using repository = await openRepository(at.run.directory, {}, systemClock);
    const content = ({ manifest }: FoundManifest) => manifest;
    const [right] = await findManifests(repository, (path, reason) => assert.fail(`${path}: ${reason}`));
    let leftOut = 0;
    await flips(1000, async (flip) => {
      await at.flip(at.object("manifest"), flip);
      const reasons: string[] = [];
      const [found, ...others] = await findManifests(repository, (_, reason) => reasons.push(reason));
      assert.equal(others.length, 0);
      const byte = `byte ${offsetOf(flip, at.object("manifest").size)}`;
      if (found !== undefined) return assert.deepEqual(content(found), content(right!), byte);
      assert.match(
        reasons.join(),
        /^it is (?:not JSON|damaged: |not a manifest of this version: )[^\n]*$/,
        byte,
      );
      leftOut++;
    });
    assert(leftOut > 900, `only ${leftOut} were left out`);
  });
}

Deno.test("a manifest's digest of itself is checked with stock tools, and one without a digest is accepted", async () => {
  await using at = await FlippedBackup.make("plain");
  const path = `${at.run.directory}/${at.object("manifest").name}`;
  await shell(
    '[[ "$(grep -v manifest_sha256 "$1" | sha256sum)" == "$(grep -oP "manifest_sha256\\": \\"\\K\\w+" "$1")  -" ]]',
    path,
  );
  await shell('sed -i -e /manifest_sha256/d -e s/Nightly/Changed/ "$1"', path);
  await using repository = await openRepository(at.run.directory, {}, systemClock);
  const [found] = await findManifests(repository, (_, reason) => assert.fail(reason));
  assert.equal(found!.manifest.task.label, "Changed");
});

Deno.test("a manifest above the size limit is left out without being read completely", async () => {
  const read = { bytes: 0, isCancelled: false };
  const repository = {
    async *paths() {
      yield "huge.manifest.json";
    },
    read: () =>
      Promise.resolve(
        new ReadableStream<Uint8Array>({
          pull(controller) {
            read.bytes += 2 ** 20;
            controller.enqueue(new Uint8Array(2 ** 20).fill(0x20));
          },
          cancel: () => void (read.isCancelled = true),
        }),
      ),
  } as unknown as Awaited<ReturnType<typeof openRepository>>;
  const reasons: string[] = [];
  assert.deepEqual(await findManifests(repository, (path, reason) => reasons.push(`${path}: ${reason}`)), []);
  assert.deepEqual(reasons, ["huge.manifest.json: it is larger than 32 MiB, which no manifest is"]);
  assert.ok(read.isCancelled && read.bytes < 40 * 2 ** 20, JSON.stringify(read));
});
